import { defer, map, Observable } from 'rxjs';
import { clockOf } from '../../base/clock.js';
import { errorOf } from '../../base/thrown.js';
import type { Connection } from '../../connection/connection.js';
import type { PersistentState } from './persistent-connection.js';
import { type AttemptRules, subscribeAgain } from './reconnect.js';

/** Rules for {@link redial}. */
export type RedialRules = Required<Omit<AttemptRules, 'uptime' | 'onWait'>>;

/** Dials repeatedly, and emits each state. Completes or errors with the last attempt. */
export function redial<In, Out>(
  // biome-ignore lint/suspicious/noExplicitAny: the data of a connection does not matter here
  connection$: Observable<Connection<any, In, Out>>,
  rules: RedialRules,
): Observable<PersistentState<In, Out>> {
  return new Observable((subscriber) => {
    const clock = clockOf(rules.scheduler);
    let openedAt: number | undefined;
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
    return subscribeAgain<PersistentState<In, Out>>(attempt$, {
      ...rules,
      uptime: () => (openedAt === undefined ? 0 : clock() - openedAt),
      onWait: (wait, cause) => {
        const why = 'error' in cause ? { error: errorOf(cause.error) } : {};
        subscriber.next({ type: 'waiting', ...wait, ...why });
      },
    }).subscribe(subscriber);
  });
}
