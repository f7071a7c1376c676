import { defer, EMPTY, map, Observable, repeat, retry, type SchedulerLike, throwError, timer } from 'rxjs';
import { clockOf } from '../../base/clock.js';
import type { Connection } from '../../connection/connection.js';
import { Backoff, type BackoffRules, type Wait } from './backoff.js';
import type { PersistentState } from './persistent-connection.js';

/** How it is dialed again. */
export interface RedialRules {
  readonly backoff: BackoffRules;
  /** Whether behind completions too. */
  readonly repeat: boolean;
  readonly scheduler: SchedulerLike;
  /** Whether another connection is wanted at all. */
  isWanted(): boolean;
}

/** Dials, and dials again: emits each state. Completes or errors as the last attempt did, when there is to be no other. */
export function redial<In, Out>(
  // biome-ignore lint/suspicious/noExplicitAny: the data of a connection does not matter here
  connection$: Observable<Connection<any, In, Out>>,
  { backoff: rules, repeat: isRepeated, scheduler, isWanted }: RedialRules,
): Observable<PersistentState<In, Out>> {
  return new Observable((subscriber) => {
    const backoff = new Backoff(rules);
    const clock = clockOf(scheduler);
    let openedAt: number | undefined;
    const pause = (wait: Wait, cause: { error?: unknown }): Observable<unknown> => {
      subscriber.next({ type: 'waiting', ...wait, ...cause });
      return timer(wait.delay, scheduler);
    };
    const attempt$ = defer(() => {
      openedAt = undefined;
      subscriber.next({ type: 'connecting' });
      return connection$.pipe(
        map((connection) => {
          openedAt = clock();
          return { type: 'open', connection } as const;
        }),
      );
    });
    const lasting$ = attempt$.pipe(
      retry({
        delay: (error) => {
          // Retry-After may be a date: that is the wall clock's.
          const wait = isWanted() ? backoff.afterError(error, scheduler.now()) : undefined;
          return wait === undefined ? throwError(() => error) : pause(wait, { error });
        },
      }),
      repeat({
        delay: () => {
          if (!isRepeated || !isWanted()) return EMPTY;
          const wait = backoff.afterEnd(openedAt === undefined ? 0 : clock() - openedAt);
          return wait === undefined ? EMPTY : pause(wait, {});
        },
      }),
    );
    return lasting$.subscribe(subscriber);
  });
}
