import { isObservable, Observable, of, ReplaySubject, type SchedulerLike, take, throwError } from 'rxjs';
import { closeErrorOf, withUptime } from '../connection/close-error.js';
import type { CloseInfo } from '../connection/connection.js';
import { finishedSymbol, hooksOf } from '../connection/hooks.js';
import type { AnyConnection } from './test-server.js';
import { testingScheduler } from './testing-scheduler.js';

/** The result of one attempt to connect: an open connection, an error, or an Observable of either, for a later result. */
export type Attempt<C extends AnyConnection> = C | Error | Observable<C>;

/** A client without a network, made by {@link testConnect}. */
export class TestConnect<C extends AnyConnection> extends Observable<C> {
  /** Emits the number of each attempt, from 0 on, when it is made. Replayed; never completes. */
  readonly dialed$: Observable<number>;

  /** @internal */
  constructor(attempts: readonly Attempt<C>[], scheduler: SchedulerLike) {
    const dialed = new ReplaySubject<number>();
    let count = 0;
    super((subscriber) => {
      const index = count++;
      dialed.next(index);
      let conn: C | undefined;
      subscriber.add(() => conn?.close());
      const attempt$ = attemptOf(attempts, index).pipe(take(1));
      subscriber.add(
        attempt$.subscribe({
          next: (opened) => {
            conn = opened;
            const openedAt = scheduler.now();
            // Like a real client: everything that subscribes while it is emitted shares the first message.
            const hold = opened.hold();
            subscriber.next(opened);
            hold.unsubscribe();
            onFinished(opened, (info) => {
              const error = closeErrorOf(info);
              if (error === undefined) subscriber.complete();
              else subscriber.error(withUptime(error, scheduler.now() - openedAt));
            });
          },
          error: (error: unknown) => subscriber.error(withUptime(error, 0)),
        }),
      );
    });
    this.dialed$ = dialed.asObservable();
  }
}

/**
 * Makes a `connect()` for marble tests: the n-th subscription gets the n-th attempt. Like `connect()` it emits the connection under a hold,
 * ends with it (completes, or errors with the same errors and `uptime`), and closes it with 1000 when it is unsubscribed.
 *
 * @param attempts one for each subscription; any further subscription errors.
 * @param scheduler for `uptime`. @default virtual within `TestScheduler.run`, real elsewhere
 * @example
 * const dial = testConnect([refused, cold('-c', { c: testConnection() })]);
 * dial.pipe(reconnect({ initial: 4, random: () => 1 })).subscribe();
 * expectObservable(dial.dialed$).toBe('0---1', [0, 1]);
 */
export function testConnect<C extends AnyConnection>(
  attempts: readonly Attempt<C>[],
  scheduler: SchedulerLike = testingScheduler,
): TestConnect<C> {
  return new TestConnect(attempts, scheduler);
}

function attemptOf<C extends AnyConnection>(attempts: readonly Attempt<C>[], index: number): Observable<C> {
  const attempt = attempts[index];
  if (attempt === undefined) {
    return throwError(() => new Error(`attempt ${index + 1} was made, but testConnect was given ${attempts.length}`));
  }
  if (isObservable(attempt)) return attempt;
  return attempt instanceof Error ? throwError(() => attempt) : of(attempt);
}

function onFinished(conn: AnyConnection, told: (info: CloseInfo) => void): void {
  const hooks = hooksOf(conn);
  if (hooks[finishedSymbol] === undefined) conn.close$.subscribe(told);
  else hooks[finishedSymbol]({ finished: told });
}
