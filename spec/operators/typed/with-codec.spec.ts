import { expectTypeOf } from 'expect-type';
import { firstValueFrom, map, mergeMap, NEVER, type Observable, of, Subject, take, tap } from 'rxjs';
import {
  type CloseInfo,
  type Codec,
  type Connection,
  connect,
  demandMap,
  gate,
  handleConnections,
  json,
  ProtocolError,
  SchemaError,
  type SendSubject,
  sendTo,
  serve,
  UsageError,
  withCodec,
} from 'sluice';
import { connectionPair, testConnection } from 'sluice/testing';
import { Loopback } from '../../support/loopback.js';
import { type Marbles, marbles } from '../../support/marbles.js';
import { guardProcess } from '../../support/process-guard.js';
import { objectOf } from '../../support/schema.js';

const MANY = 20_000;
const number = objectOf({ n: 'number' });
const wire = { '1': '{"n":1}', '2': '{"n":2}', '3': '{"n":3}', x: '{"n":"x"}', y: 'no JSON' };
const values = { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } };

/** A typed connection over a test connection with these messages. */
function typed({ hot }: Marbles, marble: string, codec: Codec<{ n: number }> = json(number)) {
  const messages$ = hot(marble, wire);
  const raw = testConnection({ messages$, close$: NEVER });
  return { raw, messages$, conn: withCodec(codec)(raw) };
}

describe('received values', () => {
  it('are decoded, and complete with the connection', () =>
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const messages$ = hot('-1-2-|', wire);
      const raw = testConnection({ messages$ });
      const conn = withCodec(json(number))(raw);
      expectObservable(conn.messages$).toBe('-a-b-|', values);
      expectObservable(raw.demand$).toBe('t----|', { t: true });
      expectSubscriptions(messages$.subscriptions).toBe('^----!');
    }));

  it('wait while nobody wants them, and are wanted by as many as subscribe', () =>
    marbles((helpers) => {
      const { conn, raw } = typed(helpers, '-1-2-3-');
      helpers.expectObservable(conn.messages$, '--^--!').toBe('--ab-', values);
      helpers.expectObservable(conn.messages$, '------^').toBe('------(c)', values);
      helpers.expectObservable(raw.demand$).toBe('--t--ft', { t: true, f: false });
    }));

  it('are decoded once for all subscribers', () => {
    const decode = jest.fn(JSON.parse as (message: unknown) => unknown);
    const messages$ = new Subject<string>();
    const conn = withCodec({ decode, encode: String })(testConnection({ messages$ }));
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) conn.messages$.subscribe((value) => seen.push(value));
    messages$.next('{"n":1}');
    expect(decode).toHaveBeenCalledTimes(1);
    expect(seen).toEqual([values.a, values.a, values.a]);
  });

  it('stay in the connection when they are left, one by one', () => {
    const conn = withCodec(json(number))(testConnection({ messages$: of(wire[1], wire[2], wire[3]) }));
    const seen: unknown[] = [];
    conn.messages$.pipe(take(1)).subscribe((value) => seen.push(value));
    expect(seen).toEqual([values.a]);
    conn.messages$.subscribe((value) => seen.push(value));
    expect(seen).toEqual([values.a, values.b, values.c]);
  });

  it('are held by gate and demandMap as those of any connection', () =>
    marbles((helpers) => {
      const { cold, hot, expectObservable } = helpers;
      const { conn, raw } = typed(helpers, '-(12)--');
      const work$ = conn.messages$.pipe(demandMap((value) => cold('----v-|', { v: value })));
      expectObservable(work$).toBe('-----a-----b', values);
      expectObservable(raw.demand$).toBe('tf-----(tf)--t', { t: true, f: false });
      const other = typed(helpers, '-1-2-', json(number));
      expectObservable(other.conn.messages$.pipe(gate(hot('t-f--t', { t: true, f: false })))).toBe('-a---b', values);
    }));

  it('are iterated over', async () => {
    const conn = withCodec(json(number))(testConnection({ messages$: of(wire[1], wire[2]) }));
    const seen: unknown[] = [];
    for await (const value of conn) seen.push(value);
    expect(seen).toEqual([values.a, values.b]);
  });

  it('may be many at once, without growing the stack', () => {
    const messages$ = new Subject<string>();
    const conn = withCodec(json(number))(testConnection({ messages$ }));
    const hold = conn.hold();
    let count = 0;
    conn.messages$.subscribe(() => count++);
    for (let i = 0; i < MANY; i++) messages$.next(wire[1]);
    hold.unsubscribe();
    expect(count).toBe(MANY);
  });
});

describe('a bad message', () => {
  guardProcess();

  it('closes with 1007, and nothing behind it is delivered', () =>
    marbles((helpers) => {
      const { conn, raw } = typed(helpers, '-1-x-2-');
      helpers.expectObservable(conn.messages$).toBe('-a-|', values);
      const reason = 'invalid message: n: expected number, found string; found "{\\"n\\":\\"x\\"}"';
      helpers.expectObservable(raw.closed$).toBe('---(c|)', { c: { code: 1007, reason } });
    }));

  it('is told in close$, with what was wrong and the beginning of the message', () => {
    const info = ended('{"n":"x"}');
    expect(info.error).toBeInstanceOf(ProtocolError);
    expect(info.error).toMatchObject({
      code: 'MESSAGE_INVALID',
      closeCode: 1007,
      message: 'invalid message: n: expected number, found string; found "{\\"n\\":\\"x\\"}"',
    });
    expect((info.error as Error).cause).toBeInstanceOf(SchemaError);
    expect((info.error as Error).cause).toMatchObject({ issues: [{ path: ['n'] }] });
    expect(ended('no JSON').error).toMatchObject({ cause: { name: 'SyntaxError' } });
    expect(ended(Buffer.alloc(3)).error?.message).toMatch(/; found a binary message of 3 bytes$/);
    expect(ended(JSON.stringify('x'.repeat(100_000))).error?.message.length).toBeLessThan(300);
  });

  it('is dropped and left out under the policy drop', () =>
    marbles((helpers) => {
      const { conn, raw } = typed(helpers, '-1-x-y-2-', json(number, { invalid: 'drop' }));
      helpers.expectObservable(conn.messages$).toBe('-a-----b-', values);
      helpers.expectObservable(raw.closed$).toBe('---------');
    }));

  it('may be answered by a policy that decides', () => {
    const { client, server } = connectionPair();
    const invalid = jest.fn((_: ProtocolError, conn: Connection) => {
      conn.send.next('what?');
      return 'drop' as const;
    });
    const answers: unknown[] = [];
    client.messages$.subscribe((answer) => answers.push(answer));
    const seen: unknown[] = [];
    withCodec(json(number, { invalid }))(server).messages$.subscribe((value) => seen.push(value));
    for (const message of ['no JSON', wire[1]]) client.send.next(message);
    expect([answers, seen]).toEqual([['what?'], [values.a]]);
    expect(invalid.mock.calls[0]?.[0]).toMatchObject({ code: 'MESSAGE_INVALID' });
  });

  it('closes with 1011 when the policy itself fails, or the codec is used wrongly', () => {
    const failure = new Error('policy');
    const policy = (): never => {
      throw failure;
    };
    expect(ended('no JSON', json(number, { invalid: policy }))).toMatchObject({ code: 1011, error: failure });
    const wrong = new UsageError('ASYNC_SCHEMA', 'slow');
    const decode = (): never => {
      throw wrong;
    };
    expect(ended('a', { decode, encode: String, invalid: 'drop' })).toMatchObject({ code: 1011, error: wrong });
  });

  it('says its cause even if the peer never answers the close', () =>
    marbles(({ scheduler, flush }) => {
      const raw = connectionPair({ server: { scheduler } });
      const infos: CloseInfo[] = [];
      raw.server.close$.subscribe((info) => infos.push(info));
      withCodec(json(number))(raw.server).messages$.subscribe();
      raw.client.pause();
      raw.client.send.next('no JSON');
      flush();
      expect(infos).toEqual([expect.objectContaining({ error: expect.objectContaining({ code: 'MESSAGE_INVALID' }) })]);
    }));

  /** How a connection ends whose peer sends `message`. */
  function ended(message: string | Buffer, codec: Codec<unknown> = json(number) as Codec<unknown>): CloseInfo {
    const infos: CloseInfo[] = [];
    marbles(({ flush }) => {
      const { client, server } = connectionPair();
      server.close$.subscribe((info) => infos.push(info));
      withCodec(codec)(server).messages$.subscribe();
      client.send.next(message);
      flush();
    });
    expect(infos).toHaveLength(1);
    return infos[0]!;
  }
});

describe('sent values', () => {
  guardProcess();

  it('are encoded, by next, trySend and sendFrom', () =>
    marbles(({ cold, expectObservable }) => {
      const raw = testConnection();
      const conn = withCodec(json(number))(raw);
      cold('-a', values).subscribe((value) => conn.send.next(value));
      cold('--b', values).subscribe((value) => expect(conn.trySend(value)).toBe('sent'));
      cold('---s').subscribe(() => conn.sendFrom([values.c, values.a]).subscribe((count) => expect(count).toBe(2)));
      expectObservable(raw.sent$).toBe('-12(31)', wire);
    }));

  it('are shown as values when they are handed over, in spite of others', () =>
    marbles(({ hot, cold, expectObservable }) => {
      const raw = testConnection({ flushed$: hot('-----f') });
      const conn = withCodec(json(number))(raw);
      cold('-a-b', values).subscribe((value) => conn.send.next(value));
      cold('--x', wire).subscribe((message) => raw.send.next(message));
      expectObservable(conn.send).toBe('-----(ab)', values);
    }));

  it('that cannot be encoded close with 1011, are thrown by trySend, and are errors of sendFrom', () =>
    marbles(({ flush }) => {
      const raw = testConnection();
      const conn = withCodec(json<unknown>())(raw);
      const wrong = expect.objectContaining({ name: 'UsageError', code: 'ENCODE_FAILED' });
      const errors: unknown[] = [];
      expect(() => conn.trySend(undefined)).toThrow(wrong);
      conn.sendFrom([1, undefined, 2]).subscribe({ error: (error: unknown) => errors.push(error) });
      expect([errors, raw.readyState]).toEqual([[wrong], 1]);
      conn.send.next(undefined);
      raw.close$.subscribe(({ code, error }) => errors.push(code, error));
      flush();
      expect(errors).toEqual([wrong, 1011, wrong]);
    }));

  it('complete the connection as its own send does', () =>
    marbles(({ cold, expectObservable }) => {
      const raw = testConnection();
      cold('-a-|', values).subscribe(withCodec(json(number))(raw).send);
      expectObservable(raw.closed$).toBe('---(c|)', { c: { code: 1000, reason: '' } });
      const failed = testConnection();
      cold('-a-#', values, { code: 4000, reason: 'why' }).subscribe(withCodec(json(number))(failed).send);
      expectObservable(failed.closed$).toBe('---(c|)', { c: { code: 4000, reason: 'why' } });
    }));

  it('are paced by the connection', () =>
    marbles(({ hot, expectObservable }) => {
      const conn = withCodec(json(number))(testConnection({ ready$: hot('--f-t', { t: true, f: false }) }));
      expectObservable(conn.send.ready$).toBe('t-f-t', { t: true, f: false });
    }));
});

describe('withCodec over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('serves and connects with types', async () => {
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        map(withCodec(json(number))),
        handleConnections((conn) =>
          conn.messages$.pipe(
            map(({ n }) => ({ n: n + 1 })),
            sendTo(conn),
          ),
        ),
      ),
    );
    const answers$ = connect(url).pipe(
      map(withCodec(json(number))),
      tap((conn) => conn.send.next({ n: 1 })),
      mergeMap((conn) => conn.messages$),
      take(1),
    );
    expect(await firstValueFrom(answers$)).toEqual({ n: 2 });
  });

  it('ends a client that sends nonsense with 1007, and serves the others', async () => {
    const seen: unknown[] = [];
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        map(withCodec(json(number))),
        mergeMap((conn) => conn.messages$),
        tap((value) => seen.push(value)),
      ),
    );
    const [bad, good] = [await loopback.connect(url), await loopback.connect(url)];
    bad.send.next('no JSON');
    expect(await firstValueFrom(bad.close$)).toMatchObject({ code: 1007, reason: expect.stringMatching(/^invalid/) });
    good.send.next(wire[1]);
    await firstValueFrom(good.ping());
    expect(seen).toEqual([values.a]);
  });
});

describe('its types', () => {
  it('come from the codec, and the data stays', () => {
    const typed$ = serve({ port: 0, authenticate: () => ({ user: 'a' }) }).pipe(map(withCodec(json(number))));
    expectTypeOf(typed$).toEqualTypeOf<Observable<Connection<{ user: string }, { n: number }, { n: number }>>>();
    const conn = withCodec(json<{ in: 1 }, { out: 2 }>())(testConnection());
    expectTypeOf(conn.messages$).toExtend<Observable<{ in: 1 }>>();
    expectTypeOf(conn.send).toEqualTypeOf<SendSubject<{ out: 2 }>>();
    expectTypeOf(conn.trySend).parameter(0).toEqualTypeOf<{ out: 2 }>();
    // @ts-expect-error: text is not what this codec sends
    expect(() => conn.send.next('a')).not.toThrow();
    expectTypeOf(of({ out: 2 as const }).pipe(sendTo(conn))).toEqualTypeOf<Observable<{ out: 2 }>>();
  });
});
