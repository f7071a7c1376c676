import { expectTypeOf } from 'expect-type';
import {
  concatMap,
  from,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  range,
  Subject,
  take,
  tap,
  VirtualTimeScheduler,
} from 'rxjs';
import { type Connection, limitRate, serve, UsageError } from 'sluice';
import { Holdable } from '../support/holdable.js';
import { Loopback } from '../support/loopback.js';
import { marbles } from '../support/marbles.js';
import { guardProcess } from '../support/process-guard.js';

const MANY = 20_000;

describe('limitRate', () => {
  it('passes so many in each window, and holds its source for the rest of it', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const messages$ = cold('-abcd-----e-----|');
      const expected = '      -ab---(cd)-e----|';
      const source = new Holdable(messages$, scheduler);
      expectObservable(source.pipe(limitRate({ messages: 2, perMs: 5, scheduler }))).toBe(expected);
      expectSubscriptions(source.holds).toBe(['--^---!', '------^----!']);
    }));

  it('begins a window with its first message', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source = new Holdable(cold('a---b-c-----d|'), scheduler);
      const expected = '                a---b-c-----d|';
      expectObservable(source.pipe(limitRate({ messages: 2, perMs: 5, scheduler }))).toBe(expected);
      expectSubscriptions(source.holds).toBe('----^!');
    }));

  describe('its end', () => {
    it('completes with the source, behind what waits', () =>
      marbles(({ cold, expectObservable, scheduler }) => {
        const held = new Holdable(NEVER, scheduler);
        const limited$ = cold('(abc|)').pipe(limitRate({ messages: 1, perMs: 5, on: held, scheduler }));
        expectObservable(limited$).toBe('a----b----(c|)');
      }));

    it('errors with the source at once, and releases the hold', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const held = new Holdable(NEVER, scheduler);
        const limited$ = cold('ab-#').pipe(limitRate({ messages: 1, perMs: 5, on: held, scheduler }));
        expectObservable(limited$).toBe('a--#');
        expectSubscriptions(held.holds).toBe('^--!');
      }));

    it('releases the hold when it is unsubscribed, and leaves the source', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold('ab------');
        const source = new Holdable(messages$, scheduler);
        expectObservable(source.pipe(limitRate({ messages: 1, perMs: 5, scheduler })), '---!').toBe('a---');
        expectSubscriptions(source.holds).toBe('^--!');
        expectSubscriptions(messages$.subscriptions).toBe('^--!');
      }));

    it('leaves what waited to the next subscriber when it is unsubscribed', () => {
      const source$ = new Subject<string>();
      const source = new Holdable(source$);
      const limited = source
        .pipe(limitRate({ messages: 1, perMs: 5, scheduler: new VirtualTimeScheduler() }))
        .subscribe();
      for (const value of ['a', 'b', 'c']) source$.next(value);
      limited.unsubscribe();
      expect(source.waiting).toEqual(['b', 'c']);
      expect(source.isHeld).toBe(false);
    });
  });

  it('keeps what comes in spite of the hold, in order, and counts it', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const source = new Holdable(cold('a--b|'), scheduler);
      const parts$ = source.pipe(
        concatMap((message) => from([`${message}1`, `${message}2`, `${message}3`])),
        limitRate({ messages: 2, perMs: 5, on: source, scheduler }),
      );
      const values = { a: 'a1', b: 'a2', c: 'a3', d: 'b1', e: 'b2', f: 'b3' };
      // At 5 there is room for one more message, whose first part is the last of this window.
      expectObservable(parts$).toBe('(ab)-(cd)-(ef)-|', values);
    }));

  describe('reentrancy', () => {
    it('holds before the last message of a window is passed: a source that delivers more meanwhile waits', () => {
      const source$ = new Subject<number>();
      const source = new Holdable(source$);
      const seen: number[] = [];
      const heldAt: boolean[] = [];
      source.pipe(limitRate({ messages: 2, perMs: 5, scheduler: new VirtualTimeScheduler() })).subscribe((value) => {
        seen.push(value);
        heldAt.push(source.isHeld);
        if (value < 5) source$.next(value + 1);
      });
      source$.next(1);
      expect({ seen, heldAt, waiting: source.waiting }).toEqual({ seen: [1, 2], heldAt: [false, true], waiting: [3] });
    });

    it('takes no more once its subscriber has left', () => {
      const source = new Holdable(of(1, 2, 3));
      const seen: number[] = [];
      source.pipe(limitRate({ messages: 5, perMs: 5 }), take(2)).subscribe((value) => seen.push(value));
      expect([seen, source.isHeld]).toEqual([[1, 2], false]);
    });
  });

  describe('synchronous sources', () => {
    it('passes many without growing the stack', () => {
      let count = 0;
      const scheduler = new VirtualTimeScheduler();
      const limited$ = new Holdable(range(0, MANY)).pipe(limitRate({ messages: MANY, perMs: 5, scheduler }));
      limited$.subscribe(() => count++);
      expect(count).toBe(MANY);
    });

    it('passes many that ignore the hold, window by window', () => {
      const scheduler = new VirtualTimeScheduler();
      const on = new Holdable(NEVER);
      const windows = new Map<number, number>();
      range(0, MANY)
        .pipe(limitRate({ messages: 5_000, perMs: 10, on, scheduler }))
        .subscribe(() => windows.set(scheduler.now(), (windows.get(scheduler.now()) ?? 0) + 1));
      scheduler.flush();
      expect([...windows]).toEqual([
        [0, 5_000],
        [10, 5_000],
        [20, 5_000],
        [30, 5_000],
      ]);
    });
  });

  it('errors with NOT_HOLDABLE behind other operators', () => {
    const errors: unknown[] = [];
    const limited$ = new Holdable(of('1')).pipe(map(Number), limitRate({ messages: 1, perMs: 1 }));
    limited$.subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([expect.any(UsageError)]);
    expect(errors[0]).toMatchObject({ code: 'NOT_HOLDABLE', message: expect.stringMatching(/^limitRate /) });
  });

  it.each([
    [{ messages: 0, perMs: 1 }, RangeError, 'messages must be a number of at least 1, got 0'],
    [{ messages: 1, perMs: 0 }, RangeError, 'perMs must be a number from 1 to 2147483647, got 0'],
    [{ perMs: 1 }, TypeError, 'messages must be a number of at least 1, got undefined'],
    [{ messages: '5', perMs: 1 }, TypeError, 'messages must be a number of at least 1, got "5"'],
  ])('refuses %p at the call', (options, type, message) => {
    expect(() => limitRate(options as never)).toThrow(type);
    expect(() => limitRate(options as never)).toThrow(message);
  });

  it('keeps the type', () => {
    expectTypeOf(of('a').pipe(limitRate({ messages: 1, perMs: 1 }))).toEqualTypeOf<Observable<string>>();
  });
});

describe('limitRate on a connection', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('pauses a peer that sends more, keeps what it has read within the mark, and loses nothing', async () => {
    const [count, size] = [600, 2_000];
    const scheduler = new VirtualTimeScheduler(undefined, 0);
    const seen: unknown[] = [];
    let conn: Connection | undefined;
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        tap((each) => (conn = each)),
        mergeMap((each) => each.messages$.pipe(limitRate({ messages: 10, perMs: 1_000, scheduler }))),
        tap((message) => seen.push(message)),
      ),
    );
    const client = await loopback.connect(url);
    const sent = Array.from({ length: count }, (_, i) => `${i} ${'x'.repeat(size)}`);
    client.sendFrom(sent).subscribe();
    const most = { passed: 0, waiting: 0 };
    while (seen.length < count) {
      const before = seen.length;
      // Nothing of the network comes in between: this is one window at most.
      scheduler.maxFrames = scheduler.frame + 1_000;
      scheduler.flush();
      most.passed = Math.max(most.passed, seen.length - before);
      most.waiting = Math.max(most.waiting, conn?.stats.inboxBytes ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual(sent);
    expect(most.passed).toBe(10);
    expect(most.waiting).toBeGreaterThan(0);
    expect(most.waiting).toBeLessThanOrEqual(65_536 + size + 200 + 65_536);
  });
});
