import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Server } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { type OriginFacts, type OriginPolicy, type ServeOptions, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';
import { serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();
const { connectTls } = rawPeers(atEnd);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function own(options: ServeOptions<unknown>): Promise<number> {
  const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1', ...options }));
  atEnd(() => subscription.unsubscribe());
  return port;
}

const places: [string, boolean, (options: ServeOptions<unknown>) => Promise<number>][] = [
  ['a server of our own', true, (options) => own({ ...serverPair, ...options })],
  [
    'an https server of others',
    true,
    async (options) => {
      const https = createHttps(serverPair);
      const subscription = serve({ server: https, ...options }).subscribe();
      atEnd(() => subscription.unsubscribe());
      return listen(https);
    },
  ],
  [
    'a proxy that ends TLS',
    false,
    async (options) => {
      const port = await own(options);
      return listen(
        createTls(serverPair, (peer) => {
          const behind = connectTcp(port, '127.0.0.1');
          peer.pipe(behind).pipe(peer);
          for (const socket of [peer, behind]) socket.on('error', () => {});
        }),
      );
    },
  ],
];

async function status(port: number, headers: Readonly<Record<string, string>>): Promise<number> {
  const raw = await connectTls(port);
  raw.write(handshake({ headers: { Host: 'chat.example:8443', ...headers } }));
  return (await raw.response()).status;
}

describe.each(places)('a page that comes over TLS to %s', (_, knowsScheme, start) => {
  const others = knowsScheme ? 403 : 101;

  it.each<[OriginPolicy, string, number]>([
    ['auto', 'https://chat.example:8443', 101],
    ['auto', 'http://chat.example:8443', others],
    ['auto', 'foo://chat.example:8443', others],
    ['auto', 'https://evil.example', 403],
    ['same-origin', 'https://chat.example:8443', 101],
    ['same-origin', 'http://chat.example:8443', others],
    [['http://chat.example:8443'], 'http://chat.example:8443', 101],
    ['*', 'foo://chat.example:8443', 101],
  ])('with a cookie: origins %j, Origin %s: %i', async (origins, origin, expected) => {
    expect(await status(await start({ origins }), { Origin: origin, Cookie: 'session=1' })).toBe(expected);
  });

  it('is taken for one of this server only where Sec-Fetch-Site and Origin can both be true', async () => {
    const port = await start({});
    const sameOrigin = { Cookie: 'session=1', 'Sec-Fetch-Site': 'same-origin' };
    expect(await status(port, { ...sameOrigin, Origin: 'https://proxied.example' })).toBe(101);
    expect(await status(port, { ...sameOrigin, Origin: 'http://proxied.example' })).toBe(others);
    expect(await status(port, { ...sameOrigin, Origin: 'null' })).toBe(403);
  });

  it('is told to a predicate with what is known of TLS', async () => {
    const seen: OriginFacts[] = [];
    const port = await start({ origins: (_origin, info) => seen.push(info) > 0 });
    expect(await status(port, {})).toBe(101);
    expect(seen).toMatchObject([{ secure: knowsScheme, host: 'chat.example:8443' }]);
  });
});
