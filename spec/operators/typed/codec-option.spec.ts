import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expectTypeOf } from 'expect-type';
import { firstValueFrom, fromEvent, mergeMap, type Observable, type OperatorFunction } from 'rxjs';
import {
  accept,
  type Codec,
  type Connection,
  type ConnectOptions,
  connect,
  handleConnections,
  json,
  type Message,
  openConnection,
  type PersistentConnection,
  persistent,
  type ServeOptions,
  serve,
  type WebSocketServer,
} from 'sluice';
import { endAfterEach } from '../../support/end-after-each.js';
import { Loopback } from '../../support/loopback.js';
import { guardProcess } from '../../support/process-guard.js';
import { until } from '../../support/until.js';

interface Question {
  readonly ask: number;
}
interface Answer {
  readonly answer: number;
}
interface User {
  readonly id: number;
}

const ofServer = json<Question, Answer>();
const ofClient = json<Answer, Question>();
const place = { port: 0, host: '127.0.0.1' } as const;

/** Answers each question with the next number. */
function answerAll(conn: Connection<unknown, Question, Answer>): Observable<unknown> {
  return conn.messages$.pipe(mergeMap(({ ask }) => [conn.send.next({ answer: ask + 1 })]));
}

/** Type-checks `calls`, which are never made. */
function typesOf(calls: () => void): void {
  expect(typeof calls).toBe('function');
}

describe('the option codec', () => {
  guardProcess();
  const end = endAfterEach();
  const loopback = (): Loopback => {
    const opened = new Loopback();
    end(() => opened.end());
    return opened;
  };
  const answering = (options: object = {}): Promise<string> =>
    loopback().serve(serve({ ...place, ...options, codec: ofServer }), (server) =>
      server.pipe(handleConnections(answerAll)),
    );

  it('types the connections of serve, connect and openConnection', async () => {
    const url = await answering();
    const answer$ = connect(url, { codec: ofClient }).pipe(
      mergeMap((conn) => {
        conn.send.next({ ask: 1 });
        return conn.messages$;
      }),
    );
    expect(await firstValueFrom(answer$)).toEqual({ answer: 2 });
    const conn = await openConnection(url, [], { codec: ofClient });
    end(() => conn.close());
    conn.send.next({ ask: 2 });
    expect(await firstValueFrom(conn.messages$)).toEqual({ answer: 3 });
  });

  it('closes with 1007 for a message that it cannot decode', async () => {
    const conn = await openConnection(await answering());
    conn.send.next('no JSON');
    expect(await firstValueFrom(conn.close$)).toMatchObject({ code: 1007, initiator: 'peer' });
  });

  it('is that of all connections that a server tells, for as long as they are open', async () => {
    const server = serve({ ...place, codec: ofServer });
    const url = await loopback().serve(server, (connections$) => connections$.pipe(handleConnections(answerAll)));
    const accepted = firstValueFrom(server);
    const conn = await openConnection(url, { codec: ofClient });
    const listed = [...server.connections];
    expect(listed).toEqual([await accepted]);
    for (const each of listed) each.send.next({ answer: 7 });
    expect(await firstValueFrom(conn.messages$)).toEqual({ answer: 7 });
    conn.close();
    await firstValueFrom(listed[0]!.close$);
    expect(server.connections.size).toBe(0);
  });

  it('lists nothing without tracking', async () => {
    const server = serve({ ...place, codec: ofServer, clientTracking: false });
    const url = await loopback().serve(server, (connections$) => connections$.pipe(handleConnections(answerAll)));
    const conn = await openConnection(url, { codec: ofClient });
    end(() => conn.close());
    conn.send.next({ ask: 1 });
    await firstValueFrom(conn.messages$);
    expect(server.connections.size).toBe(0);
  });

  it('types those of accept', async () => {
    const http = createServer();
    const accepting = fromEvent(http, 'upgrade')
      .pipe(accept({ codec: ofServer }), handleConnections(answerAll))
      .subscribe();
    end(() => accepting.unsubscribe());
    end(() => void http.close());
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const conn = await openConnection(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, { codec: ofClient });
    end(() => conn.close());
    conn.send.next({ ask: 1 });
    expect(await firstValueFrom(conn.messages$)).toEqual({ answer: 2 });
  });

  it('types what a persistent client sends, before it is open and after, and what it gets', async () => {
    const url = await answering();
    const client = persistent(url, { codec: ofClient });
    const answers: Answer[] = [];
    client.messages$.subscribe((answer) => answers.push(answer));
    client.send.next({ ask: 1 });
    const lease = client.open();
    end(() => lease.unsubscribe());
    await until(() => answers.length === 1);
    client.send.next({ ask: 2 });
    await until(() => answers.length === 2);
    expect(answers).toEqual([{ answer: 2 }, { answer: 3 }]);
  });

  it('tells a persistent client how large what waits will be', () => {
    const client = persistent('ws://127.0.0.1', { codec: ofClient });
    expect({ sent: client.trySend({ ask: 1 }), waits: client.bufferedAmount }).toEqual({
      sent: 'buffered',
      waits: 128 + 2 + '{"ask":1}'.length,
    });
    expect(client.trySend(1n as never)).toBe('buffered');
    // What cannot be encoded says so when its turn has come.
    expect(client.bufferedAmount).toBe(128 + 2 + '{"ask":1}'.length + 128 + 1024);
  });

  it.each([
    ['the function that makes one', json, 'codec must be a codec, such as json() returns, got a function'],
    ['no decode', { encode: String }, 'decode of a codec must be a function, got undefined'],
    [
      'an unknown policy',
      { ...ofServer, invalid: 'ignore' },
      'invalid of a codec must be "close", "drop" or a function, got "ignore"',
    ],
    ['null', null, 'decode of a codec must be a function, got undefined'],
  ])('throws at the call for %s', (_, codec, message) => {
    const options = { codec } as never as { codec: Codec<Question, Answer> };
    for (const call of [
      () => serve({ port: 0, ...options }),
      () => accept(options),
      () => connect('ws://127.0.0.1', options),
      () => openConnection('ws://127.0.0.1', options),
      () => persistent('ws://127.0.0.1', options),
    ]) {
      expect(call).toThrow(TypeError);
      expect(call).toThrow(message);
    }
  });

  it('stands beside no other binaryType, and in no target', () => {
    const options = { codec: ofServer, binaryType: 'arraybuffer' } as const;
    const message = 'binaryType must be "nodebuffer" with a codec, got "arraybuffer"';
    expect(() => serve({ port: 0, ...options })).toThrow(message);
    expect(() => connect('ws://127.0.0.1', options)).toThrow(message);
    const target = { url: 'ws://127.0.0.1', codec: ofClient };
    expect(() => connect(target)).toThrow('codec must be an option of connect()');
  });
});

describe('the types of the option codec', () => {
  it('are those of the codec, beside those of authenticate', () => {
    typesOf(() => {
      expectTypeOf(serve({ port: 0, codec: ofServer })).toEqualTypeOf<WebSocketServer<undefined, Question, Answer>>();
      const server = serve({ port: 0, codec: json<Question>(), authenticate: async (): Promise<User> => ({ id: 7 }) });
      expectTypeOf(server).toEqualTypeOf<WebSocketServer<User, Question, Question>>();
      expectTypeOf(server.connections).toEqualTypeOf<ReadonlySet<Connection<User, Question, Question>>>();
      server.subscribe((conn) => expectTypeOf(conn).toEqualTypeOf<Connection<User, Question, Question>>());
      server.handleUpgrade(null as never, null as never, null as never, (conn) =>
        expectTypeOf(conn).toEqualTypeOf<Connection<User, Question, Question>>(),
      );
      expectTypeOf(accept({ codec: ofServer })).toEqualTypeOf<
        OperatorFunction<unknown, Connection<undefined, Question, Answer>>
      >();
      expectTypeOf(connect('ws://a', { codec: ofClient })).toEqualTypeOf<
        Observable<Connection<undefined, Answer, Question>>
      >();
      expectTypeOf(connect('ws://a', 'chat', { codec: ofClient })).toEqualTypeOf<
        Observable<Connection<undefined, Answer, Question>>
      >();
      expectTypeOf(openConnection('ws://a', { codec: ofClient })).toEqualTypeOf<
        Promise<Connection<undefined, Answer, Question>>
      >();
      expectTypeOf(persistent(() => 'ws://a', { codec: ofClient })).toEqualTypeOf<
        PersistentConnection<Answer, Question>
      >();
    });
  });

  it('go through options that have a type of their own', () => {
    typesOf(() => {
      const options: ServeOptions<User, 'nodebuffer', Question, Answer> = { port: 0, codec: ofServer };
      expectTypeOf(serve(options)).toEqualTypeOf<WebSocketServer<User, Question, Answer>>();
      const dialing: ConnectOptions<'nodebuffer', Answer, Question> = { codec: ofClient };
      expectTypeOf(connect('ws://a', dialing)).toEqualTypeOf<Observable<Connection<undefined, Answer, Question>>>();
    });
  });

  it('are text and bytes without it', () => {
    typesOf(() => {
      expectTypeOf(serve(8080)).toEqualTypeOf<WebSocketServer<undefined, Message>>();
      expectTypeOf(serve({ port: 0, binaryType: 'arraybuffer' })).toEqualTypeOf<
        WebSocketServer<undefined, string | ArrayBuffer>
      >();
      expectTypeOf(connect('ws://a')).toEqualTypeOf<Observable<Connection<undefined, Message>>>();
      expectTypeOf(connect('ws://a', { binaryType: 'arraybuffer' })).toEqualTypeOf<
        Observable<Connection<undefined, string | ArrayBuffer>>
      >();
      // @ts-expect-error what a codec does not encode
      serve({ port: 0, codec: ofServer }).subscribe((conn) => conn.send.next('text'));
    });
  });
});
