import { expectTypeOf } from 'expect-type';
import { serve } from 'sluice';
import { pickTlsOptions, type TlsServerOptions } from '../../src/net/tls-server-options.js';

describe('the TLS options of a server', () => {
  it('are those of node:tls, and nothing else', () => {
    const options = { key: 'k', cert: 'c', ca: 'a', minVersion: 'TLSv1.3', requestCert: true } as const;
    expect(pickTlsOptions({ ...options, port: 1, host: 'h' } as TlsServerOptions)).toEqual(options);
  });

  it('are none when none is given', () => {
    expect(pickTlsOptions({ port: 1 } as TlsServerOptions)).toBeUndefined();
    expect(pickTlsOptions({ key: undefined, cert: undefined } as unknown as TlsServerOptions)).toBeUndefined();
  });

  it('do not let through what http would take', () => {
    for (const name of ['requestTimeout', 'insecureHTTPParser', 'ALPNProtocols', 'handshakeTimeout', 'maxHeaderSize']) {
      expect(pickTlsOptions({ [name]: 1 } as TlsServerOptions)).toBeUndefined();
    }
    for (const name of ['requestTimeout', 'insecureHTTPParser', 'ALPNProtocols', 'maxHeaderSize']) {
      expect(() => serve({ port: 0, [name]: 1 } as { port: number })).toThrow(name);
    }
  });

  it('have the types of node:tls', () => {
    expectTypeOf<TlsServerOptions>().toHaveProperty('key');
    expectTypeOf<TlsServerOptions>().toHaveProperty('SNICallback');
    expectTypeOf<TlsServerOptions['requestCert']>().toEqualTypeOf<boolean | undefined>();
  });
});
