import { firstValueFrom, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { type ClientInfo, type Connection, reject, type ServeOptions, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient, type RawResponse } from '../support/raw-client.js';
import { httpServer, rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();
const peers = rawPeers(atEnd);
/** What hooks must not return is printed: see fails-closed.spec.ts. */
jest.spyOn(console, 'error').mockImplementation(() => {});

interface Asked {
  readonly raw: RawClient;
  readonly response: RawResponse;
  readonly connections: readonly Connection<unknown, unknown>[];
}

type Headers = Readonly<Record<string, string>>;

/** Starts a server with `options`, and sends it a handshake with `headers`. */
async function begin(options: ServeOptions<unknown>, headers: Headers = {}): Promise<Omit<Asked, 'response'>> {
  const server = await run(serve({ port: 0, host: '127.0.0.1', ...options }));
  atEnd(() => server.subscription.unsubscribe());
  const raw = await peers.ask(server.port, { path: '/path?query', headers });
  return { raw, connections: server.connections };
}

async function ask(options: ServeOptions<unknown>, headers: Headers = {}): Promise<Asked> {
  const begun = await begin(options, headers);
  return { ...begun, response: await begun.raw.response() };
}

async function status(options: ServeOptions<unknown>, headers: Headers = {}): Promise<number> {
  return (await ask(options, headers)).response.status;
}

function thrower(): never {
  throw new Error('secret');
}

describe('verifyClient', () => {
  it.each<[string, number, ServeOptions['verifyClient']]>([
    ['true', 101, () => true],
    ['a Promise of true', 101, () => Promise.resolve(true)],
    ['an Observable of true', 101, () => of(true)],
    ['an Observable of true, then false', 101, () => of(true, false)],
    ['an Observable that stays open', 101, () => new Observable((subscriber) => subscriber.next(true))],
    ['false', 401, () => false],
    ['a Promise of false', 401, async () => false],
    ['an Observable of false', 401, () => of(false)],
    ['reject(429)', 429, () => reject(429)],
    ['a Promise of reject(403)', 403, async () => reject(403)],
    ['an Observable of reject(503)', 503, () => of(reject(503))],
    ['an exception', 500, thrower],
    [
      'a thrown reject(402)',
      402,
      () => {
        throw reject(402);
      },
    ],
    ['a Promise that rejects', 500, () => Promise.reject(new Error('secret'))],
    ['a Promise that rejects with nothing', 500, () => Promise.reject(undefined)],
    ['an Observable that errors', 500, () => throwError(() => new Error('secret'))],
    ['an Observable without a value', 500, () => of()],
    ['undefined', 500, () => undefined as unknown as boolean],
    ['a number', 500, () => 1 as unknown as boolean],
  ])('may give %s: %i', async (_, expected, verifyClient) => {
    const { response, raw, connections } = await ask({ verifyClient: verifyClient! });
    expect(response.status).toBe(expected);
    expect(connections).toHaveLength(expected === 101 ? 1 : 0);
    if (expected === 500) expect(await raw.body(response)).toBe('Internal Server Error');
    if (expected !== 101) await raw.ended();
  });

  it('is told what the client asks for', async () => {
    const infos: ClientInfo[] = [];
    await ask(
      { verifyClient: (info) => infos.push(info) > 0 },
      {
        Origin: 'http://127.0.0.1',
        'Sec-WebSocket-Protocol': 'b, a',
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits, x; y="1"',
      },
    );
    const [info] = infos;
    expect(info).toMatchObject({
      origin: 'http://127.0.0.1',
      secure: false,
      protocols: ['b', 'a'],
      remoteAddress: '127.0.0.1',
    });
    expect(info?.extensions).toEqual({ 'permessage-deflate': [{ client_max_window_bits: true }], x: [{ y: 1 }] });
    expect(info?.request.url).toBe('/path?query');
  });
});

describe('a rejection', () => {
  it('is answered with exactly its status, fields and body, and the end of the connection', async () => {
    const rejection = reject(429, 'Slow Down', { 'Retry-After': '7', 'Set-Cookie': ['a=1', 'b=2'] }, 'wait ü');
    const { response, raw } = await ask({ verifyClient: () => rejection });
    expect([response.status, response.reason]).toEqual([429, 'Slow Down']);
    expect(Object.fromEntries(response.headers)).toEqual({
      connection: ['close'],
      'retry-after': ['7'],
      'set-cookie': ['a=1', 'b=2'],
      'content-type': ['text/plain; charset=utf-8'],
      'content-length': ['7'],
    });
    expect(await raw.body(response)).toBe('wait ü');
    expect(await raw.ended()).toBe('end');
    raw.reset();
  });

  it.each<[string, () => ReturnType<typeof reject>]>([
    ['the reason', () => reject(400, 'a\r\nX-Injected: 1')],
    ['a field', () => reject(400, 'a', { A: 'b\r\nX-Injected: 1' })],
    ['the name of a field', () => reject(400, 'a', { 'A\r\nX-Injected': '1' })],
  ])('with a line end in %s is a 500, and injects nothing', async (_, verdict) => {
    const { response } = await ask({ verifyClient: verdict });
    expect([response.status, response.headers.has('x-injected')]).toEqual([500, false]);
  });
});

describe('authenticate', () => {
  const user = { id: 7 };

  it.each<[string, NonNullable<ServeOptions<unknown>['authenticate']>]>([
    ['a value', () => user],
    ['a Promise', async () => user],
    ['an Observable', () => of(user, { id: 8 })],
  ])('gives conn.data as %s', async (_, authenticate) => {
    const { response, connections } = await ask({ authenticate });
    expect([response.status, connections[0]?.data]).toEqual([101, user]);
  });

  it.each([0, '', true])('may give %p as conn.data', async (data) => {
    const { response, connections } = await ask({ authenticate: () => data });
    expect([response.status, connections[0]?.data]).toEqual([101, data]);
  });

  it.each<[string, number, NonNullable<ServeOptions<unknown>['authenticate']>]>([
    ['reject(401)', 401, () => reject(401)],
    ['a Promise of reject(403)', 403, async () => reject(403)],
    ['an Observable of reject(403)', 403, () => of(reject(403))],
    ['an exception', 500, thrower],
    ['a Promise that rejects', 500, () => Promise.reject(new Error('secret'))],
    ['an Observable that errors', 500, () => throwError(() => new Error('secret'))],
    ['an Observable without a value', 500, () => of()],
  ])('may refuse with %s: %i', async (_, expected, authenticate) => {
    expect(await status({ authenticate })).toBe(expected);
  });

  it('comes after verifyClient, and only if that agrees', async () => {
    const order: string[] = [];
    const record =
      <T>(name: string, answer: T): (() => T) =>
      () => {
        order.push(name);
        return answer;
      };
    const rest = { authenticate: record('authenticate', user), handleProtocols: record('handleProtocols', 'a') };
    const protocols = { 'Sec-WebSocket-Protocol': 'a' };
    await ask({ verifyClient: record('verifyClient', Promise.resolve(false)), ...rest }, protocols);
    expect(order.splice(0)).toEqual(['verifyClient']);
    await ask({ verifyClient: record('verifyClient', true), ...rest }, protocols);
    expect(order).toEqual(['verifyClient', 'authenticate', 'handleProtocols']);
  });

  it.each<[string, (raw: RawClient) => void]>([
    ['ends', (raw) => raw.end()],
    ['resets', (raw) => raw.reset()],
  ])('is aborted when the peer %s, and its late answer is ignored', async (_, leave) => {
    const signals = new Subject<AbortSignal>();
    const signalled = firstValueFrom(signals);
    const answer = new Subject<unknown>();
    const { raw, connections } = await begin({
      authenticate: (__, { signal }) => {
        signals.next(signal);
        return answer;
      },
    });
    const signal = await signalled;
    expect(signal.aborted).toBe(false);
    leave(raw);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(answer.observed).toBe(false);
    answer.next(user);
    expect(connections).toEqual([]);
  });

  it('is aborted after handshakeTimeout with 503, and its late answer is ignored', async () => {
    let settle: (data: unknown) => void = () => {};
    let isAborted = false;
    const { response, raw, connections } = await ask({
      handshakeTimeout: 50,
      authenticate: (_, { signal }) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
        });
        return new Promise((resolve) => {
          settle = resolve;
        });
      },
    });
    expect([response.status, isAborted]).toEqual([503, true]);
    settle(user);
    expect(await raw.ended()).toBe('end');
    expect(connections).toEqual([]);
  });

  it('is not aborted once it has answered', async () => {
    const signals: AbortSignal[] = [];
    const { raw, connections } = await ask({
      authenticate: (_, { signal }) => {
        signals.push(signal);
        return of(user);
      },
    });
    await raw.close();
    await firstValueFrom(connections[0]!.close$);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
  });

  it('keeps the frames that come while it decides', async () => {
    const answer = new Subject<unknown>();
    const { raw, connections } = await begin({ authenticate: () => answer });
    await raw.send(Buffer.from('818100000000618181000000006281', 'hex'));
    while (!answer.observed) await new Promise((resolve) => setImmediate(resolve));
    answer.next(user);
    expect((await raw.response()).status).toBe(101);
    const messages: unknown[] = [];
    const subscription = connections[0]!.messages$.subscribe((message) => messages.push(message));
    await raw.send(Buffer.from('810000000063', 'hex'));
    while (messages.length < 3) await new Promise((resolve) => setImmediate(resolve));
    subscription.unsubscribe();
    expect(messages).toEqual(['a', 'b', 'c']);
  });
});

describe('handleProtocols', () => {
  const headers = { 'Sec-WebSocket-Protocol': 'chat, __proto__, v2' };

  it.each<[string, NonNullable<ServeOptions['handleProtocols']>]>([
    ['a name', () => 'v2'],
    ['a Promise', async () => 'v2'],
    ['an Observable', () => of('v2')],
  ])('chooses one of the offers by %s', async (_, handleProtocols) => {
    const { response, connections } = await ask({ handleProtocols }, headers);
    expect(response.headers.get('sec-websocket-protocol')).toEqual(['v2']);
    expect(connections[0]?.protocol).toBe('v2');
  });

  it('gets the offers in the order of the client, in a copy', async () => {
    const offers: string[][] = [];
    const handleProtocols = (protocols: string[]): undefined => {
      offers.push(protocols.splice(0));
    };
    const { response, connections } = await ask({ handleProtocols }, headers);
    expect(offers).toEqual([['chat', '__proto__', 'v2']]);
    expect(response.headers.has('sec-websocket-protocol')).toBe(false);
    expect(connections[0]?.protocol).toBe('');
  });

  it('chooses __proto__ where that is meant', async () => {
    const { response } = await ask({ handleProtocols: () => '__proto__' }, headers);
    expect(response.headers.get('sec-websocket-protocol')).toEqual(['__proto__']);
  });

  it('is not asked when nothing is offered', async () => {
    expect(await status({ handleProtocols: thrower })).toBe(101);
  });

  it.each<[string, number, NonNullable<ServeOptions['handleProtocols']>]>([
    ['false', 401, () => false],
    ['one that was not offered', 500, () => 'other'],
    ['one of another case', 500, () => 'CHAT'],
    ['one with a line end', 500, () => 'chat\r\nX-Injected: 1'],
    ['nothing but the empty name', 500, () => ''],
    ['a list', 500, () => ['chat'] as unknown as string],
    ['an exception', 500, thrower],
    ['a Promise that rejects', 500, () => Promise.reject(new Error('secret'))],
    ['an Observable without a value', 500, () => of()],
  ])('may give %s: %i', async (_, expected, handleProtocols) => {
    const { response } = await ask({ handleProtocols }, headers);
    expect([response.status, response.headers.has('x-injected')]).toEqual([expected, false]);
  });
});

describe('origins (RFC 6455 §10.2)', () => {
  const elsewhere = { Origin: 'https://evil.example' };
  const local = { Origin: 'http://localhost:3000' };

  it.each<[string, number, ServeOptions['origins'], Headers]>([
    ['no Origin', 101, 'auto', { Cookie: 'a=1' }],
    ['the same origin with a cookie', 101, 'auto', { Origin: 'http://127.0.0.1', Cookie: 'a=1' }],
    ['a page elsewhere to a loopback address', 403, 'auto', elsewhere],
    ['a page of this machine without credentials', 101, 'auto', local],
    ['a page of this machine with a cookie', 403, 'auto', { ...local, Cookie: 'a=1' }],
    ['a page of this machine with Authorization', 403, 'auto', { ...local, Authorization: 'Basic eA==' }],
    ['Sec-Fetch-Site: same-origin', 101, 'auto', { ...elsewhere, Cookie: 'a=1', 'Sec-Fetch-Site': 'same-origin' }],
    ['a page elsewhere', 101, '*', { ...elsewhere, Cookie: 'a=1' }],
    ['a page elsewhere', 403, 'same-origin', elsewhere],
    ['an opaque origin', 403, 'same-origin', { Origin: 'null' }],
    ['the same origin', 101, 'same-origin', { Origin: 'https://127.0.0.1', Host: '127.0.0.1' }],
    ['one of the list', 101, ['https://evil.example'], { ...elsewhere, Cookie: 'a=1' }],
    ['none of the list', 403, ['https://good.example'], elsewhere],
    ['what the RegExp matches', 101, /^https:\/\/evil\.example$/g, elsewhere],
    ['what the RegExp does not match', 403, /^https:\/\/good\.example$/, elsewhere],
    ['what the predicate wants', 101, (origin) => origin === elsewhere.Origin, elsewhere],
    ['what the predicate does not want', 403, () => false, elsewhere],
    ['what a predicate throws at', 500, thrower, elsewhere],
    ['what an async predicate wants', 500, (async () => true) as unknown as () => boolean, elsewhere],
    ['an unclosed IPv6 address', 403, 'auto', { Origin: 'http://[' }],
    ['no scheme', 403, 'auto', { Origin: '://' }],
    ['8 KB', 403, 'auto', { Origin: `http://${'a'.repeat(8_192)}` }],
    ['bytes beyond ASCII', 403, 'auto', { Origin: 'http://caf\xe9' }],
  ])('%s: %i with %p', async (_, expected, origins, headers) => {
    expect(await status({ origins: origins! }, headers)).toBe(expected);
  });

  it('says which origin, which host and which option', async () => {
    const { response, raw } = await ask({}, elsewhere);
    const body = await raw.body(response);
    expect(body).toContain('https://evil.example');
    expect(body).toContain('127.0.0.1');
    expect(body).toContain('origins');
  });

  it('come before all hooks', async () => {
    expect(await status({ verifyClient: thrower, authenticate: thrower }, elsewhere)).toBe(403);
  });
});

describe('a hook that never answers', () => {
  it.each<[string, ServeOptions<unknown>]>([
    ['verifyClient', { verifyClient: () => new Promise(() => {}) }],
    ['authenticate', { authenticate: () => NEVER }],
    ['handleProtocols', { handleProtocols: () => NEVER }],
  ])('is answered with 503: %s', async (_, hooks) => {
    expect(await status({ handshakeTimeout: 40, ...hooks }, { 'Sec-WebSocket-Protocol': 'a' })).toBe(503);
  });

  it('is answered with 503 on a server of others too, counted from the upgrade', async () => {
    const http = await httpServer(atEnd);
    const { port, subscription } = await run(serve({ server: http, handshakeTimeout: 40, authenticate: () => NEVER }));
    const raw = await RawClient.connect(port);
    raw.write(handshake());
    expect((await raw.response()).status).toBe(503);
    expect(await raw.ended()).toBe('end');
    await raw.close();
    subscription.unsubscribe();
  });
});
