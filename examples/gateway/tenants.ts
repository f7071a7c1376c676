/** The users of the gateway, and the limits of their plans. */

/** The identity of a client: `conn.data` of the gateway. */
export interface Identity {
  readonly user: string;
  readonly tenant: string;
  readonly plan: 'free' | 'paid';
}

/** The limits of each plan: connections of all users of a tenant, and messages of one connection per second. */
export const plans = {
  free: { connections: 2, messages: 10 },
  paid: { connections: 1_000, messages: 200 },
} as const;

// Stands for a database, which would store only hashes of the keys.
const keys = new Map<string, Identity>([
  ['key-of-ann', { user: 'ann', tenant: 'acme', plan: 'free' }],
  ['key-of-bob', { user: 'bob', tenant: 'acme', plan: 'free' }],
  ['key-of-eve', { user: 'eve', tenant: 'initech', plan: 'paid' }],
]);

/** Returns the owner of a Basic `Authorization`, with the key as the password. `undefined` if it is missing, or the key is unknown. */
export function identify(authorization = ''): Identity | undefined {
  const [, credentials = ''] = /^Basic (\S+)$/i.exec(authorization) ?? [];
  const [, key = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  return keys.get(key);
}
