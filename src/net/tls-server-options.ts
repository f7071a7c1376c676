import type { ServerOptions } from 'node:https';

/** The options of a TLS server that are passed on to Node. */
export const TLS_SERVER_OPTIONS: readonly (keyof TlsServerOptions)[] = [
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'ciphers',
  'crl',
  'dhparam',
  'ecdhCurve',
  'honorCipherOrder',
  'maxVersion',
  'minVersion',
  'rejectUnauthorized',
  'requestCert',
  'secureContext',
  'secureOptions',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'SNICallback',
  'ticketKeys',
];

/** TLS options of a server, passed on to `node:tls`. With `key` and `cert`, `pfx` or `SNICallback` it serves `wss:`. */
export interface TlsServerOptions
  extends Pick<
    ServerOptions,
    | 'ca'
    | 'cert'
    | 'key'
    | 'pfx'
    | 'passphrase'
    | 'ciphers'
    | 'crl'
    | 'dhparam'
    | 'ecdhCurve'
    | 'honorCipherOrder'
    | 'maxVersion'
    | 'minVersion'
    | 'rejectUnauthorized'
    | 'requestCert'
    | 'secureContext'
    | 'secureOptions'
    | 'sessionIdContext'
    | 'sessionTimeout'
    | 'sigalgs'
    | 'SNICallback'
    | 'ticketKeys'
  > {}

/** Returns the TLS options among `options`; undefined if there are none. */
export function pickTlsOptions(options: TlsServerOptions): TlsServerOptions | undefined {
  const given = TLS_SERVER_OPTIONS.filter((name) => (options as Record<string, unknown>)[name] !== undefined);
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map((name) => [name, (options as Record<string, unknown>)[name]]));
}
