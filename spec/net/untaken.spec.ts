import type { Duplex } from 'node:stream';
import { VirtualTimeScheduler } from 'rxjs';
import { serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, type RawClient } from '../support/raw-client.js';
import { type Carrier, type SharedHttp, sharedHttp } from '../support/shared-http.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const TIMEOUT = 5_000;
const upgrades = { websocket: {}, h2c: { headers: { Upgrade: 'h2c' } } } as const;
type Kind = keyof typeof upgrades;

interface Left extends SharedHttp {
  readonly scheduler: VirtualTimeScheduler;
  /** The sockets that the other listener has seen. */
  readonly seen: Duplex[];
}

/** A server with a route for `/ours`, and with another listener that gets each socket that is left to it. */
async function left(other: (socket: Duplex) => void = () => {}, carrier: Carrier = 'http'): Promise<Left> {
  const http = await sharedHttp(atEnd, undefined, carrier);
  const scheduler = new VirtualTimeScheduler(undefined, TIMEOUT - 1);
  const subscription = serve({ server: http.server, path: '/ours', scheduler, handshakeTimeout: TIMEOUT }).subscribe();
  atEnd(() => subscription.unsubscribe());
  const seen: Duplex[] = [];
  http.server.on('upgrade', ({ url }, socket) => {
    if (url === '/ours') return;
    seen.push(socket);
    other(socket);
  });
  return { ...http, scheduler, seen };
}

/** Lets `handshakeTimeout` pass. */
function pass({ scheduler }: Left): void {
  scheduler.maxFrames = TIMEOUT;
  scheduler.flush();
}

async function askLeft(http: Left, kind: Kind = 'websocket'): Promise<RawClient> {
  const raw = await http.ask({ path: '/nope', ...upgrades[kind] });
  await until(() => http.seen.length > 0);
  return raw;
}

describe.each<[Carrier]>([['http'], ['https'], ['unix']])('a socket that no listener takes, over %s', (carrier) => {
  it.each<[Kind]>([['websocket'], ['h2c']])('may be reset: %s', async (kind) => {
    const http = await left(undefined, carrier);
    const raw = await askLeft(http, kind);
    if (carrier === 'http') raw.reset();
    else await raw.close();
    await http.gone();
    pass(http);
  });

  it.each<[Kind, number]>([
    ['websocket', 404],
    ['h2c', 501],
  ])('is answered when handshakeTimeout is over, and not before: %s', async (kind, status) => {
    const http = await left(undefined, carrier);
    const raw = await askLeft(http, kind);
    http.scheduler.flush();
    expect(http.seen[0]!.writableEnded).toBe(false);
    pass(http);
    expect((await raw.response()).status).toBe(status);
    await raw.ended();
    raw.end();
    await http.gone();
  });

  it('is ended at the FIN of its peer', async () => {
    const http = await left(undefined, carrier);
    const raw = await askLeft(http);
    raw.end();
    await raw.ended();
    await http.gone();
  });
});

describe('a socket that another listener takes', () => {
  const takes: Readonly<Record<string, (socket: Duplex) => void>> = {
    'by writing': (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    'by reading': (socket) => socket.on('data', () => {}),
    'by reading in paused mode': (socket) => socket.on('readable', () => {}),
    'by pausing it, to decide later': (socket) => socket.pause(),
    'by resuming it': (socket) => socket.resume(),
  };

  it.each(Object.keys(takes))('%s, is not touched again', async (how) => {
    const http = await left(takes[how]);
    const raw = await askLeft(http);
    pass(http);
    const [socket] = http.seen as [Duplex];
    expect(socket).toMatchObject({ destroyed: false, writableEnded: false });
    socket.write('HTTP/1.1 299 Theirs\r\n\r\n');
    const statuses = [(await raw.response()).status];
    if (statuses[0] === 101) statuses.push((await raw.response()).status);
    expect(statuses.at(-1)).toBe(299);
  });

  it('is not touched at the FIN of its peer either', async () => {
    const http = await left((socket) => socket.resume());
    const raw = await askLeft(http);
    const [socket] = http.seen as [Duplex];
    raw.end();
    await until(() => socket.readableEnded);
    pass(http);
    socket.end('HTTP/1.1 299 Theirs\r\n\r\n');
    expect((await raw.response()).status).toBe(299);
  });

  it('is left alone where it is taken before handshakeTimeout is over', async () => {
    const http = await left();
    const raw = await askLeft(http);
    http.scheduler.flush();
    http.seen[0]!.write('HTTP/1.1 299 Theirs\r\n\r\n');
    pass(http);
    expect((await raw.response()).status).toBe(299);
    expect(http.seen[0]!.writableEnded).toBe(false);
  });

  it('is left alone where that listener came first', async () => {
    const http = await left();
    http.server.prependListener('upgrade', (_request, socket) => {
      socket.on('data', () => {}).write('HTTP/1.1 299 Theirs\r\n\r\n');
    });
    const raw = await askLeft(http);
    pass(http);
    expect((await raw.response()).status).toBe(299);
    expect(http.seen[0]!.writableEnded).toBe(false);
  });

  it('is not taken by listening to what happens to it', async () => {
    const http = await left((socket) => socket.on('error', () => {}).on('close', () => {}));
    const raw = await askLeft(http);
    pass(http);
    expect((await raw.response()).status).toBe(404);
  });
});

describe('a socket on which an earlier request is not answered yet', () => {
  interface Waiting extends Left {
    readonly raw: RawClient;
    answer(): void;
  }

  async function waiting(other?: (socket: Duplex) => void): Promise<Waiting> {
    const http = await left(other);
    let answer = (): void => {};
    http.server.removeAllListeners('request').on('request', (_request, response) => {
      answer = () => response.end('body');
    });
    const raw = await http.dial();
    raw.write(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${handshake({ path: '/nope' })}`);
    await until(() => http.seen.length > 0);
    return { ...http, raw, answer: () => answer() };
  }

  it('is looked after once that is done', async () => {
    const http = await waiting();
    pass(http);
    await new Promise((resolve) => setImmediate(resolve));
    expect(http.raw.received).toHaveLength(0);
    http.answer();
    const response = await http.raw.response();
    expect([response.status, await http.raw.body(response)]).toEqual([200, 'body']);
    http.scheduler.maxFrames = 2 * TIMEOUT;
    await until(() => {
      http.scheduler.flush();
      return http.raw.received.length > 0;
    });
    expect((await http.raw.response()).status).toBe(404);
  });

  it.each<[string, (raw: RawClient) => void]>([
    ['resets', (raw) => raw.reset()],
    ['ends', (raw) => raw.end()],
  ])('is gone when its peer %s', async (_, leave) => {
    const http = await waiting();
    leave(http.raw);
    await http.gone();
  });

  it('is left to the listener that reads it, at the FIN of its peer too', async () => {
    const http = await waiting((socket) => socket.resume());
    http.raw.end();
    await until(() => http.seen[0]!.readableEnded);
    http.answer();
    const response = await http.raw.response();
    expect([response.status, await http.raw.body(response)]).toEqual([200, 'body']);
    pass(http);
    expect(http.seen[0]!.writableEnded).toBe(false);
  });
});
