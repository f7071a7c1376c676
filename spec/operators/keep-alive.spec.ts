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
import { connectionPair, stallReads } from 'sluice/testing';
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

  describe('a peer that has stopped reading', () => {
    const stalledTimes = { ...times, stalledTimeout: 20 } as const;
    /** When each was given up, and why. */
    const ends = (prepare: (helpers: Marbles) => Observable<never>): unknown[] => {
      let found: unknown[] = [];
      marbles((helpers) => {
        found = failures(prepare(helpers), helpers);
      });
      return found.map((each) => {
        const [frame, error] = each as [number, WebSocketError];
        return [frame, error.code, error.message];
      });
    };
    const dead = (frame: number) => [frame, 'HEARTBEAT_TIMEOUT', 'no byte came for 3 ms after a message of keepAlive'];
    const stalled = (frame: number) => [
      frame,
      'HEARTBEAT_TIMEOUT',
      'nothing has moved for 20 ms, with messages unread before one of keepAlive',
    ];

    it('is not given up before stalledTimeout, and not at all once it reads again', () => {
      marbles((helpers) => {
        const { scheduler, expectObservable } = helpers;
        const { client, server } = connectionPair({ scheduler });
        server.messages$.subscribe((message) => {
          if (message === 'p') server.send.next('a');
        });
        const stall = stallReads(server as Connection);
        client.send.next('data');
        scheduler.schedule(() => stall.unsubscribe(), 119_000);
        const watched$ = keepAlive(client as Connection, { message: 'p', isAnswer: isA, scheduler });
        expectObservable(watched$, '10m !').toBe('-');
      });
    });

    it('is given up after stalledTimeout without a byte in either direction; by default two minutes', () => {
      expect(
        ends((helpers) => {
          const { connection } = marbleConnection(helpers, '-');
          connection.send.next('data');
          return keepAlive(connection, { ...stalledTimes, scheduler: helpers.scheduler });
        }),
      ).toEqual([stalled(25)]);
      const found = ends((helpers) => {
        const { connection } = marbleConnection(helpers, '-');
        connection.send.next('data');
        return keepAlive(connection, { message: 'p', scheduler: helpers.scheduler });
      });
      expect(found).toEqual([[150_000, 'HEARTBEAT_TIMEOUT', expect.stringContaining('120000 ms')]]);
    });

    it('is given up after timeout when the last answer came after all that was sent, or nothing was sent', () => {
      for (const answers of [{}, { isAnswer: isA }]) {
        expect(
          ends((helpers) => {
            const { connection } = marbleConnection(helpers, '------a');
            connection.send.next('data');
            return keepAlive(connection, { ...stalledTimes, ...answers, scheduler: helpers.scheduler });
          }),
        ).toEqual([dead(13)]);
      }
    });

    it('may have unread what was sent since the last message that was answered, be it after the next one', () => {
      for (const frame of [7, 12]) {
        expect(
          ends((helpers) => {
            const { connection } = marbleConnection(helpers, '------a');
            helpers.scheduler.schedule(() => connection.send.next('data'), frame);
            return keepAlive(connection, { ...stalledTimes, isAnswer: isA, scheduler: helpers.scheduler });
          }),
        ).toEqual([stalled(30)]);
      }
    });

    it('has read nothing by sending something else, where answers are known', () => {
      expect(
        ends((helpers) => {
          const { connection } = marbleConnection(helpers, '------x');
          connection.send.next('data');
          return keepAlive(connection, { ...stalledTimes, isAnswer: isA, scheduler: helpers.scheduler });
        }),
      ).toEqual([stalled(30)]);
    });

    it('answers in order: a late answer tells of the message that it is for', () => {
      // Beats at 5, 10 and 15; the answer to the first one comes after the second.
      expect(
        ends((helpers) => {
          const { connection } = marbleConnection(helpers, '------x----a-');
          helpers.scheduler.schedule(() => connection.send.next('data'), 7);
          return keepAlive(connection, { ...stalledTimes, isAnswer: isA, scheduler: helpers.scheduler });
        }),
      ).toEqual([stalled(35)]);
    });

    it('may owe any number of answers', () => {
      expect(
        ends((helpers) => {
          const { scheduler } = helpers;
          const { connection, peer } = memoryConnection({ scheduler });
          connection.send.subscribe(() => {
            if (scheduler.now() <= 750) peer(text('x'));
          });
          connection.send.next('data');
          return keepAlive(connection, { ...stalledTimes, isAnswer: isA, scheduler });
        }),
      ).toEqual([stalled(775)]);
    });

    it('is alive while the transport takes what waits', () => {
      expect(
        ends((helpers) => {
          const { scheduler } = helpers;
          const { connection, port } = memoryConnection({ scheduler });
          port.block();
          for (let i = 0; i < 3; i++) connection.send.next('.'.repeat(100_000));
          // First fewer bytes wait, then others take their place.
          scheduler.schedule(() => {
            port.pending -= 50_000;
          }, 22);
          scheduler.schedule(() => port.drain(), 40);
          return keepAlive(connection, { ...stalledTimes, scheduler });
        }),
      ).toEqual([stalled(61)]);
    });

    it('is not alive because the kernel takes what is sent to nobody, or the oldest is dropped', () => {
      expect(
        ends((helpers) => {
          const { connection } = marbleConnection(helpers, '-');
          helpers.cold('-a'.repeat(40)).subscribe((value) => connection.send.next(value));
          return keepAlive(connection, { ...stalledTimes, scheduler: helpers.scheduler });
        }),
      ).toEqual([stalled(25)]);
      expect(
        ends((helpers) => {
          const { scheduler } = helpers;
          const { connection, port } = memoryConnection({ scheduler, overflow: 'drop-oldest', maxBufferedAmount: 300 });
          port.block();
          helpers.cold('a'.repeat(80)).subscribe({
            next: () => connection.send.next('.'.repeat(1 + (scheduler.now() % 7) * 10)),
          });
          return keepAlive(connection, { ...stalledTimes, scheduler });
        }),
      ).toEqual([stalled(25)]);
    });

    it('counts messages that are dropped for none', () => {
      const sent: unknown[] = [];
      expect(
        ends((helpers) => {
          const { scheduler } = helpers;
          const { connection, port } = memoryConnection({ scheduler, overflow: 'drop-newest', maxBufferedAmount: 20 });
          port.block();
          connection.send.next('0123456789');
          const message = (): string => {
            sent.push(scheduler.now());
            return '.'.repeat(100);
          };
          return keepAlive(connection, { ...stalledTimes, message, scheduler });
        }),
      ).toEqual([stalled(25)]);
      expect(sent).toEqual([5]);
    });

    it('is not looked at while reading is paused: that begins anew', () => {
      const found = ends((helpers) => {
        const { scheduler } = helpers;
        const { connection, peer } = memoryConnection({ scheduler, highWaterMark: 100 });
        connection.send.next('data');
        peer(text('.'.repeat(200)));
        scheduler.schedule(() => connection.messages$.subscribe(), 100);
        return keepAlive(connection, { ...stalledTimes, scheduler });
      });
      expect(found).toEqual([stalled(118)]);
    });

    it('waits for stalledTimeout no shorter than for timeout', () => {
      const found = ends((helpers) => {
        const { connection } = marbleConnection(helpers, '-');
        connection.send.next('data');
        return keepAlive(connection, { ...times, stalledTimeout: 1, scheduler: helpers.scheduler });
      });
      expect(found).toEqual([[8, 'HEARTBEAT_TIMEOUT', expect.stringContaining('1 ms')]]);
    });
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
    [{ message: 'p', interval: 0 }, RangeError, 'interval must be a number from 1 to 2147483647, got 0'],
    [{ message: 'p', timeout: 0 }, RangeError, 'timeout must be a number from 1'],
    [{ message: 'p', stalledTimeout: Number.POSITIVE_INFINITY }, RangeError, 'stalledTimeout must be a number from 1'],
    [{ message: 'p', isAnswer: 'a' }, TypeError, 'isAnswer must be a function, got "a"'],
    [{}, TypeError, 'message must be something that the connection can send'],
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
