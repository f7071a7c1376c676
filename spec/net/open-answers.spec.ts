import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { fromEvent, type Unsubscribable } from 'rxjs';
import { accept, type ServeOptions, serve } from 'sluice';
import { followAnswers } from '../../src/net/open-answers.js';
import { endAfterEach } from '../support/end-after-each.js';
import { binary, text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { echo } from '../support/running-server.js';
import { type Carrier, type SharedHttp, sharedHttp } from '../support/shared-http.js';
import { serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** A server whose responses wait until they are let go, and a client that has asked for `paths` and, in the same packet, to upgrade. */
interface Pipelined {
  readonly http: SharedHttp;
  readonly raw: RawClient;
  readonly responses: ServerResponse[];
}

async function pipelined(
  begin: (http: SharedHttp) => Unsubscribable,
  { carrier = 'http', paths = ['/a'] }: { carrier?: Carrier; paths?: readonly string[] } = {},
): Promise<Pipelined> {
  const responses: ServerResponse[] = [];
  const hold: RequestListener = (_request, response) => void responses.push(response);
  const http = await sharedHttp(atEnd, hold, carrier);
  const subscription = begin(http);
  atEnd(() => subscription.unsubscribe());
  const raw = await http.dial();
  const first = wire('server', [text('first')]).toString('latin1');
  raw.write(paths.map(get).join('') + handshake({ path: '/ws' }) + first);
  await until(() => responses.length === paths.length);
  // The upgrade came in the same packet: what is to be done at once is done by now.
  await new Promise((resolve) => setImmediate(resolve));
  return { http, raw, responses };
}

const shared =
  (options: ServeOptions = {}) =>
  ({ server }: SharedHttp): Unsubscribable =>
    serve({ server, ...options }).subscribe(echo);

const attachments: Readonly<Record<string, (http: SharedHttp) => Unsubscribable>> = {
  'serve on a shared server': shared(),
  'serve with a hook': shared({ verifyClient: async () => true }),
  accept: ({ server }) => fromEvent(server, 'upgrade').pipe(accept()).subscribe(echo),
  'handleUpgrade of a server without one': ({ server }) => {
    const ours = serve({ noServer: true });
    server.on('upgrade', (...upgrade: [IncomingMessage, Duplex, Buffer]) => ours.handleUpgrade(...upgrade));
    return ours.subscribe(echo);
  },
};

describe.each<[Carrier]>([['http'], ['https'], ['unix']])(
  'a handshake behind requests that are open, over %s',
  (carrier) => {
    it.each(Object.keys(attachments))('is answered behind their answers: %s', async (how) => {
      const { raw, responses } = await pipelined(attachments[how]!, { carrier, paths: ['/a', '/b'] });
      expect(raw.received.toString()).toBe('');
      responses[1]!.end('second');
      responses[0]!.writeHead(200, { 'Content-Length': 10 }).write('first');
      const begin = await raw.response();
      expect((await raw.bytes(5)).toString()).toBe('first');
      responses[0]!.end('whole');
      expect([begin.status, (await raw.bytes(5)).toString()]).toEqual([200, 'whole']);
      expect(await raw.body(await raw.response())).toBe('second');
      expect((await raw.response()).status).toBe(101);
      expect((await raw.frame()).payload.toString()).toBe('first');
      expect(raw.received).toHaveLength(0);
    });
  },
);

describe('a handshake behind a request that is open', () => {
  it.each<[string, number, (http: SharedHttp) => Unsubscribable]>([
    ['a path of no route', 404, shared({ path: '/other' })],
    ['a hook', 401, shared({ verifyClient: () => false })],
    [
      'a server that nobody subscribes to',
      503,
      ({ server }) => {
        const ours = serve({ noServer: true });
        server.on('upgrade', (...upgrade: [IncomingMessage, Duplex, Buffer]) => ours.handleUpgrade(...upgrade));
        return { unsubscribe: () => {} };
      },
    ],
  ])('is refused behind the answer, by %s', async (_, status, begin) => {
    const { http, raw, responses } = await pipelined(begin);
    expect(raw.received.toString()).toBe('');
    responses[0]!.end('whole');
    expect(await raw.body(await raw.response())).toBe('whole');
    expect((await raw.response()).status).toBe(status);
    await raw.ended();
    raw.end();
    await http.gone();
  });

  it('is not answered where that answer ends the connection', async () => {
    const { http, raw, responses } = await pipelined(shared());
    responses[0]!.setHeader('Connection', 'close').end('last');
    expect(await raw.body(await raw.response())).toBe('last');
    await raw.ended();
    expect(raw.received).toHaveLength(0);
    raw.end();
    await http.gone();
  });

  it.each<[string, (raw: RawClient) => void]>([
    ['resets', (raw) => raw.reset()],
    ['leaves', (raw) => raw.socket.destroy()],
  ])('is forgotten when the peer %s', async (_, leave) => {
    const { http, raw } = await pipelined(shared());
    leave(raw);
    await http.gone();
  });

  it('is forgotten when the application destroys its response', async () => {
    const { http, responses } = await pipelined(shared(), { paths: ['/a', '/b'] });
    responses[0]!.destroy();
    await http.gone();
  });

  it('ends with it where the peer has sent FIN, also behind frames that came too early', async () => {
    const { http, raw } = await pipelined(shared());
    await raw.send(wire('server', [text('early')]));
    raw.end();
    await http.gone();
  });

  it('is answered where the peer writes on, with no more read than is bounded', async () => {
    const { raw, responses } = await pipelined(shared({ maxPayload: 4_000_000 }));
    const socket = responses[0]!.socket!;
    raw.write(wire('server', [binary(Buffer.alloc(3_000_000))]));
    await until(() => socket.isPaused());
    expect(socket.bytesRead).toBeLessThan(4 * 65_536);
    responses[0]!.end('whole');
    expect(await raw.body(await raw.response())).toBe('whole');
    expect((await raw.response()).status).toBe(101);
    await raw.frame();
    expect((await raw.frame()).payload).toHaveLength(3_000_000);
  });

  it('is answered behind a 417 of Node as well', async () => {
    const http = await sharedHttp(atEnd, (_request, response) => void setImmediate(() => response.end('a')));
    const subscription = shared()(http);
    atEnd(() => subscription.unsubscribe());
    const raw = await http.dial();
    raw.write(`${get('/a')}GET /b HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n${handshake()}`);
    expect(await raw.body(await raw.response())).toBe('a');
    const second = await raw.response();
    expect(second.status).toBe(417);
    await raw.bytes(second.headers.has('transfer-encoding') ? 5 : 0);
    expect((await raw.response()).status).toBe(101);
  });
});

describe.each([
  ['ws', {}, (port: number): Promise<RawClient> => RawClient.connect(port)],
  ['wss', serverPair, (port: number): Promise<RawClient> => RawClient.connectTls(port)],
] as const)('a handshake behind plain requests to a server of its own, over %s', (_, tls, dial) => {
  it('is not answered: the 426 ends the connection', async () => {
    const server = serve({ port: 0, host: '127.0.0.1', ...tls });
    const emitted: unknown[] = [];
    const subscription = server.subscribe((connection) => emitted.push(connection));
    atEnd(() => subscription.unsubscribe());
    await until(() => server.address() !== null);
    const raw = await dial((server.address() as AddressInfo).port);
    atEnd(() => raw.close());
    raw.write(`GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n${get('/')}${handshake()}`);
    const first = await raw.response();
    expect(first.status).toBe(417);
    await raw.bytes(first.headers.has('transfer-encoding') ? 5 : 0);
    const second = await raw.response();
    expect(second.status).toBe(426);
    await raw.ended();
    expect(raw.received.toString()).not.toContain('101');
    expect(emitted).toEqual([]);
  });
});

describe('following the answers', () => {
  it('ends once, with the last that follows', async () => {
    const first = followAnswers();
    const second = followAnswers();
    first();
    first();
    const { raw, responses } = await pipelined(({ server }) => {
      server.on('upgrade', (_request, socket) => socket.on('error', () => {}));
      return { unsubscribe: second };
    });
    second();
    responses[0]!.end('whole');
    expect(await raw.body(await raw.response())).toBe('whole');
  });
});
