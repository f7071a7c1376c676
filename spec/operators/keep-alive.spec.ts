import { expectTypeOf } from 'expect-type';
import { firstValueFrom, merge, mergeMap, type Observable, toArray } from 'rxjs';
import {
  type Connection,
  connect,
  keepAlive,
  type Message,
  reconnect,
  serve,
  UsageError,
  WebSocketError,
} from 'sluice';
import { text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { marbleConnection } from '../support/marble-connection.js';
import { type Marbles, marbles } from '../support/marbles.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

const isA = (message: Message): boolean => message === 'a';
const times = { message: 'p', interval: 5, timeout: 3 } as const;

/** What a peer that is given up gives, noted with its frame. */
function failures(watched$: Observable<never>, { scheduler }: Marbles): unknown[] {
  const found: unknown[] = [];
  watched$.subscribe({ error: (error: unknown) => found.push([scheduler.now(), error]) });
  return found;
}

describe('keepAlive', () => {
  it('sends its message every interval, and takes the answers out', () =>
    marbles((helpers) => {
      const { expectObservable, scheduler } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '------a--b-a----a--');
      const unsub = '                                          ------------------!';
      expectObservable(sent$).toBe('                           -----p----p----p---');
      expectObservable(connection.messages$).toBe('            ---------b---------');
      expectObservable(keepAlive(connection, { ...times, isAnswer: isA, scheduler }), unsub).toBe(
        '-------------------',
      );
    }));

  it('gives a peer up that is silent: terminates it, and errors as a heartbeat does', () => {
    let found: unknown[] = [];
    const ended: unknown[] = [];
    marbles((helpers) => {
      const { connection } = marbleConnection(helpers, '------a');
      found = failures(keepAlive(connection, { ...times, isAnswer: isA, scheduler: helpers.scheduler }), helpers);
      connection.close$.subscribe(({ code }) => ended.push([helpers.scheduler.now(), code]));
    });
    expect(found).toEqual([[13, expect.any(WebSocketError)]]);
    expect(found).toMatchObject([[13, { code: 'HEARTBEAT_TIMEOUT', uptime: 13 }]]);
    expect(ended).toEqual([[13, 1006]]);
  });

  it('counts any byte as life', () => {
    let found: unknown[] = [];
    marbles((helpers) => {
      const { connection } = marbleConnection(helpers, '-------x----x----x');
      found = failures(keepAlive(connection, { ...times, isAnswer: isA, scheduler: helpers.scheduler }), helpers);
    });
    expect(found).toMatchObject([[23, { code: 'HEARTBEAT_TIMEOUT' }]]);
  });

  it('gives up no peer while reading is paused for want of demand, and looks again afterwards', () => {
    let found: unknown[] = [];
    let foundWhilePaused = -1;
    marbles((helpers) => {
      const { scheduler } = helpers;
      const { connection, peer } = memoryConnection({ scheduler, highWaterMark: 100 });
      peer(text('.'.repeat(200)));
      found = failures(keepAlive(connection, { ...times, scheduler }), helpers);
      scheduler.schedule(() => {
        foundWhilePaused = found.length;
        connection.messages$.subscribe();
      }, 100);
    });
    expect(foundWhilePaused).toBe(0);
    expect(found).toHaveLength(1);
    expect((found[0] as [number])[0]).toBeGreaterThan(100);
  });

  it('takes its message from a function each time', () =>
    marbles((helpers) => {
      const { expectObservable, scheduler } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '------a----a---');
      let count = 0;
      expectObservable(sent$).toBe('                           -----b----c----', { b: 'ping 1', c: 'ping 2' });
      const message = (): string => `ping ${++count}`;
      expectObservable(keepAlive(connection, { ...times, message, scheduler }), '14ms !').toBe('-');
    }));

  it('beats every timeout where that is longer than the interval', () =>
    marbles((helpers) => {
      const { expectObservable, scheduler } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '---a----a--');
      expectObservable(sent$).toBe('                           --p---p---p');
      const watched$ = keepAlive(connection, { message: 'p', interval: 2, timeout: 4, scheduler });
      expectObservable(watched$, '11ms !').toBe('-');
    }));

  describe('its end', () => {
    it.each([
      ['the peer closes', '------a-|'],
      ['the connection is lost', '------a-#'],
    ])('is completion when %s', (_, received) =>
      marbles((helpers) => {
        const { connection } = marbleConnection(helpers, received);
        const watched$ = keepAlive(connection, { ...times, scheduler: helpers.scheduler });
        helpers.expectObservable(watched$).toBe('--------|');
      }),
    );

    it('is that of the connection while it closes', () => {
      let found: unknown[] = [];
      marbles((helpers) => {
        const { connection } = marbleConnection(helpers, '-', { closeTimeout: 1_000 });
        found = failures(keepAlive(connection, { ...times, scheduler: helpers.scheduler }), helpers);
        connection.close();
      });
      expect(found).toEqual([]);
    });

    it('is an error of isAnswer, of the function for the message, or of what cannot be sent; the connection stays open', () => {
      const failure = new Error('no JSON');
      const fail = (): never => {
        throw failure;
      };
      const errors: unknown[] = [];
      marbles((helpers) => {
        const { scheduler } = helpers;
        const { connection } = marbleConnection(helpers, '-a');
        for (const wrong of [{ isAnswer: fail }, { message: fail }, { message: 42 as never }])
          keepAlive(connection, { ...times, ...wrong, scheduler }).subscribe({
            error: (error: unknown) => errors.push([scheduler.now(), connection.readyState, error]),
          });
      });
      expect(errors).toEqual([
        [1, 1, failure],
        [5, 1, failure],
        [5, 1, expect.any(UsageError)],
      ]);
    });

    it('sends no more when it is unsubscribed, and leaves the connection open', () =>
      marbles((helpers) => {
        const { expectObservable, scheduler } = helpers;
        const { connection, sent$ } = marbleConnection(helpers, '-------a----');
        expectObservable(sent$).toBe('                           -----p------');
        const watched$ = keepAlive(connection, { ...times, isAnswer: isA, scheduler });
        expectObservable(watched$, '------!').toBe('------');
        expectObservable(connection.messages$).toBe('            -------a----');
      }));
  });

  it.each([
    [{ message: 'p', interval: 0 }, RangeError, 'interval is 0, allowed are numbers from 1 to 2147483647'],
    [{ message: 'p', timeout: 0 }, RangeError, 'timeout is 0'],
    [{ message: 'p', isAnswer: 'a' }, TypeError, 'isAnswer is string, allowed is a function'],
    [{}, TypeError, 'message is undefined'],
  ])('refuses %p at the call', (options, type, message) => {
    const { connection } = memoryConnection();
    expect(() => keepAlive(connection, options as never)).toThrow(type);
    expect(() => keepAlive(connection, options as never)).toThrow(message);
  });

  it('emits nothing, so that it can be merged into anything', () => {
    const { connection } = memoryConnection();
    const merged$ = merge(connection.messages$, keepAlive(connection as Connection, { message: 'p' }));
    expectTypeOf(merged$).toEqualTypeOf<Observable<Message>>();
  });
});

describe('keepAlive over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('gives a silent server up, so that the client dials again', async () => {
    let connections = 0;
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn) => {
          connections++;
          // The first one neither answers nor reads.
          if (connections === 1) return [];
          return conn.messages$.pipe(
            mergeMap((message, index) => {
              conn.send.next(message === 'ping' ? 'pong' : 'what?');
              if (index === 1) {
                conn.send.next('news');
                conn.close();
              }
              return [];
            }),
          );
        }),
      ),
    );
    const messages$ = connect(url, { heartbeat: false }).pipe(
      mergeMap((conn) =>
        merge(
          conn.messages$,
          keepAlive(conn, { message: 'ping', interval: 10, timeout: 40, isAnswer: (message) => message === 'pong' }),
        ),
      ),
      reconnect({ initial: 1 }),
    );
    expect(await firstValueFrom(messages$.pipe(toArray()))).toEqual(['news']);
    expect(connections).toBe(2);
  });
});
