/**
 * Whatever an application throws, wherever it is called: it becomes the documented end of one connection or handshake, and never an
 * exception of the process. A decoder throws what a peer's bytes make it throw, so it is a peer that would end the process.
 */
import { firstValueFrom, type Observable, of, throwError } from 'rxjs';
import {
  ask,
  type CloseInfo,
  type Codec,
  type Connection,
  type ConnectOptions,
  connect,
  demandMap,
  fragments,
  handleConnections,
  isRetryable,
  json,
  persistent,
  reconnect,
  redirectMistakes,
  type ServeOptions,
  serve,
  toDuplex,
  toWebStreams,
  withCodec,
} from 'sluice';
import { connectionPair } from 'sluice/testing';
import { recordDial } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { hostileNames, hostileValue } from '../support/hostile-values.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { closeRawServers, rawServer } from '../support/raw-server.js';
import { run } from '../support/running-server.js';
import { ca, serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
afterEach(closeRawServers);
const atEnd = endAfterEach();

/** Throws `thrown`, whatever it is. */
function raise(thrown: unknown): never {
  throw thrown;
}

/** What a dial fails with, in an object: a Promise would look whether the error is itself one. */
async function failureOf(dial$: Observable<Connection<undefined>>): Promise<{ readonly error: unknown }> {
  const end = await recordDial(dial$).ending;
  if (end.kind === 'completed') throw new Error('completed, must fail');
  return end;
}

const text: Codec<string> = { decode: String, encode: (value) => value };

/** How the server's end closes when `fails` gets it, and the client has sent `text`. */
async function endOf(fails: (server: Connection, client: Connection) => unknown): Promise<CloseInfo> {
  const { server, client } = connectionPair();
  fails(server, client);
  client.send.next('text');
  const info = await firstValueFrom(server.close$);
  // What `connect()` and the bridges make of it must not fail either.
  expect(String(info.code)).toMatch(/^\d{4}$/);
  return info;
}

describe.each(hostileNames)('%s', (name) => {
  const thrown = hostileValue(name);
  /** Whether `error` is what was thrown, or an Error of ours for it. */
  const isThrown = (error: unknown): boolean =>
    Object.is(error, thrown) || (error instanceof Error && Object.is(error.cause, thrown));
  const sends = (server: Connection, data: unknown): void => server.send.next(data as never);

  it.each<[string, number, (server: Connection, client: Connection) => unknown]>([
    ['decode', 1007, (server) => withCodec({ ...text, decode: () => raise(thrown) })(server).messages$.subscribe()],
    ['encode', 1011, (server) => withCodec({ ...text, encode: () => raise(thrown) })(server).send.next('a')],
    [
      'the policy for what cannot be decoded',
      1011,
      (server) =>
        withCodec({ ...text, decode: () => raise('no'), invalid: () => raise(thrown) })(server).messages$.subscribe(),
    ],
    ['toJSON', 1011, (server) => withCodec(json<object>())(server).send.next({ toJSON: () => raise(thrown) })],
    ['an Observable of fragments', 1011, (server) => sends(server, fragments(throwError(() => thrown)))],
    ['a Promise of fragments', 1011, (server) => sends(server, fragments(Promise.reject(thrown)))],
    [
      'an iterable of fragments',
      1011,
      (server) => sends(server, fragments({ [Symbol.iterator]: () => raise(thrown) })),
    ],
    [
      'an iterator of fragments',
      1011,
      (server) => sends(server, fragments({ [Symbol.iterator]: () => ({ next: () => raise(thrown) }) })),
    ],
    [
      'an async iterator of fragments',
      1011,
      (server) =>
        sends(server, fragments({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(thrown) }) } as never)),
    ],
    ['a part of a message', 1011, (server) => sends(server, fragments([thrown] as never))],
    [
      'a Blob',
      1011,
      (server) => sends(server, Object.assign(new Blob(['a']), { arrayBuffer: () => Promise.reject(thrown) })),
    ],
    [
      'a large Blob',
      1011,
      (server) =>
        sends(
          server,
          Object.assign(new Blob(['a'.repeat(70_000)]), {
            stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(thrown) }) }),
          }),
        ),
    ],
    ['send.error', 1011, (server) => server.send.error(thrown)],
    ['an Observable into send', 1011, (server) => throwError(() => thrown).subscribe(server.send)],
    [
      'abort of a web stream',
      1011,
      (server) => {
        const { readable, writable } = toWebStreams(server);
        // It holds the messages until then.
        void writable.abort(thrown).finally(() => readable.cancel());
      },
    ],
    ['cancel of a web stream', 1000, (server) => toWebStreams(server).readable.cancel(thrown)],
    ['an unsendable value', 1011, (server) => sends(server, Object(thrown ?? {}))],
  ])('from %s closes that connection with %d', async (_place, code, fails) => {
    expect(await endOf(fails)).toMatchObject({ code, initiator: 'local' });
  });

  it('from a decoder stands in close$ as the cause', async () => {
    const info = await endOf((server) =>
      withCodec({ ...text, decode: () => raise(thrown) })(server).messages$.subscribe(),
    );
    expect(info.error).toMatchObject({ name: 'ProtocolError', code: 'MESSAGE_INVALID' });
    expect(Object.is(info.error?.cause, thrown)).toBe(true);
  });

  it('from the policy for bad messages stands in close$ too, as an Error', async () => {
    const codec = { ...text, decode: () => raise('no'), invalid: () => raise(thrown) };
    const { error } = await endOf((server) => withCodec(codec)(server).messages$.subscribe());
    expect(error instanceof Error).toBe(true);
    expect(isThrown(error)).toBe(true);
  });

  it('from the predicate of the compression closes with 1011', async () => {
    const perMessageDeflate = { threshold: 0, compress: () => raise(thrown) };
    const { server } = connectionPair({ server: { perMessageDeflate } });
    expect(() => server.trySend('a')).toThrow(expect.objectContaining({ code: 'COMPRESS_FAILED' }));
    server.send.next('a');
    expect(await firstValueFrom(server.close$)).toMatchObject({ code: 1011, error: { code: 'COMPRESS_FAILED' } });
  });

  it('from a source of sendFrom is its error', async () => {
    const { server } = connectionPair();
    const errors: unknown[] = [];
    const error = (failure: unknown): void => void errors.push(failure);
    server.sendFrom(throwError(() => thrown)).subscribe({ error });
    server.sendFrom({ [Symbol.iterator]: () => raise(thrown) }).subscribe({ error });
    server.sendFrom(Promise.reject(thrown)).subscribe({ error });
    await until(() => errors.length === 3);
    expect(errors.every((found) => Object.is(found, thrown))).toBe(true);
    expect(server.readyState).toBe(1);
  });

  it('from match, and from the project of demandMap, is an error of theirs', () => {
    const { server, client } = connectionPair();
    const errors: unknown[] = [];
    const error = (failure: unknown): void => void errors.push(failure);
    ask(server, 'a', { match: () => raise(thrown) }).subscribe({ error });
    server.messages$.pipe(demandMap(() => raise(thrown) as Promise<void>)).subscribe({ error });
    client.send.next('b');
    expect(errors).toHaveLength(2);
    expect(errors.every((found) => Object.is(found, thrown))).toBe(true);
  });

  it('given to destroy() of a duplex closes the connection', async () => {
    const { server } = connectionPair();
    const duplex = toDuplex(server).on('error', () => {});
    try {
      duplex.destroy(thrown as Error);
    } catch {
      // Node itself reads the stack of what it is given.
      server.send.error(thrown);
      duplex.destroy();
    }
    expect((await firstValueFrom(server.close$)).code).toBe(thrown === undefined || thrown === null ? 1000 : 1011);
  });

  it('from a handler closes its connection with 1011, and one from onError does not end the others', async () => {
    redirectMistakes(undefined);
    const printed = jest.spyOn(console, 'error').mockImplementation((...args: unknown[]) => {
      // As the console of Node does with an Error whose properties throw.
      if (args[1] === thrown && typeof thrown !== 'symbol') String(thrown);
    });
    atEnd(() => printed.mockRestore());
    const { server: first } = connectionPair();
    const { server: second } = connectionPair();
    const { server: third } = connectionPair();
    of(first)
      .pipe(handleConnections(() => raise(thrown)))
      .subscribe();
    of(second)
      .pipe(handleConnections(() => throwError(() => thrown)))
      .subscribe();
    of(third)
      .pipe(handleConnections(() => raise('a'), { onError: () => raise(thrown) }))
      .subscribe();
    for (const conn of [first, second, third]) {
      expect(await firstValueFrom(conn.close$)).toMatchObject({ code: 1011 });
    }
    expect(printed.mock.calls.length).toBeGreaterThanOrEqual(4);
  });

  it.each<[string, number, ServeOptions<unknown>]>([
    ['path', 404, { path: () => raise(thrown) }],
    ['limitBy', 500, { limitBy: { max: 5, key: () => raise(thrown) } }],
    ['origins', 500, { origins: () => raise(thrown) }],
    ['verifyClient', 500, { verifyClient: () => raise(thrown) }],
    ['verifyClient, later', 500, { verifyClient: () => Promise.reject(thrown) }],
    ['authenticate', 500, { authenticate: () => raise(thrown) }],
    ['authenticate, later', 500, { authenticate: () => throwError(() => thrown) }],
    ['handleProtocols', 500, { handleProtocols: () => raise(thrown) }],
    ['headers', 500, { headers: () => raise(thrown) }],
  ])('from the hook %s refuses that handshake with %d', async (_hook, status, options) => {
    const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1', ...options }));
    atEnd(() => subscription.unsubscribe());
    const raw = await RawClient.connect(port);
    atEnd(() => raw.close());
    raw.write(handshake({ headers: { Origin: 'http://127.0.0.1', 'Sec-WebSocket-Protocol': 'a' } }));
    expect((await raw.response()).status).toBe(status);
    expect(await raw.ended()).toBe('end');
  });

  it('from the function for the target, and from verifyResponse, is the error of connect()', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const verifyResponse: ConnectOptions['verifyResponse'] = () => raise(thrown);
    for (const dial$ of [
      connect(() => raise(thrown)),
      connect(() => Promise.reject(thrown)),
      connect(() => throwError(() => thrown)),
      connect(server.url, { verifyResponse }),
    ]) {
      expect(Object.is((await failureOf(dial$)).error, thrown)).toBe(true);
    }
  });

  it('from checkServerIdentity fails that dial', async () => {
    const { url } = await rawServer(async (peer) => void (await peer.closed), { tls: serverPair });
    const dial$ = connect(url, { ca, checkServerIdentity: () => raise(thrown) });
    expect(isThrown((await failureOf(dial$)).error)).toBe(true);
  });

  it('from lookup fails that dial', async () => {
    const lookup: ConnectOptions['lookup'] = () => raise(thrown);
    expect(isThrown((await failureOf(connect('ws://name.example', { lookup }))).error)).toBe(true);
  });

  it('as the error of an agent fails that dial', async () => {
    const dial = recordDial(connect('ws://127.0.0.1:1', { agent: failingAgent(thrown ?? new Error('a')) }));
    expect((await dial.ending).kind).toBe('failed');
  });

  it('ends reconnect(), and is asked about by isRetryable', () => {
    const errors: unknown[] = [];
    const error = (failure: unknown): void => void errors.push(failure);
    throwError(() => thrown)
      .pipe(reconnect())
      .subscribe({ error });
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    throwError(() => refused)
      .pipe(reconnect({ shouldRetry: () => raise(thrown) }))
      .subscribe({ error });
    expect(errors).toHaveLength(2);
    expect(errors.every((found) => Object.is(found, thrown))).toBe(true);
    expect(isRetryable(thrown)).toBe(false);
  });

  it('from shouldRetry ends a persistent connection', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const client = persistent(
      throwError(() => refused),
      { reconnect: { shouldRetry: () => raise(thrown) } },
    );
    const states: unknown[] = [];
    client.state$.subscribe(({ type }) => states.push(type));
    client.open();
    expect(states).toEqual(['closed', 'connecting', 'closed']);
  });
});

/** An agent of the application's whose request fails with `error`. */
function failingAgent(error: unknown): NonNullable<ConnectOptions['agent']> {
  const agent = {
    addRequest: (request: { emit(name: string, error: unknown): void }) =>
      setImmediate(() => request.emit('error', error)),
    defaultPort: 80,
    protocol: 'http:',
  };
  return agent as never;
}

describe('an agent', () => {
  it.each([1006, { startsWith: 5 }, null])('may fail with any code: %p', async (code) => {
    const error = Object.assign(new Error('no way'), { code });
    expect(await recordDial(connect('ws://127.0.0.1:1', { agent: failingAgent(error) })).failure).toBe(error);
  });
});

describe('an async iterator', () => {
  const results: Record<string, unknown> = {
    undefined,
    null: null,
    'a result whose value throws': Object.defineProperty({ done: false }, 'value', { get: () => raise('no value') }),
    'a revoked Proxy': hostileValue('a revoked Proxy'),
  };

  it.each(Object.keys(results))(
    'that resolves with what is no result fails its message and its sendFrom: %s',
    async (name) => {
      const source = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(results[name]) }) };
      const { server } = connectionPair();
      server.send.next(fragments(source as never));
      expect(await firstValueFrom(server.close$)).toMatchObject({ code: 1011, error: { code: 'FRAGMENTS_FAILED' } });
      const { server: other } = connectionPair();
      await expect(firstValueFrom(other.sendFrom(source as never))).rejects.toBeDefined();
    },
  );
});
