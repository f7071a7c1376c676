import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expectTypeOf } from 'expect-type';
import { filter, firstValueFrom, mergeMap, NEVER, type Observable, Subject, take, tap, toArray } from 'rxjs';
import {
  type Connection,
  connect,
  demandMap,
  fragments,
  type Message,
  message,
  type Outgoing,
  type PersistentConnection,
  type PersistentState,
  persistent,
  serve,
} from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Loopback } from '../support/loopback.js';
import { guardProcess } from '../support/process-guard.js';
import { until } from '../support/until.js';

const reconnect = { initial: 5 };

describe('the options of persistent', () => {
  it.each([
    [{ offlineBuffer: -1 }, RangeError, 'offlineBuffer must be an integer from 0'],
    [{ offlineBuffer: '1' }, TypeError, 'offlineBuffer must be an integer from 0'],
    [{ overflow: 'drop' }, TypeError, 'overflow must be one of "terminate", "drop-newest", "drop-oldest", got "drop"'],
    [{ reconnect: { initial: -1 } }, RangeError, 'initial must be a number from 0'],
    [{ reconnect: { repeat: 1 } }, TypeError, 'repeat must be true or false, got 1'],
    [{ scheduler: {} }, TypeError, 'scheduler must be an RxJS scheduler, got an object'],
    [{ maxPayload: 0 }, RangeError, 'maxPayload must be an integer from 1'],
    [{ offline: 1 }, TypeError, 'unknown option "offline"'],
    [
      { reconect: {} },
      TypeError,
      'unknown option "reconect": did you mean "reconnect"? expected one of offlineBuffer, ',
    ],
  ])('throw at the call when they cannot be: %p', (options, type, message) => {
    expect(() => persistent('ws://127.0.0.1', options as never)).toThrow(type);
    expect(() => persistent('ws://127.0.0.1', options as never)).toThrow(message);
  });

  it('throw for a target that is none', () => {
    expect(() => persistent('nowhere')).toThrow(SyntaxError);
  });

  it('are its own only, where connections come from an Observable', () => {
    expect(() => persistent(NEVER as Observable<Connection>, { maxPayload: 1 } as never)).toThrow(
      'unknown option "maxPayload": expected one of offlineBuffer, overflow, reconnect, scheduler',
    );
  });

  it('decide the types', () => {
    expectTypeOf(persistent('ws://127.0.0.1')).toEqualTypeOf<PersistentConnection<Message, Outgoing>>();
    expectTypeOf(persistent('ws://127.0.0.1', { binaryType: 'arraybuffer' }).messages$).toEqualTypeOf<
      Observable<string | ArrayBuffer>
    >();
    const typed$ = NEVER as Observable<Connection<undefined, { a: number }, { b: number }>>;
    expectTypeOf(persistent(typed$)).toEqualTypeOf<PersistentConnection<{ a: number }, { b: number }>>();
  });
});

describe('what waits for a socket', () => {
  it.each([
    ['text', 'aé', 2 + 3],
    ['bytes', new Uint8Array(10), 2 + 10],
    ['a message', message('abc'), 2 + 3],
    ['a Blob', new Blob(['abcd']), 4],
    ['a message in parts', fragments([]), 1024],
    ['a value for a codec', { chat: 'hello' }, 1024],
  ])('is charged for the frames of %s, and 128 bytes beside them', (_, value, cost) => {
    const client = persistent('ws://127.0.0.1');
    expect(client.trySend(value as Outgoing)).toBe('buffered');
    expect(client.bufferedAmount).toBe(128 + cost);
  });
});

describe('persistent over sockets', () => {
  guardProcess();
  const end = endAfterEach();
  const loopback = (): Loopback => {
    const opened = new Loopback();
    end(() => opened.end());
    return opened;
  };
  const untilType = (client: PersistentConnection, type: PersistentState['type']): Promise<unknown> =>
    firstValueFrom(client.state$.pipe(filter((state) => state.type === type)));

  it('carries on what is sent and received from socket to socket', async () => {
    const got: Message[] = [];
    const url = await loopback().serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn, index) => {
          conn.send.next(`welcome ${index}`);
          return conn.messages$.pipe(
            tap((message) => {
              got.push(message);
              if (index < 2) conn.terminate();
            }),
          );
        }),
      ),
    );
    const client = persistent(url, { reconnect });
    const welcomes = firstValueFrom(client.messages$.pipe(take(3), toArray()));
    const lease = client.open();
    end(() => lease.unsubscribe());
    client.send.next('first');
    await untilType(client, 'waiting');
    client.send.next('second');
    await untilType(client, 'open');
    await untilType(client, 'waiting');
    expect(await welcomes).toEqual(['welcome 0', 'welcome 1', 'welcome 2']);
    expect(got).toEqual(['first', 'second']);
  });

  it('flushes, closes with 1000 and ends with complete', async () => {
    const got: Message[] = [];
    const codes = new Subject<number>();
    const url = await loopback().serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn) => {
          conn.close$.subscribe(({ code }) => codes.next(code));
          return conn.messages$.pipe(tap((message) => got.push(message)));
        }),
      ),
    );
    const client = persistent(url, { reconnect });
    const code = firstValueFrom(codes);
    const states = firstValueFrom(client.state$.pipe(toArray()));
    client.send.next('a');
    client.open();
    client.send.next('b');
    client.complete();
    expect(await code).toBe(1000);
    expect((await states).map(({ type }) => type)).toEqual(['closed', 'connecting', 'open', 'closed']);
    expect(got).toEqual(['a', 'b']);
  });

  it('holds the peer back from socket to socket', async () => {
    const count = 200;
    const url = await loopback().serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn, index) =>
          index === 0
            ? [conn.close(1012)]
            : conn.sendFrom(Array.from({ length: count }, (_, i) => `${i} ${'x'.repeat(10_000)}`)),
        ),
      ),
    );
    // As long a connection that has ended waits for those who hold its messages.
    const client = persistent(url, { reconnect, closeTimeout: 20 });
    const work$ = new Subject<void>();
    const seen: string[] = [];
    let most = 0;
    const hold = client.hold();
    const done = firstValueFrom(
      client.messages$.pipe(
        demandMap((message) => {
          seen.push(String(message));
          return work$.pipe(take(1));
        }),
        take(count),
        toArray(),
      ),
    );
    const lease = client.open();
    end(() => lease.unsubscribe());
    await untilType(client, 'waiting');
    const { connection } = (await untilType(client, 'open')) as { connection: Connection };
    // Without the hold of the client the first message would be here.
    expect(seen).toEqual([]);
    hold.unsubscribe();
    const timer = setInterval(() => {
      most = Math.max(most, connection.stats.inboxBytes);
      work$.next();
    });
    end(() => clearInterval(timer));
    await done;
    expect(seen.map((message) => Number.parseInt(message, 10))).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(65_536 + 10_200 + 65_536);
  });

  it('is given up by its signal, that closes the socket with 1000, and dials no more with one that has aborted', async () => {
    const controller = new AbortController();
    const codes = new Subject<number>();
    const url = await loopback().serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn) => {
          conn.close$.subscribe(({ code }) => codes.next(code));
          return conn.messages$;
        }),
      ),
    );
    const client = persistent(url, { reconnect, signal: controller.signal });
    const code = firstValueFrom(codes);
    const messages = firstValueFrom(client.messages$.pipe(toArray()));
    const lease = client.open();
    end(() => lease.unsubscribe());
    await untilType(client, 'open');
    controller.abort();
    expect({ code: await code, messages: await messages, sent: client.trySend('x') }).toEqual({
      code: 1000,
      messages: [],
      sent: 'closed',
    });
    const types: string[] = [];
    client.state$.subscribe(({ type }) => types.push(type));
    client.open();
    await until(() => types.length === 3);
    expect(types).toEqual(['closed', 'connecting', 'closed']);
  });

  it('reports what it gave up for to the diagnostics', async () => {
    const reported: unknown[] = [];
    const note = (message: unknown): void => {
      reported.push((message as { error: unknown }).error);
    };
    subscribe('sluice:connection-error', note);
    end(() => unsubscribe('sluice:connection-error', note));
    const url = await loopback().serve(
      serve({ port: 0, host: '127.0.0.1', verifyClient: () => false }),
      (server) => server,
    );
    const client = persistent(connect(url), { reconnect });
    client.open();
    const closed = firstValueFrom(client.state$.pipe(filter((state) => 'error' in state)));
    expect(await closed).toMatchObject({ type: 'closed', error: { status: 401 } });
    expect(reported).toEqual([expect.objectContaining({ status: 401 })]);
  });
});
