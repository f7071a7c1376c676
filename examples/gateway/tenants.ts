/** Who may come in, and how much each may do. */

/** Who a client is: `conn.data` of the gateway. */
export interface Identity {
  readonly user: string;
  readonly tenant: string;
  readonly plan: 'free' | 'paid';
}

/** What a plan allows: connections of all users of a tenant, and messages of one connection in a second. */
export const plans = {
  free: { connections: 2, messages: 10 },
  paid: { connections: 1_000, messages: 200 },
} as const;

// Stands for a database, which would have only hashes of the keys.
const keys = new Map<string, Identity>([
  ['key-of-ann', { user: 'ann', tenant: 'acme', plan: 'free' }],
  ['key-of-bob', { user: 'bob', tenant: 'acme', plan: 'free' }],
  ['key-of-eve', { user: 'eve', tenant: 'initech', plan: 'paid' }],
]);

/** Whose `Authorization` this is: Basic, with the key as the password. `undefined` if there is none, or the key is unknown. */
export function identify(authorization = ''): Identity | undefined {
  const [, credentials = ''] = /^Basic (\S+)$/i.exec(authorization) ?? [];
  const [, key = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  return keys.get(key);
}
