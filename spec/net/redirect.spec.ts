import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { type ConnectOptions, connect } from 'sluice';
import { connectSettings } from '../../src/client/connect-options.js';
import type { DialRequest } from '../../src/net/client-request.js';
import { nextHop } from '../../src/net/redirect.js';
import { recordDial } from '../support/dial-record.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawServer, rawServer } from '../support/raw-server.js';
import { ca, clientPair, serverPair } from '../support/tls.js';

guardProcess();
afterEach(closeRawServers);

const follow: ConnectOptions = { followRedirects: true };

/** A server that redirects everything to `location`. */
function redirecting(location: () => string, status = '302 Found'): Promise<RawServer> {
  return rawServer(async (peer) => {
    await peer.request();
    peer.socket.write(`HTTP/1.1 ${status}\r\nLocation: ${location()}\r\nContent-Length: 0\r\n\r\n`);
  });
}

const accepting = (): Promise<RawServer> => rawServer(async (peer) => void (await peer.accept()));

describe('following redirects', () => {
  it.each(['301 Moved Permanently', '302 Found', '303 See Other', '307 Temporary Redirect', '308 Permanent Redirect'])(
    'happens for %s, and frees the first socket',
    async (status) => {
      const last = await accepting();
      const first = await redirecting(() => `${last.url}/new?a=b`, status);
      const dial = recordDial(connect(`${first.url}/old`, follow));
      expect((await dial.opened).url).toBe(`${last.url}/new?a=b`);
      expect(last.peers[0]?.head?.line).toBe('GET /new?a=b HTTP/1.1');
      expect(last.peers[0]?.head?.headers.get('host')).toBe(`127.0.0.1:${last.port}`);
      await first.peers[0]?.ended;
      dial.subscription.unsubscribe();
    },
  );

  it('does not happen unless it is asked for', async () => {
    const last = await accepting();
    const first = await redirecting(() => last.url);
    expect(await recordDial(connect(first.url)).failure).toMatchObject({
      code: 'UNEXPECTED_STATUS',
      status: 302,
      headers: { location: last.url },
    });
    expect(last.peers).toHaveLength(0);
  });

  it('does not happen for 300 and 304', async () => {
    const last = await accepting();
    for (const status of ['300 Multiple Choices', '304 Not Modified']) {
      const first = await redirecting(() => last.url, status);
      expect(await recordDial(connect(first.url, follow)).failure).toMatchObject({ code: 'UNEXPECTED_STATUS' });
    }
    expect(last.peers).toHaveLength(0);
  });

  it('uses a fresh key for each request', async () => {
    const keys = new Set<string | undefined>();
    const server = await rawServer(async (peer, index) => {
      if (index === 3) keys.add((await peer.accept()).headers.get('sec-websocket-key'));
      else {
        keys.add((await peer.request()).headers.get('sec-websocket-key'));
        peer.socket.end(`HTTP/1.1 302 Found\r\nLocation: /${index}\r\n\r\n`);
      }
    });
    const dial = recordDial(connect(server.url, follow));
    expect((await dial.opened).url).toBe(`${server.url}/2`);
    expect(keys.size).toBe(4);
    dial.subscription.unsubscribe();
  });

  const credentials = { authorization: 'Basic YTpi', cookie: 'a=b', 'proxy-authorization': 'Basic Yzpk' };

  it('takes credentials along on the same host', async () => {
    const server = await rawServer(async (peer, index) => {
      if (index === 1) await peer.accept();
      else {
        await peer.request();
        peer.socket.end('HTTP/1.1 302 Found\r\nLocation: /in\r\n\r\n');
      }
    });
    const dial = recordDial(connect(server.url, { ...follow, headers: { ...credentials, 'x-other': '1' } }));
    await dial.opened;
    expect(Object.fromEntries(server.peers[1]!.head!.headers)).toMatchObject({ ...credentials, 'x-other': '1' });
    dial.subscription.unsubscribe();
  });

  it('leaves credentials behind when the host changes, and the Host header too', async () => {
    const last = await accepting();
    const first = await redirecting(() => last.url);
    const headers = { ...credentials, Authorization: 'Bearer t', 'X-Other': '1' };
    const { authorization: _lower, ...mixed } = headers;
    const dial = recordDial(
      connect(first.url, { ...follow, headers: mixed, host: 'first.example', origin: 'http://o' }),
    );
    await dial.opened;
    const before = Object.fromEntries(first.peers[0]!.head!.headers);
    expect(before).toMatchObject({ host: 'first.example', authorization: 'Bearer t', cookie: 'a=b' });
    const after = Object.fromEntries(last.peers[0]!.head!.headers);
    expect(after).toMatchObject({ host: `127.0.0.1:${last.port}`, origin: 'http://o' });
    expect(Object.keys(after).filter((name) => name in credentials || name === 'x-other')).toEqual([]);
    dial.subscription.unsubscribe();
  });

  it('leaves the user and password of the URL behind when the host changes', async () => {
    const last = await accepting();
    const first = await redirecting(() => last.url);
    const dial = recordDial(connect(first.url.replace('//', '//user:word@'), follow));
    await dial.opened;
    expect(first.peers[0]?.head?.headers.get('authorization')).toBe('Basic dXNlcjp3b3Jk');
    expect(last.peers[0]?.head?.headers.has('authorization')).toBe(false);
    dial.subscription.unsubscribe();
  });

  it('may go from ws: to wss:, and never back', async () => {
    const secure = await rawServer(async (peer) => void (await peer.accept()), { tls: serverPair });
    const up = await redirecting(() => secure.url);
    const dial = recordDial(connect(up.url, { ...follow, ca }));
    expect((await dial.opened).url).toBe(`${secure.url}/`);
    dial.subscription.unsubscribe();

    const plain = await accepting();
    const down = await rawServer(
      async (peer) => {
        await peer.request();
        peer.socket.end(`HTTP/1.1 302 Found\r\nLocation: ${plain.url.replace('ws:', 'http:')}\r\n\r\n`);
      },
      { tls: serverPair },
    );
    const error = await recordDial(connect(down.url, { ...follow, ca })).failure;
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'REDIRECT_INVALID', status: 302, uptime: 0 });
    expect(plain.peers).toHaveLength(0);
  });

  it('ends after maxRedirects', async () => {
    const server: RawServer = await redirecting(() => server.url);
    const error = await recordDial(connect(server.url, follow)).failure;
    expect(error).toMatchObject({ code: 'TOO_MANY_REDIRECTS', status: 302, uptime: 0 });
    expect(server.peers).toHaveLength(11);
    await recordDial(connect(server.url, { ...follow, maxRedirects: 2 })).failure;
    expect(server.peers).toHaveLength(14);
    await Promise.all(server.peers.map((peer) => peer.ended));
  });

  it.each([
    ['another scheme', 'ftp://127.0.0.1/'],
    ['no host', 'http://'],
    ['a fragment', '/a#b'],
    ['a Unix domain socket', 'ws+unix:/run/docker.sock:/'],
    ['port 0', 'ws://127.0.0.1:0/'],
    ['nothing', ''],
  ])('fails with a Location of %s', async (_what, location) => {
    const server = await rawServer(async (peer, index) => {
      await peer.request();
      // Nothing as a Location is the same URL again.
      const response =
        index === 0 ? `HTTP/1.1 302 Found\r\nLocation: ${location}\r\n\r\n` : 'HTTP/1.1 302 Found\r\n\r\n';
      peer.socket.end(Buffer.from(response, 'latin1'));
    });
    const error = await recordDial(connect(server.url, follow)).failure;
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'REDIRECT_INVALID', status: 302, uptime: 0 });
    await server.peers[0]?.ended;
  });

  it('shows the last response to verifyResponse, not the redirects', async () => {
    const last = await accepting();
    const first = await redirecting(() => last.url);
    const statuses: unknown[] = [];
    const verifyResponse: ConnectOptions['verifyResponse'] = ({ statusCode }) => statuses.push(statusCode) > 0;
    const dial = recordDial(connect(first.url, { ...follow, verifyResponse }));
    await dial.opened;
    expect(statuses).toEqual([101]);
    dial.subscription.unsubscribe();
  });
});

describe('a client certificate', () => {
  /** A server, and whom its peers said to be, in order. */
  interface Asking extends RawServer {
    readonly names: readonly unknown[];
  }

  /** @param location where the request with this index is sent; the last one is accepted. */
  async function asking(...locations: readonly (() => string)[]): Promise<Asking> {
    const names: unknown[] = [];
    const server = await rawServer(
      async (peer, index) => {
        names.push((peer.socket as TLSSocket).getPeerCertificate().subject?.CN);
        const location = locations[index];
        if (location === undefined) await peer.accept();
        else {
          await peer.request();
          peer.socket.write(`HTTP/1.1 302 Found\r\nLocation: ${location()}\r\nContent-Length: 0\r\n\r\n`);
        }
      },
      { tls: { ...serverPair, ca, requestCert: true, rejectUnauthorized: false } },
    );
    return Object.assign(server, { names });
  }

  const holders: [string, () => ConnectOptions][] = [
    ['cert and key', () => clientPair],
    ['a secureContext', () => ({ secureContext: createSecureContext({ ...clientPair, ca }) })],
    ['an agent', () => ({ agent: new Agent(clientPair) })],
    ['an agent that keeps its sockets', () => ({ agent: new Agent({ ...clientPair, keepAlive: true }) })],
  ];

  it.each(holders)('goes to the first server and not to the second, by %s', async (_what, holder) => {
    const last = await asking();
    const first = await asking(() => `${last.url}/`);
    const dial = recordDial(connect(first.url, ['chat'], { ...follow, ca, ...holder() }));
    await dial.opened;
    expect([first.names, last.names]).toEqual([['sluice test client'], [undefined]]);
    // A token in a subprotocol does go along: it is part of what is asked for.
    expect(last.peers[0]?.head?.headers.get('sec-websocket-protocol')).toBe('chat');
    dial.subscription.unsubscribe();
  });

  it.each(holders)('goes to the same server again, by %s', async (_what, holder) => {
    const server = await asking(() => '/in');
    const dial = recordDial(connect(server.url, { ...follow, ca, ...holder() }));
    await dial.opened;
    expect(server.names).toEqual(['sluice test client', 'sluice test client']);
    dial.subscription.unsubscribe();
  });

  it('does not come back on the way back, nor does a field', async () => {
    const first: Asking = await asking(() => second.url);
    const second = await asking(() => first.url);
    const headers = { 'X-Api-Key': 'k', 'User-Agent': 'me' };
    const dial = recordDial(connect(first.url, { ...follow, ca, ...clientPair, headers }));
    await dial.opened;
    expect([first.names, second.names]).toEqual([['sluice test client', undefined], [undefined]]);
    const fields = [...first.peers, ...second.peers].map(({ head }) =>
      ['x-api-key', 'user-agent'].map((name) => head?.headers.get(name)),
    );
    expect(fields).toEqual([
      ['k', 'me'],
      [undefined, 'me'],
      [undefined, 'me'],
    ]);
    dial.subscription.unsubscribe();
  });

  it('does not go along with the name of the first server', async () => {
    const last = await asking();
    const first = await asking(() => last.url);
    const checked: unknown[] = [];
    const checkServerIdentity: ConnectOptions['checkServerIdentity'] = (host) => void checked.push(host);
    const dial = recordDial(connect(first.url, { ...follow, ca, servername: 'localhost', checkServerIdentity }));
    await dial.opened;
    // The second is checked too, and under its own name.
    expect(checked).toEqual(['localhost', '127.0.0.1']);
    expect((last.peers[0] as { socket: { servername?: unknown } }).socket.servername).toBe(false);
    dial.subscription.unsubscribe();
  });

  it('is missing at a second server that needs one: the dial fails', async () => {
    const last = await rawServer(async (peer) => void (await peer.closed), {
      tls: { ...serverPair, ca, requestCert: true, rejectUnauthorized: true },
    });
    const first = await asking(() => last.url);
    const error = await recordDial(connect(first.url, { ...follow, ca, ...clientPair })).failure;
    expect(error.code).toMatch(/^(?:ERR_SSL_\w+|ECONNRESET|EPIPE)$/);
    expect(last.peers).toHaveLength(0);
  });
});

describe('the next request', () => {
  const from = (url: string): DialRequest => ({ ...connectSettings(url, [], follow), redirects: 0 });
  const to = (location: string | undefined): IncomingMessage =>
    ({ statusCode: 302, headers: { location }, rawHeaders: [] }) as unknown as IncomingMessage;

  it.each([
    ['ws://a.example/x/y', 'z', 'ws://a.example/x/z'],
    ['ws://a.example/x/y?q', '?r', 'ws://a.example/x/y?r'],
    ['ws://a.example/x', '//b.example/y', 'ws://b.example/y'],
    ['ws://a.example/x', 'https://a.example/', 'wss://a.example/'],
    ['wss://a.example/x', '/y', 'wss://a.example/y'],
  ])('from %s by %s goes to %s', (url, location, href) => {
    expect(nextHop(from(url), to(location)).target.href).toBe(href);
  });

  it('counts', () => {
    const once = nextHop(from('ws://a.example'), to('/b'));
    expect(once.redirects).toBe(1);
    expect(nextHop(once, to('/c')).redirects).toBe(2);
  });

  it('does not get credentials back on the way back', () => {
    const options = {
      ...follow,
      headers: { Cookie: 'a=b', 'X-Api-Key': 'k', 'User-Agent': 'me' },
      cert: 'c',
      key: 'k',
    };
    const begin = { ...connectSettings('ws://u:p@a.example', [], options), redirects: 0 };
    const back = nextHop(nextHop(begin, to('//b.example/')), to('//a.example/'));
    expect({ headers: back.headers, network: back.network, authorization: back.target.authorization }).toEqual({
      headers: { 'user-agent': 'me' },
      network: {},
      authorization: undefined,
    });
  });

  const secrets = {
    cert: 'c',
    key: 'k',
    pfx: 'p',
    passphrase: 'w',
    secureContext: {} as never,
    servername: 'a.example',
    agent: new Agent({ keepAlive: true, cert: 'c' }),
  };
  const policies = {
    ca: 'a',
    ciphers: 'x',
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
    minVersion: 'TLSv1.3' as const,
    maxVersion: 'TLSv1.3' as const,
    localAddress: '127.0.0.1',
    family: 4 as const,
    lookup: (() => {}) as never,
  };
  const loaded = (url: string): DialRequest => ({
    ...connectSettings(url, ['token-1'], {
      ...follow,
      ...secrets,
      ...policies,
      host: 'virtual.example',
      origin: 'https://page.example',
      headers: { 'x-token': 't', 'ACCEPT-language': 'de', 'User-Agent': 'me', Accept: 'a' },
    }),
    redirects: 0,
  });

  it.each([
    ['another host', 'wss://a.example/', '//b.example/'],
    ['another port', 'wss://a.example/', '//a.example:8443/'],
    ['a port, from none', 'ws://a.example/', '//a.example:443/'],
    ['a subdomain', 'wss://a.example/', '//www.a.example/'],
    ['a parent domain', 'wss://www.a.example/', '//a.example/'],
    ['the same name with a dot at its end', 'wss://a.example/', '//a.example./'],
    ['the address of the same host', 'ws://localhost/', '//127.0.0.1/'],
    ['another address', 'ws://[::1]/', '//[::2]/'],
    ['another host by http:', 'ws://a.example/', 'http://b.example/'],
    ['another host by https:', 'ws://a.example/', 'https://b.example/'],
    ['another port with TLS', 'ws://a.example:8080/', 'wss://a.example/'],
    ['the network, from a Unix socket', 'ws+unix:/run/a.sock:/', 'ws://localhost/'],
  ])('is a stranger on %s', (_what, url, location) => {
    const next = nextHop(loaded(url), to(location));
    expect(next.headers).toEqual({ 'accept-language': 'de', 'user-agent': 'me' });
    expect(next.network).toEqual(policies);
    expect([next.origin, next.protocols]).toEqual(['https://page.example', ['token-1']]);
  });

  it.each([
    ['a path', 'wss://a.example/', '/in'],
    ['the name in other cases', 'wss://a.example/', 'WSS://A.EXAMPLE/in'],
    ['the port of the scheme', 'wss://a.example/', 'https://a.example:443/in'],
    ['http:', 'ws://a.example:8080/', 'http://a.example:8080/in'],
    ['TLS, each with the port of its scheme', 'ws://a.example/', 'https://a.example/in'],
    ['another form of the same address', 'ws://127.0.0.1/', 'ws://0x7f.1/in'],
    ['another form of the same IPv6 address', 'ws://[::1]/', 'ws://[0:0:0:0:0:0:0:1]/in'],
  ])('keeps everything on the same authority: %s', (_what, url, location) => {
    const begin = loaded(url);
    const next = nextHop(begin, to(location));
    expect(next.network).toEqual(begin.network);
    expect(next.headers).toMatchObject({ host: 'virtual.example', 'x-token': 't', accept: 'a' });
  });

  it('keeps the user and password of the URL on the same authority, whether or not the Location repeats them', () => {
    for (const location of ['/in', 'ws://a.example/in', 'wss://a.example/in', '//u:p@a.example/in']) {
      expect(nextHop(from('ws://u:p@a.example'), to(location)).target.authorization).toBe('Basic dTpw');
    }
  });

  it.each([
    ['ws://a.example', '//u:p@a.example/'],
    ['ws://a.example', '//u@b.example/'],
    ['ws://u:p@a.example', '//u:q@a.example/'],
    ['ws://u:p@a.example', '//u:p@b.example/'],
  ])('takes no user or password from a server: %s to %s (RFC 9110 §4.2.4)', (url, location) => {
    expect(() => nextHop(from(url), to(location))).toThrow(
      expect.objectContaining({
        code: 'REDIRECT_INVALID',
        message: expect.stringMatching(/must not contain a user or password/),
      }),
    );
  });

  class Tunnel extends HttpAgent {}
  const ways: [string, HttpAgent | undefined][] = [
    ['that is of a class of its own', new Tunnel()],
    ['that makes its sockets itself', Object.assign(new HttpAgent(), { createConnection: () => undefined })],
    ['that takes requests itself', { addRequest: () => {} } as never],
    ['that binds an address', new HttpAgent({ localAddress: '127.0.0.1' } as never)],
    ['that pins certificates', new Agent({ checkServerIdentity: () => undefined })],
    ['that trusts an authority of its own', new Agent({ ca: 'a' })],
  ];
  it.each(ways)(
    'is refused on another authority with an agent %s: it is neither taken along nor bypassed',
    (_what, agent) => {
      const begin = from('ws://a.example');
      const hop = { ...begin, network: { agent: agent as HttpAgent } };
      expect(() => nextHop(hop, to('//b.example/'))).toThrow(
        expect.objectContaining({ code: 'REDIRECT_INVALID', message: expect.stringMatching(/b\.example.*agent/) }),
      );
      expect(nextHop(hop, to('/in')).network).toEqual({ agent });
    },
  );

  it('needs a Location', () => {
    expect(() => nextHop(from('ws://a.example'), to(undefined))).toThrow(/must have a Location/);
  });
});
