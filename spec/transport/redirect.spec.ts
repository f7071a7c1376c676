import type { IncomingMessage } from 'node:http';
import { type ConnectOptions, connect } from 'sluice';
import { connectSettings } from '../../src/reactive/connect-options.js';
import type { DialRequest } from '../../src/transport/dial-request.js';
import { nextHop } from '../../src/transport/redirect.js';
import { recordDial } from '../support/dial-record.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawServer, rawServer } from '../support/raw-server.js';
import { ca, serverPair } from '../support/tls.js';

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
    expect(after).toMatchObject({ host: `127.0.0.1:${last.port}`, 'x-other': '1', origin: 'http://o' });
    expect(Object.keys(after).filter((name) => name in credentials)).toEqual([]);
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
    const begin = { ...from('ws://a.example'), headers: { Cookie: 'a=b', Accept: '*/*' } };
    const back = nextHop(nextHop(begin, to('//b.example/')), to('//a.example/'));
    expect(back.headers).toEqual({ accept: '*/*' });
  });

  it('needs a Location', () => {
    expect(() => nextHop(from('ws://a.example'), to(undefined))).toThrow(/without a Location/);
  });
});
