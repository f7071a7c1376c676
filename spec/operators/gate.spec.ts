import { expectTypeOf } from 'expect-type';
import {
  BehaviorSubject,
  firstValueFrom,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  take,
  tap,
  toArray,
} from 'rxjs';
import { gate, serve, UsageError } from 'sluice';
import { Holdable } from '../support/holdable.js';
import { Loopback } from '../support/loopback.js';
import { marbles } from '../support/marbles.js';
import { guardProcess } from '../support/process-guard.js';

const MANY = 20_000;
const bool = { t: true, f: false };

describe('gate', () => {
  it('passes values while the latest of open$ is true, and holds its source otherwise', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, scheduler }) => {
      const messages$ = cold('-a-b-c------d|');
      const open$ = hot('     t--f----t-----', bool);
      const expected = '      -a------(bc)d|';
      const source = new Holdable(messages$, scheduler);
      expectObservable(source.pipe(gate(open$))).toBe(expected);
      expectSubscriptions(source.holds).toBe(['(^!)', '---^----!']);
    }));

  it('holds from the beginning until open$ says true for the first time', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, scheduler }) => {
      const messages$ = cold('ab-c|');
      const open$ = hot('     --f-----t-', bool);
      const expected = '      --------(abc|)';
      const source = new Holdable(messages$, scheduler);
      expectObservable(source.pipe(gate(open$))).toBe(expected);
      expectSubscriptions(source.holds).toBe('^-------!');
    }));

  it('takes one hold for many false, and nothing for many true', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, scheduler }) => {
      const messages$ = cold('----a--b--');
      const open$ = hot('     ttf-ff-tt-', bool);
      const source = new Holdable(messages$, scheduler);
      expectObservable(source.pipe(gate(open$))).toBe('-------(ab)');
      expectSubscriptions(source.holds).toBe(['(^!)', '--^----!']);
    }));

  describe('its end', () => {
    it('completes when open$ completes, open or not, and releases the hold', () =>
      marbles(({ cold, hot, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold('-a-b-');
        const open$ = hot('     -f-|', bool);
        const source = new Holdable(messages$, scheduler);
        expectObservable(source.pipe(gate(open$))).toBe('---|');
        expectSubscriptions(messages$.subscriptions).toBe('^--!');
        expectSubscriptions(source.holds).toBe('^--!');
      }));

    it('errors with open$, and leaves the source', () =>
      marbles(({ cold, hot, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold('-a-b-');
        const open$ = hot('     t-#', bool);
        const source = new Holdable(messages$, scheduler);
        expectObservable(source.pipe(gate(open$))).toBe('-a#');
        expectSubscriptions(messages$.subscriptions).toBe('^-!');
        expectSubscriptions(source.holds).toBe('(^!)');
      }));

    it('errors with the source, and leaves open$', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const source = new Holdable(cold('--#'), scheduler);
        const open$ = cold('              t---', bool);
        expectObservable(source.pipe(gate(open$))).toBe('--#');
        expectSubscriptions(open$.subscriptions).toBe('^-!');
        expectSubscriptions(source.holds).toBe('(^!)');
      }));

    it('completes with the source when nothing waits, and leaves open$', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const source = new Holdable(cold('-a-|'), scheduler);
        const open$ = cold('              t-----', bool);
        expectObservable(source.pipe(gate(open$))).toBe('-a-|');
        expectSubscriptions(open$.subscriptions).toBe('^--!');
      }));

    it('unsubscribes both, and releases the hold', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold('-a-b-');
        const open$ = cold('    --f--', bool);
        const source = new Holdable(messages$, scheduler);
        expectObservable(source.pipe(gate(open$)), '---!').toBe('----');
        expectSubscriptions(messages$.subscriptions).toBe('^--!');
        expectSubscriptions(open$.subscriptions).toBe('^--!');
        expectSubscriptions(source.holds).toBe('^--!');
      }));

    it('leaves what waited to the next subscriber when it is unsubscribed', () => {
      const source$ = new Subject<string>();
      const source = new Holdable(source$);
      const seen: string[] = [];
      const subscription = source.pipe(gate(NEVER)).subscribe((value) => seen.push(value));
      source$.next('a');
      source$.next('b');
      subscription.unsubscribe();
      expect(seen).toEqual([]);
      expect(source.waiting).toEqual(['a', 'b']);
      expect(source.isHeld).toBe(false);
    });
  });

  describe('what comes in spite of the hold', () => {
    it('waits, in order, and goes first', () =>
      marbles(({ cold, hot, expectObservable, scheduler }) => {
        const messages = new Holdable(cold('-a-b-|'), scheduler);
        const open$ = hot('                 t-----t----', bool);
        const shut = new BehaviorSubject(true);
        const parts$ = messages.pipe(
          mergeMap((message) => of(`${message}1`, `${message}2`)),
          gate(new Observable<boolean>((subscriber) => shut.subscribe(subscriber)), { on: messages }),
          tap(() => shut.next(false)),
        );
        open$.subscribe(() => shut.next(true));
        expectObservable(parts$).toBe('-a----b', { a: 'a1', b: 'a2' });
      }));

    it('is delivered before the source completes', () =>
      marbles(({ cold, hot, expectObservable }) => {
        const open$ = hot(' f---t', bool);
        const source$ = cold('ab|');
        expectObservable(source$.pipe(gate(open$, { on: new Holdable(NEVER) }))).toBe('----(ab|)');
      }));

    it('keeps its order and the stack when open$ changes with each value', () => {
      const open$ = new BehaviorSubject(false);
      const seen: number[] = [];
      let depth = 0;
      let deepest = 0;
      range(0, MANY)
        .pipe(gate(open$, { on: new Holdable(NEVER) }))
        .subscribe((value) => {
          deepest = Math.max(deepest, ++depth);
          seen.push(value);
          open$.next(false);
          open$.next(true);
          depth--;
        });
      expect(seen).toEqual([]);
      open$.next(true);
      expect(seen.length).toBe(MANY);
      expect(seen.every((value, index) => value === index)).toBe(true);
      expect(deepest).toBe(1);
    });
  });

  describe('synchronous sources', () => {
    it('passes many without growing the stack', () => {
      let count = 0;
      new Holdable(range(0, MANY)).pipe(gate(new BehaviorSubject(true))).subscribe(() => count++);
      expect(count).toBe(MANY);
    });

    it('takes no more once its subscriber has left', () => {
      const source$ = new Subject<number>();
      const source = new Holdable(source$);
      const open$ = new BehaviorSubject(false);
      const seen: number[] = [];
      source.pipe(gate(open$), take(2)).subscribe((value) => seen.push(value));
      for (const value of [1, 2, 3, 4]) source$.next(value);
      open$.next(true);
      expect(seen).toEqual([1, 2]);
      expect(source.waiting).toEqual([3, 4]);
      expect(open$.observed).toBe(false);
    });

    it('holds as soon as open$ says false while a value is delivered', () => {
      const source = new Holdable(of(1, 2, 3));
      const open$ = new BehaviorSubject(true);
      const seen: number[] = [];
      source.pipe(gate(open$)).subscribe((value) => {
        seen.push(value);
        open$.next(false);
      });
      expect(seen).toEqual([1]);
      open$.next(true);
      expect(seen).toEqual([1, 2]);
    });
  });

  describe('what it holds', () => {
    it('errors with NOT_HOLDABLE behind other operators', () => {
      const errors: unknown[] = [];
      const gated$ = new Holdable(of('1')).pipe(map(Number), gate(of(true)));
      gated$.subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([expect.any(UsageError)]);
      expect(errors[0]).toMatchObject({ code: 'NOT_HOLDABLE', message: expect.stringMatching(/^gate .*\{ on: /) });
    });

    it('holds the connection that is named with on', () =>
      marbles(({ cold, hot, expectObservable, expectSubscriptions, scheduler }) => {
        const source = new Holdable(cold('12|'), scheduler);
        const open$ = hot('               ---t', bool);
        expectObservable(source.pipe(map(Number), gate(open$, { on: source }))).toBe('---(ab|)', { a: 1, b: 2 });
        expectSubscriptions(source.holds).toBe('^--!');
      }));
  });

  it('keeps the type', () => {
    expectTypeOf(new Holdable(of('a')).pipe(gate(of(true)))).toEqualTypeOf<Observable<string>>();
  });
});

describe('gate on a connection', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('keeps messages with the peer until it opens, in order', async () => {
    const open$ = new BehaviorSubject(false);
    const seen: unknown[] = [];
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn) => conn.messages$.pipe(gate(open$))),
        tap((message) => seen.push(message)),
      ),
    );
    const client = await loopback.connect(url);
    client.send.next('a');
    client.send.next('b');
    // The pong says that the server has read both.
    await firstValueFrom(client.ping());
    expect(seen).toEqual([]);
    open$.next(true);
    expect(seen).toEqual(['a', 'b']);
  });

  it('paces one connection by the readiness of another', async () => {
    const blocks = 200;
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(mergeMap((conn) => conn.messages$.pipe(gate(conn.send.ready$), tap(conn.send)))),
    );
    const client = await loopback.connect(url);
    const first$ = client.messages$.pipe(map((data) => (data as Buffer)[0]));
    const echoed = firstValueFrom(first$.pipe(take(blocks), toArray()));
    const sent = firstValueFrom(client.sendFrom(Array.from({ length: blocks }, (_, i) => Buffer.alloc(65_536, i))));
    expect(await echoed).toEqual(Array.from({ length: blocks }, (_, i) => i));
    expect(await sent).toBe(blocks);
  });
});
