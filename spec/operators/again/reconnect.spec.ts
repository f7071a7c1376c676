import { expectTypeOf } from 'expect-type';
import {
  defer,
  EMPTY,
  finalize,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  take,
  throwError,
  toArray,
  VirtualTimeScheduler,
} from 'rxjs';
import { ConnectionClosedError, connect, HandshakeError, reconnect, reject, serve } from 'sluice';
import { endAfterEach } from '../../support/end-after-each.js';
import { Loopback } from '../../support/loopback.js';
import { marbles } from '../../support/marbles.js';
import { guardProcess } from '../../support/process-guard.js';
import { seeded } from '../../support/seeded.js';

const MANY = 20_000;
const lost = (uptime: number): Error =>
  Object.assign(new ConnectionClosedError({ code: 1006, reason: '', wasClean: false }), { uptime });
/** Waits of exactly 4, 8, 16 frames. */
const policy = { initial: 4, factor: 2, max: 16, minUptime: 5, random: () => 1 };

describe('reconnect', () => {
  it('subscribes again behind errors that may pass, later each time', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source = cold('  -a#', undefined, lost(2));
      const expected = '     -a-----a---------';
      const subscriptions = ['^-!', '------^-!', '----------------^!'];
      expectObservable(source.pipe(reconnect({ ...policy, scheduler })), '-----------------!').toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subscriptions);
    }));

  it('starts anew with the first wait behind an error whose connection was open for minUptime', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source = cold('-----a#', undefined, lost(6));
      expectObservable(source.pipe(reconnect({ ...policy, scheduler })), '25ms !').toBe('-----a---------a');
      expectSubscriptions(source.subscriptions).toBe(['^-----!', '----------^-----!', '20ms ^----!']);
    }));

  it('works anywhere downstream', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const source = cold('    -a-#', undefined, lost(2));
      const expected = '       --r------r--';
      const results$ = source.pipe(
        mergeMap((value) => cold('-r-', { r: `reply to ${value}` })),
        reconnect({ ...policy, scheduler }),
      );
      expectObservable(results$, '----------!').toBe(expected, { r: 'reply to a' });
    }));

  describe('its end', () => {
    it('completes with the source', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const source = cold('-a|');
        expectObservable(source.pipe(reconnect({ ...policy, scheduler }))).toBe('-a|');
        expectSubscriptions(source.subscriptions).toBe('^-!');
      }));

    it.each([
      ['of an application', new TypeError('mine')],
      ['of a refusal', new HandshakeError('UNEXPECTED_STATUS', 'no', { status: 401 })],
    ])('passes an error on %s', (_, error) =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const source = cold('-a#', undefined, error);
        expectObservable(source.pipe(reconnect({ ...policy, scheduler }))).toBe('-a#', undefined, error);
        expectSubscriptions(source.subscriptions).toBe('^-!');
      }),
    );

    it('passes the error on behind maxAttempts in a row', () =>
      marbles(({ cold, expectObservable, scheduler }) => {
        const error = lost(0);
        const lasting$ = cold('#', undefined, error).pipe(reconnect({ ...policy, maxAttempts: 2, scheduler }));
        expectObservable(lasting$).toBe('12ms #', undefined, error);
      }));

    it('errors with what shouldRetry throws', () => {
      const failure = new RangeError('no such attempt');
      const errors: unknown[] = [];
      const shouldRetry = (): boolean => {
        throw failure;
      };
      throwError(() => lost(0))
        .pipe(reconnect({ shouldRetry }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([failure]);
    });

    it('ends the connection, or the wait, when it is unsubscribed', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const source = cold('-a#', undefined, lost(2));
        expectObservable(source.pipe(reconnect({ ...policy, scheduler })), '-!').toBe('--');
        expectObservable(source.pipe(reconnect({ ...policy, scheduler })), '---!').toBe('-a');
        expectSubscriptions(source.subscriptions).toBe(['^!', '^-!']);
      }));
  });

  describe('with repeat', () => {
    it('dials again behind completion too, anew when it was open for minUptime', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const short = cold('|');
        const long = cold(' -----a|');
        let count = 0;
        const source = defer(() => (count++ < 2 ? short : long));
        const lasting$ = source.pipe(reconnect({ ...policy, repeat: true, scheduler }));
        // Waits of 4 and 8, and of 4 again.
        expectObservable(lasting$, '23ms !').toBe('17ms a');
        expectSubscriptions(short.subscriptions).toBe(['(^!)', '4ms (^!)']);
        expectSubscriptions(long.subscriptions).toBe(['12ms ^-----!', '22ms ^!']);
      }));

    it('completes behind maxAttempts in a row', () =>
      marbles(({ cold, expectObservable, scheduler }) => {
        const lasting$ = cold('|').pipe(reconnect({ ...policy, repeat: true, maxAttempts: 2, scheduler }));
        expectObservable(lasting$).toBe('12ms |');
      }));
  });

  it('is not misled by a wall clock that is set while it is open', async () => {
    let days = 0;
    const wall = jest.spyOn(Date, 'now').mockImplementation(() => 86_400_000 * days);
    try {
      let dials = 0;
      const source = defer(() => {
        days++;
        return ++dials < 10 ? EMPTY : throwError(() => new Error('it took each for a day'));
      }).pipe(finalize(() => days++));
      await lastValueFrom(source.pipe(reconnect({ initial: 0, repeat: true, maxAttempts: 2 })), { defaultValue: 0 });
      expect(dials).toBe(3);
    } finally {
      wall.mockRestore();
    }
  });

  it('honours Retry-After, in seconds and as a date', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const busy = (value: string): Error =>
        new HandshakeError('UNEXPECTED_STATUS', 'busy', { status: 503, headers: { 'retry-after': value } });
      const errors = [busy('2'), busy(new Date(5_000).toUTCString())];
      const served = cold('c');
      const source = defer(() => (errors.length > 0 ? throwError(() => errors.shift()) : served));
      const lasting$ = source.pipe(reconnect({ ...policy, random: () => 0, scheduler }));
      expectObservable(lasting$, '6s !').toBe('5s c');
      expectSubscriptions(served.subscriptions).toBe('5s ^ 999ms !');
    }));

  it.each([
    ['5 minutes', {}, '5m c'],
    ['maxRetryAfter', { maxRetryAfter: 3_000 }, '3s c'],
  ])('waits no longer than %s, however long the server asks for', (_what, limit, expected) =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const busy = { status: 503, headers: { 'retry-after': '2147483' } };
      const errors = [new HandshakeError('UNEXPECTED_STATUS', 'busy', busy)];
      const source = defer(() => (errors.length > 0 ? throwError(() => errors.shift()) : cold('c')));
      const lasting$ = source.pipe(reconnect({ ...policy, ...limit, random: () => 0, scheduler }));
      expectObservable(lasting$, '6m !').toBe(expected);
    }),
  );

  it('is cold: each subscription has a backoff of its own', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const lasting$ = cold('a#', undefined, lost(1)).pipe(reconnect({ ...policy, scheduler }));
      expectObservable(lasting$, '------!').toBe('a----a');
      expectObservable(lasting$, '------!').toBe('a----a');
    }));

  describe('synchronous sources', () => {
    it('passes many values', () => {
      let count = 0;
      range(0, MANY)
        .pipe(reconnect())
        .subscribe(() => count++);
      expect(count).toBe(MANY);
    });

    it('does not grow the stack with the attempts', () => {
      const scheduler = new VirtualTimeScheduler();
      let attempts = 0;
      const error = lost(0);
      const source = defer(() => (++attempts < MANY ? throwError(() => error) : of('at last')));
      const seen: string[] = [];
      source.pipe(reconnect({ random: () => 0, scheduler })).subscribe((value) => seen.push(value));
      scheduler.flush();
      expect([attempts, seen]).toEqual([MANY, ['at last']]);
    }, 60_000);

    it('takes no more once its subscriber has left', () => {
      let subscriptions = 0;
      const source = new Observable<number>((subscriber) => {
        subscriptions++;
        subscriber.next(1);
        subscriber.error(lost(0));
      });
      source.pipe(reconnect({ initial: 0 }), take(1)).subscribe();
      expect(subscriptions).toBe(1);
    });
  });

  it('spreads the attempts of clients that were cut off together', () => {
    const [clients, outage, window] = [500, 60_000, 100];
    const scheduler = new VirtualTimeScheduler();
    const random = seeded(1);
    /** When the clients dialed for the first time again, for the second time, ... */
    const rounds: number[][] = [];
    for (let client = 0; client < clients; client++) {
      let round = 0;
      const dial$ = defer(() => {
        // They had been open for long when all of them are cut off at once.
        if (round++ === 0) return throwError(() => lost(10_000));
        rounds[round - 2] = [...(rounds[round - 2] ?? []), scheduler.now()];
        return scheduler.now() < outage ? throwError(() => lost(0)) : NEVER;
      });
      dial$.pipe(reconnect({ random, scheduler })).subscribe();
    }
    scheduler.flush();
    const all = rounds.flat().sort((a, b) => a - b);
    expect(all.length).toBeGreaterThan(clients * 5);
    // All are back, no longer after the server is than the longest wait.
    expect(all.filter((time) => time >= outage)).toHaveLength(clients);
    expect(all.at(-1)).toBeLessThan(outage + 30_000);
    // Nowhere more than three times the average of the time in which all of them dial once; and in no round more than its own.
    expect(busiest(all, window)).toBeLessThanOrEqual((3 * clients * window) / 500);
    expect(busiest(rounds[0] as number[], window)).toBeLessThanOrEqual((3 * clients * window) / 500);
    expect(busiest(rounds[1] as number[], window)).toBeLessThanOrEqual((3 * clients * window) / 1_500);
  });

  it.each([
    [{ initial: -1 }, RangeError],
    [{ factor: 0 }, RangeError],
    [{ maxAttempts: -1 }, RangeError],
    [{ shouldRetry: 'yes' as never }, TypeError],
  ])('refuses %p at the call', (wrong, type) => {
    expect(() => reconnect(wrong)).toThrow(type);
  });

  it('keeps the type', () => {
    expectTypeOf(of('a').pipe(reconnect())).toEqualTypeOf<Observable<string>>();
  });
});

describe('reconnect over sockets', () => {
  guardProcess();
  const end = endAfterEach();

  it('dials again until the server lets it in, and reads on', async () => {
    const loopback = new Loopback();
    end(() => loopback.end());
    let requests = 0;
    const url = await loopback.serve(
      serve({
        port: 0,
        host: '127.0.0.1',
        verifyClient: () => ++requests > 2 || reject(503, 'busy', { 'Retry-After': '0' }),
      }),
      (server) =>
        server.pipe(
          map((conn, index) => {
            conn.send.next(`hello ${index}`);
            conn.close(index < 2 ? 1012 : 1000);
          }),
        ),
    );
    const messages$ = connect(url).pipe(
      mergeMap((conn) => conn.messages$),
      reconnect({ initial: 5 }),
    );
    expect(await firstValueFrom(messages$.pipe(toArray()))).toEqual(['hello 0', 'hello 1', 'hello 2']);
    expect(requests).toBe(5);
  });
});

/** The most of sorted `times` that fall into one window of `width`. */
function busiest(times: readonly number[], width: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  sorted.forEach((time, index) => {
    while ((sorted[first] as number) <= time - width) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
}
