import { expectTypeOf } from 'expect-type';
import {
  bufferCount,
  EMPTY,
  finalize,
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
  throwError,
  toArray,
} from 'rxjs';
import { type Connection, demandMap, serve, UsageError } from 'sluice';
import { Holdable } from '../support/holdable.js';
import { Loopback } from '../support/loopback.js';
import { marbles } from '../support/marbles.js';
import { guardProcess } from '../support/process-guard.js';

const MANY = 20_000;

describe('demandMap', () => {
  it('runs one inner Observable at a time, and holds its source meanwhile', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const messages$ = cold(' -a-b----c--|');
      const inner$ = cold('     ---(r|)');
      //                           ---(r|)
      //                               ---(r|)
      const expected = '       ----r--r---(r|)';
      const source = new Holdable(messages$, scheduler);
      expectObservable(source.pipe(demandMap(() => inner$))).toBe(expected);
      expectSubscriptions(inner$.subscriptions).toBe(['-^--!', '----^--!', '--------^--!']);
      expectSubscriptions(source.holds).toBe([' -^--!', '----^--!', '--------^--!']);
    }));

  it('runs as many at a time as concurrency says, and holds only while all places are taken', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const messages$ = cold(' ab-c-----|');
      const inner$ = cold('    ---(r|)');
      const expected = '       ---rr-r--|';
      const source = new Holdable(messages$, scheduler);
      expectObservable(source.pipe(demandMap(() => inner$, 2))).toBe(expected);
      expectSubscriptions(inner$.subscriptions).toBe(['^--!', '-^--!', '---^--!']);
      expectSubscriptions(source.holds).toBe([' -^-!', '---^!']);
    }));

  it('takes the same options as an object', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source = new Holdable(cold('(ab|)'), scheduler);
      const inner$ = cold('             --(r|)');
      expectObservable(source.pipe(demandMap(() => inner$, { concurrency: 2 }))).toBe('--(rr|)');
      expectSubscriptions(source.holds).toBe('^-!');
    }));

  it('never holds for inner Observables that complete at once', () => {
    const source = new Holdable(range(1, 3));
    const results: string[] = [];
    source.pipe(demandMap((value, index) => of(`${index}:${value}`))).subscribe((result) => results.push(result));
    expect(results).toEqual(['0:1', '1:2', '2:3']);
    expect(source.holds).toEqual([]);
  });

  it('takes anything that from() takes', async () => {
    const source = new Holdable(of('a', 'b'));
    const results$ = source.pipe(demandMap((value) => Promise.resolve(value.toUpperCase())));
    expect(await firstValueFrom(results$.pipe(toArray()))).toEqual(['A', 'B']);
  });

  it('begins a value when the resources of the one before it are released', () => {
    const log: string[] = [];
    const inners = [new Subject<never>(), new Subject<never>()];
    const results$ = new Holdable(of(0, 1)).pipe(
      demandMap((index) => {
        log.push(`begin ${index}`);
        return (inners[index] as Subject<never>).pipe(finalize(() => log.push(`release ${index}`)));
      }),
    );
    results$.subscribe();
    inners[0]?.complete();
    expect(log).toEqual(['begin 0', 'release 0', 'begin 1']);
  });

  describe('its end', () => {
    it('completes when the source and all inner Observables have', () =>
      marbles(({ cold, expectObservable, scheduler }) => {
        const source = new Holdable(cold('-a|'), scheduler);
        expectObservable(source.pipe(demandMap(() => cold('--x--|'), 2))).toBe('---x--|');
      }));

    it('completes with a source that is empty', () =>
      marbles(({ cold, expectObservable, scheduler }) => {
        const source = new Holdable(cold('--|'), scheduler);
        expectObservable(source.pipe(demandMap(() => EMPTY))).toBe('--|');
      }));

    it('errors with an inner Observable, unsubscribes all others and the source, and releases the hold', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold(' ab-----');
        const inners = { a: cold('-----'), b: cold('--#') };
        const source = new Holdable(messages$, scheduler);
        expectObservable(source.pipe(demandMap((key) => inners[key as 'a' | 'b'], 2))).toBe('---#');
        expectSubscriptions(messages$.subscriptions).toBe('^--!');
        expectSubscriptions(inners.a.subscriptions).toBe('^--!');
        expectSubscriptions(source.holds).toBe('-^-!');
      }));

    it('errors with what project throws', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold('-a--');
        const source = new Holdable(messages$, scheduler);
        const fail = (): never => {
          throw 'refused';
        };
        expectObservable(source.pipe(demandMap(fail))).toBe('-#', undefined, 'refused');
        expectSubscriptions(messages$.subscriptions).toBe('^!');
        expectSubscriptions(source.holds).toBe([]);
      }));

    it('errors with the source, and unsubscribes the inner Observables', () =>
      marbles(({ hot, cold, expectObservable, expectSubscriptions, scheduler }) => {
        const inner$ = cold('-----');
        const source = new Holdable(hot('-a-#'), scheduler);
        expectObservable(source.pipe(demandMap(() => inner$))).toBe('---#');
        expectSubscriptions(inner$.subscriptions).toBe('-^-!');
        expectSubscriptions(source.holds).toBe('-^-!');
      }));

    it('leaves what waited to the next subscriber when it is unsubscribed', () => {
      const source$ = new Subject<string>();
      const source = new Holdable(source$);
      const projected: string[] = [];
      const busy = source.pipe(
        demandMap((value) => {
          projected.push(value);
          return NEVER;
        }),
      );
      const subscription = busy.subscribe();
      for (const value of ['a', 'b', 'c']) source$.next(value);
      subscription.unsubscribe();
      expect(projected).toEqual(['a']);
      expect(source.waiting).toEqual(['b', 'c']);
      expect(source.isHeld).toBe(false);
    });

    it('unsubscribes the source and the inner Observables, and releases the hold', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const messages$ = cold('-a-b-');
        const inner$ = cold('    -----');
        const source = new Holdable(messages$, scheduler);
        expectObservable(source.pipe(demandMap(() => inner$)), '---!').toBe('----');
        expectSubscriptions(messages$.subscriptions).toBe('^--!');
        expectSubscriptions(inner$.subscriptions).toBe('-^-!');
        expectSubscriptions(source.holds).toBe('-^-!');
      }));
  });

  describe('what comes in spite of the hold', () => {
    it('waits, in order, and goes before what is held back', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const messages = new Holdable(cold('-a----b|'), scheduler);
        const parts$ = messages.pipe(mergeMap((message) => of(`${message}1`, `${message}2`)));
        const inner = (part: string): Observable<string> => cold('--(r|)').pipe(map(() => part));
        const expected = '---a-b--c-(d|)';
        const values = { a: 'a1', b: 'a2', c: 'b1', d: 'b2' };
        expectObservable(parts$.pipe(demandMap(inner, { on: messages }))).toBe(expected, values);
        expectSubscriptions(messages.holds).toBe(['-^---!', '------^---!']);
      }));

    it('is forgotten when project throws for a value before it', () => {
      const inner$ = new Subject<never>();
      const source$ = new Subject<number>();
      const seen: number[] = [];
      const project = (value: number): Observable<never> => {
        seen.push(value);
        if (value === 2) throw new Error('two');
        return inner$;
      };
      const errors: unknown[] = [];
      const source = new Holdable(EMPTY);
      source$.pipe(demandMap(project, { on: source })).subscribe({ error: (error: unknown) => errors.push(error) });
      for (const value of [1, 2, 3]) source$.next(value);
      inner$.complete();
      expect(seen).toEqual([1, 2]);
      expect(errors).toEqual([new Error('two')]);
      expect(source.isHeld).toBe(false);
    });

    it('does not grow the stack when it is much', () => {
      const first$ = new Subject<never>();
      let count = 0;
      const results$ = range(0, MANY).pipe(
        demandMap((value) => (value === 0 ? first$ : of(value)), { on: new Holdable(EMPTY) }),
      );
      let isComplete = false;
      results$.subscribe({ next: () => count++, complete: () => (isComplete = true) });
      expect(count).toBe(0);
      first$.complete();
      expect(count).toBe(MANY - 1);
      expect(isComplete).toBe(true);
    });
  });

  describe('synchronous sources', () => {
    it('passes many without growing the stack', () => {
      let count = 0;
      new Holdable(range(0, MANY)).pipe(demandMap((value) => of(value))).subscribe(() => count++);
      expect(count).toBe(MANY);
    });

    it('takes no more from the source once its subscriber has left', () => {
      const projected: number[] = [];
      const waiting = new Holdable(of(1, 2, 3, 4));
      const results$ = waiting.pipe(
        demandMap((value) => {
          projected.push(value);
          return of(value);
        }),
      );
      results$.pipe(take(2)).subscribe();
      expect(projected).toEqual([1, 2]);
    });

    it('takes no more from an inner Observable once its subscriber has left', () => {
      let drawn = 0;
      function* endless(): Generator<number> {
        while (drawn < 1000) yield drawn++;
      }
      new Holdable(of('go')).pipe(demandMap(endless), take(3)).subscribe();
      expect(drawn).toBe(3);
    });

    it('begins the next value when an inner Observable completes while its result is delivered', () => {
      const inner$ = new Subject<string>();
      const source = new Holdable(of('a', 'b'));
      const seen: string[] = [];
      const results$ = source.pipe(demandMap((value) => (value === 'a' ? inner$ : of('second'))));
      results$.subscribe((result) => {
        seen.push(result);
        if (result === 'first') inner$.complete();
      });
      inner$.next('first');
      expect(seen).toEqual(['first', 'second']);
    });
  });

  describe('what it holds', () => {
    it('errors with NOT_HOLDABLE behind other operators', () => {
      const source = new Holdable(of('1'));
      const errors: unknown[] = [];
      source.pipe(map(Number), demandMap(of)).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([expect.any(UsageError)]);
      expect(errors[0]).toMatchObject({ code: 'NOT_HOLDABLE', message: expect.stringMatching(/^demandMap .*\{ on: /) });
    });

    it('holds the connection that is named with on', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const source = new Holdable(cold('12|'), scheduler);
        const results$ = source.pipe(
          map(Number),
          demandMap((value) => cold('--(r|)', { r: value + 1 }), { on: source }),
        );
        expectObservable(results$).toBe('--r-(s|)', { r: 2, s: 3 });
        expectSubscriptions(source.holds).toBe(['^-!', '--^-!']);
      }));

    it('lets other subscribers wait too, and loses nothing for them', async () => {
      const inner$ = new Subject<never>();
      const source$ = new Subject<string>();
      const source = new Holdable(source$);
      source.pipe(demandMap(() => inner$)).subscribe();
      source$.next('a');
      source$.next('b');
      expect(source.waiting).toEqual(['b']);
      inner$.complete();
      expect(source.waiting).toEqual([]);
    });
  });

  it.each([0, -1, Number.NaN, 0.5])('refuses a concurrency of %p at the call', (concurrency) => {
    expect(() => demandMap(of, concurrency)).toThrow(RangeError);
    expect(() => demandMap(of, { concurrency })).toThrow(
      `concurrency must be a number of at least 1, got ${concurrency}`,
    );
  });

  it('has the types of mergeMap', () => {
    const source = new Holdable(of('a'));
    expectTypeOf(source.pipe(demandMap(async (text) => text.length))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(source.pipe(demandMap((_, index) => [index, 'x']))).toEqualTypeOf<Observable<string | number>>();
    expectTypeOf(source.pipe(demandMap(() => throwError(() => 1)))).toEqualTypeOf<Observable<never>>();
  });
});

describe('demandMap on a connection', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('pauses a fast peer while the work is slow, and loses nothing', async () => {
    const count = 2000;
    const work$ = new Subject<void>();
    let active = 0;
    let most = 0;
    let conn: Connection | undefined;
    const save = (message: unknown): Observable<unknown> =>
      new Observable((subscriber) => {
        most = Math.max(most, ++active);
        return work$
          .pipe(
            take(1),
            map(() => message),
          )
          .subscribe(subscriber);
      }).pipe(finalize(() => active--));
    const saved$ = new Subject<unknown>();
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        tap((each) => (conn = each)),
        mergeMap((each) => each.messages$.pipe(demandMap(save, 4))),
        tap(saved$),
      ),
    );
    const saved = firstValueFrom(saved$.pipe(bufferCount(count)));
    const client = await loopback.connect(url);
    const sent = Array.from({ length: count }, (_, i) => `${i} ${'x'.repeat(1000)}`);
    await firstValueFrom(client.sendFrom(sent));
    const waiting: number[] = [];
    const timer = setInterval(() => {
      waiting.push(conn?.stats.inboxBytes ?? 0);
      for (let i = 0; i < 20; i++) work$.next();
    });
    expect(await saved).toEqual(sent);
    clearInterval(timer);
    expect(most).toBe(4);
    // The mark, one message, and one unparsed read.
    expect(Math.max(...waiting)).toBeLessThanOrEqual(65_536 + 2000 + 65_536);
    expect(Math.max(...waiting)).toBeGreaterThan(0);
  });
});
