/** Hooks that return what they must not: nobody comes in by it, the developer is told, and the process lives. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { runInNewContext } from 'node:vm';
import { NEVER, of, Subject } from 'rxjs';
import { type AcceptOptions, type Connection, reject, type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import type { RawClient } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

/** What was printed, a line each. */
let printed: string[] = [];
beforeEach(() => {
  printed = [];
  const spy = jest
    .spyOn(console, 'error')
    .mockImplementation((...parts: unknown[]) => void printed.push(parts.join(' ')));
  atEnd(() => spy.mockRestore());
});

type Authenticate = NonNullable<ServeOptions<unknown>['authenticate']>;

interface Running {
  readonly port: number;
  readonly connections: readonly Connection<unknown, unknown>[];
  readonly stop: () => void;
}

async function start(options: ServeOptions<unknown> | WebSocketServer<unknown>): Promise<Running> {
  const server = 'subscribe' in options ? options : serve({ port: 0, host: '127.0.0.1', ...options });
  const { port, connections, subscription } = await run(server);
  atEnd(() => subscription.unsubscribe());
  return { port, connections, stop: () => subscription.unsubscribe() };
}

const { ask } = rawPeers(atEnd);
const knock = ({ port }: { readonly port: number }): Promise<RawClient> =>
  ask(port, { headers: { Origin: 'http://127.0.0.1', 'Sec-WebSocket-Protocol': 'a' } });

/** The status that one client gets. */
async function status(to: { readonly port: number }): Promise<number> {
  return (await (await knock(to)).response()).status;
}

function errorsReported(): Error[] {
  const errors: Error[] = [];
  const note = (message: unknown): number => errors.push((message as { error: Error }).error);
  subscribe('sluice:server-error', note);
  atEnd(() => unsubscribe('sluice:server-error', note));
  return errors;
}

/** A function of an application that breaks the types. */
const untyped = <T>(hook: (...args: never[]) => unknown): T => hook as unknown as T;

const ways: [string, (value: unknown) => unknown][] = [
  ['at once', (value) => value],
  ['by a Promise', async (value) => value],
  ['by an Observable', (value) => of(value, { id: 7 })],
];

describe.each(ways)('authenticate that answers %s', (_, answer) => {
  it.each<[unknown, number]>([
    [undefined, 401],
    [null, 401],
    [false, 401],
    [new Error('secret'), 500],
    [new TypeError('secret'), 500],
    [runInNewContext('new Error("secret")'), 500],
  ])('refuses for %p: %i', async (value, expected) => {
    const server = await start({ authenticate: () => answer(value) });
    const raw = await knock(server);
    const response = await raw.response();
    expect(await raw.body(response)).not.toContain('secret');
    expect([response.status, server.connections]).toEqual([expected, []]);
    expect(await raw.ended()).toBe('end');
  });

  it.each([[''], [0], [true], [[]], [Number.NaN], [{ name: 'Ann', message: 'hello' }]])(
    'takes %p for data',
    async (value) => {
      const server = await start({ authenticate: () => answer(value) });
      expect(await status(server)).toBe(101);
      expect([server.connections[0]?.data, printed]).toEqual([value, []]);
    },
  );
});

describe('authenticate', () => {
  it.each<[string, Authenticate]>([
    ['an Observable within a Promise', async () => of({ id: 7 })],
    ['a Promise within an Observable', () => of(Promise.resolve({ id: 7 }))],
    ['a Promise within an Observable, that rejects', () => of(Promise.reject(new Error('secret')))],
    ['an Observable of another library within a Promise', async () => ({ '@@observable': () => of(1) })],
  ])('refuses for %s, which is no data', async (_, authenticate) => {
    const server = await start({ authenticate });
    expect([await status(server), server.connections]).toEqual([500, []]);
    expect(printed).toEqual([
      expect.stringMatching(/^authenticate returned an? (Promise|Observable): refused with 500; flatten it/),
    ]);
  });

  it('may answer by an Observable of another library', async () => {
    const foreign = (data: unknown): object => ({ '@@observable': () => of(data) });
    const server = await start({ authenticate: () => foreign({ id: 7 }) });
    expect([await status(server), server.connections[0]?.data]).toEqual([101, { id: 7 }]);
    expect(await status(await start({ authenticate: () => foreign(undefined) }))).toBe(401);
  });

  it.each<[unknown, string]>([
    [undefined, 'authenticate returned undefined: refused with 401; return a value, for example true'],
    [null, 'authenticate returned null: refused with 401; return a value, for example true'],
    [false, 'authenticate returned false: refused with 401; return a value, for example true'],
    [
      new RangeError('mine'),
      'authenticate returned an Error: refused with 500; throw it, or return reject(...) RangeError: mine',
    ],
  ])('says so once for each server, and to the diagnostics each time: %p', async (value, sentence) => {
    const errors = errorsReported();
    for (const _ of ['first', 'second']) {
      const server = await start({ authenticate: () => value });
      await status(server);
      await status(server);
    }
    expect(printed).toEqual([sentence, sentence]);
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(sentence).toContain(error.message);
    expect(errors[0]?.cause).toBe(value instanceof Error ? value : undefined);
  });

  it('says nothing where it refuses as it should', async () => {
    const server = await start({ authenticate: () => reject(401) });
    expect([await status(server), printed]).toEqual([401, []]);
  });
});

describe('the signal of authenticate', () => {
  /** Options with an authenticate that agrees at once, whatever comes after, and the signals that it was given. */
  function agreeing(rest: ServeOptions<unknown>): { options: ServeOptions<unknown>; signals: AbortSignal[] } {
    const signals: AbortSignal[] = [];
    const authenticate: Authenticate = (_, { signal }) => {
      signals.push(signal);
      return { id: 7 };
    };
    return { options: { ...rest, authenticate }, signals };
  }

  function thrower(): never {
    throw new Error('mine');
  }

  it.each<[string, number, ServeOptions<unknown>]>([
    ['handleProtocols refuses', 401, { handleProtocols: () => false }],
    ['handleProtocols throws', 500, { handleProtocols: thrower }],
    ['handleProtocols rejects', 500, { handleProtocols: () => Promise.reject(new Error('mine')) }],
    ['handleProtocols takes too long', 503, { handleProtocols: () => NEVER, handshakeTimeout: 40 }],
    ['the headers hook throws', 500, { headers: thrower }],
    ['the headers hook adds what is no line', 500, { headers: (lines) => void lines.push('nonsense') }],
    ['limitBy.dataKey throws', 500, { limitBy: { max: 1, dataKey: thrower } }],
  ])('aborts when %s', async (_, expected, rest) => {
    const { options, signals } = agreeing(rest);
    const server = await start(options);
    expect([await status(server), server.connections]).toEqual([expected, []]);
    await until(() => signals[0]?.aborted === true);
  });

  it.each<[string, Authenticate, number]>([
    ['returns nothing', () => undefined, 401],
    ['returns an Error', () => new Error('mine'), 500],
    ['returns a rejection', () => reject(403), 403],
    ['throws', thrower, 500],
  ])('aborts when the hook itself %s, for what it has begun', async (_, answer, expected) => {
    const signals: AbortSignal[] = [];
    const authenticate: Authenticate = (request, context) => {
      signals.push(context.signal);
      return answer(request, context);
    };
    expect(await status(await start({ authenticate }))).toBe(expected);
    await until(() => signals[0]?.aborted === true);
  });

  it('aborts when a limit by its result is reached, and not for those that are in', async () => {
    const { options, signals } = agreeing({ limitBy: { max: 1, dataKey: () => 'a' } });
    const server = await start(options);
    expect([await status(server), await status(server)]).toEqual([101, 429]);
    await until(() => signals[1]?.aborted === true);
    expect(signals[0]?.aborted).toBe(false);
  });

  it.each<[string, (raw: RawClient) => void]>([
    ['ends', (raw) => raw.end()],
    ['resets', (raw) => raw.reset()],
  ])('aborts when the peer %s after it has answered', async (_, leave) => {
    const { options, signals } = agreeing({ handleProtocols: () => NEVER });
    const raw = await knock(await start(options));
    await until(() => signals.length === 1);
    expect(signals[0]?.aborted).toBe(false);
    leave(raw);
    await until(() => signals[0]?.aborted === true);
  });

  it('aborts when the server stops after it has answered', async () => {
    const { options, signals } = agreeing({ handleProtocols: () => NEVER });
    const server = await start(options);
    const raw = await knock(server);
    await until(() => signals.length === 1);
    server.stop();
    expect([signals[0]?.aborted, (await raw.response()).status]).toEqual([true, 503]);
  });

  it('aborts when the server stops within the headers hook', async () => {
    let stop = (): void => {};
    const { options, signals } = agreeing({ headers: () => stop() });
    const server = await start(options);
    stop = server.stop;
    expect([await status(server), signals[0]?.aborted]).toEqual([503, true]);
  });

  it('aborts when the 101 cannot be written', async () => {
    const { options, signals } = agreeing({ headers: (_, request) => void request.socket.destroy() });
    const server = await start(options);
    await (await knock(server)).ended();
    expect([server.connections, signals[0]?.aborted]).toEqual([[], true]);
  });

  it('stays as it is for a connection, whatever ends that', async () => {
    const { options, signals } = agreeing({});
    const server = await start(options);
    const raw = await knock(server);
    expect((await raw.response()).status).toBe(101);
    raw.reset();
    await until(() => server.connections[0]?.readyState === 3);
    server.stop();
    expect(signals[0]?.aborted).toBe(false);
  });

  it('is never one that has aborted before: a hook whose handshake has ended is not called', async () => {
    const { options, signals } = agreeing({});
    const ending = { stop: (): void => {} };
    const server = await start({
      ...options,
      verifyClient: () => {
        ending.stop();
        return true;
      },
    });
    ending.stop = server.stop;
    expect([await status(server), signals]).toEqual([503, []]);
  });
});

describe('what authenticate returned', () => {
  it('is given to handleProtocols, headers and limitBy.dataKey', async () => {
    const seen: unknown[] = [];
    const server = await start({
      authenticate: async () => ({ id: 7 }),
      handleProtocols: (protocols, request, data) => {
        seen.push(['handleProtocols', protocols, request.url, data]);
        return 'a';
      },
      headers: (lines, request, data) => {
        seen.push(['headers', lines.length, request.url, data]);
      },
      limitBy: {
        max: 5,
        dataKey: (data, request) => {
          seen.push(['dataKey', request.url, data]);
          return 'a';
        },
      },
    });
    expect(await status(server)).toBe(101);
    expect(seen).toEqual([
      ['dataKey', '/', { id: 7 }],
      ['handleProtocols', ['a'], '/', { id: 7 }],
      ['headers', 4, '/', { id: 7 }],
    ]);
  });

  it('is undefined without authenticate', async () => {
    const seen: unknown[] = [];
    const server = await start({
      handleProtocols: (_, __, data) => void seen.push(data) as undefined,
      headers: (_, __, data) => void seen.push(data),
    });
    expect([await status(server), seen]).toEqual([101, [undefined, undefined]]);
  });
});

describe('a hook that is synchronous', () => {
  const rejecting = async (): Promise<never> => {
    throw new Error('mine');
  };

  it.each<[string, number, AcceptOptions<unknown> | ServeOptions<unknown>, RegExp]>([
    ['path', 404, { path: untyped(rejecting) }, /^path returned a Promise: taken as false; return true or false$/],
    ['path', 404, { path: untyped(async () => true) }, /^path returned a Promise/],
    ['path', 404, { path: untyped(() => of(true)) }, /^path returned an Observable/],
    ['path', 404, { path: untyped(() => 'yes') }, /^path returned "yes"/],
    ['path', 404, { path: untyped(() => undefined) }, /^path returned undefined/],
    ['origins', 500, { origins: untyped(rejecting) }, /^origins returned a Promise: refused with 500; return true or /],
    ['origins', 500, { origins: untyped(() => undefined) }, /^origins returned undefined/],
    [
      'limitBy.key',
      500,
      { limitBy: { max: 1, key: untyped(rejecting) } },
      /^limitBy.key returned a Promise: refused with 500; return a string or undefined$/,
    ],
    [
      'limitBy.dataKey',
      500,
      { authenticate: () => true, limitBy: { max: 1, dataKey: untyped(rejecting) } },
      /^limitBy.dataKey returned a Promise: refused with 500; return a string or undefined$/,
    ],
    [
      'headers',
      500,
      { headers: untyped(rejecting) },
      /^headers returned a Promise: refused with 500; change the lines before it returns$/,
    ],
    ['headers', 500, { headers: untyped(() => of([])) }, /^headers returned an Observable/],
    [
      'verifyClient',
      500,
      { verifyClient: untyped(() => undefined) },
      /^verifyClient returned undefined: refused with 5/,
    ],
    ['verifyClient', 500, { verifyClient: untyped(() => ({ ok: true })) }, /^verifyClient returned an object/],
    ['verifyClient', 500, { verifyClient: untyped(() => thrown) }, /^verifyClient returned an Error/],
    [
      'verifyClient',
      500,
      { verifyClient: untyped(() => of(Promise.resolve(true))) },
      /^verifyClient returned a Promise/,
    ],
    [
      'handleProtocols',
      500,
      { handleProtocols: untyped(() => () => 'a') },
      /^handleProtocols returned a function: refused with 500; return a subprotocol that the client offers, undef/,
    ],
  ])('lets nobody in by what it must not return, and prints once: %s, %i', async (_, expected, options, sentence) => {
    const server = await start(options);
    expect([await status(server), await status(server)]).toEqual([expected, expected]);
    expect(server.connections).toEqual([]);
    expect(printed).toEqual([expect.stringMatching(sentence)]);
  });

  const thrown = new Error('mine');

  it('may return anything else where nothing depends on it: headers', async () => {
    const server = await start({ headers: (lines) => lines.push('X-A: b') });
    expect([await status(server), printed]).toEqual([101, []]);
  });
});

describe('shouldHandle that is overridden', () => {
  async function overridden(
    answer: (request: IncomingMessage) => unknown,
    path?: ServeOptions['path'],
  ): Promise<Running> {
    const server = serve({ port: 0, host: '127.0.0.1', ...(path !== undefined && { path }) });
    server.shouldHandle = untyped(answer);
    return start(server as WebSocketServer<unknown>);
  }

  it.each<[string, () => unknown]>([
    ['a Promise of true', async () => true],
    ['a Promise that rejects', () => Promise.reject(new Error('mine'))],
    ['undefined', () => undefined],
    ['an object', () => ({})],
  ])('lets nobody in by %s', async (_, answer) => {
    const server = await overridden(answer);
    expect([await status(server), server.connections]).toEqual([404, []]);
    expect(printed).toEqual([
      expect.stringMatching(/^shouldHandle returned .*: taken as false; return true or false$/),
    ]);
  });

  it('is told false for a path that answers with a Promise, and may call it by itself', async () => {
    const server = serve({ port: 0, path: untyped(async () => true) });
    expect(server.shouldHandle({ url: '/' } as IncomingMessage)).toBe(false);
    expect(printed).toHaveLength(1);
  });
});

describe('verifyClient with a callback, as ws has it', () => {
  it('throws at the call: called later, a callback that is not there would end the process', () => {
    const verifyClient = untyped<ServeOptions['verifyClient']>((_info: never, done: never) => done);
    expect(() => serve({ port: 0, ...(verifyClient && { verifyClient }) })).toThrow(
      /verifyClient must be a function of one parameter, got one that takes a callback: return true/,
    );
  });
});

describe('a hook that ends its server and rejects', () => {
  it('leaves no rejection behind', async () => {
    const ending = { stop: (): void => {} };
    const decided = new Subject<boolean>();
    const server = await start({
      verifyClient: () => decided,
      authenticate: () => {
        ending.stop();
        return Promise.reject(new Error('mine'));
      },
    });
    ending.stop = server.stop;
    const raw = await knock(server);
    await until(() => decided.observed);
    decided.next(true);
    expect((await raw.response()).status).toBe(503);
  });
});
