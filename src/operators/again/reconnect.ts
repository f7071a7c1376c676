import {
  asyncScheduler,
  defer,
  EMPTY,
  type MonoTypeOperatorFunction,
  type Observable,
  repeat,
  retry,
  type SchedulerLike,
  throwError,
  timer,
} from 'rxjs';
import { clockOf } from '../../base/clock.js';
import { report } from '../../base/report.js';
import { Backoff, type BackoffPolicy, type BackoffRules, backoffRules, type Wait } from './backoff.js';

/** Options of {@link reconnect}. */
export interface ReconnectPolicy extends BackoffPolicy {
  /** Whether to dial again after completion too, when the peer has closed with 1000 or without a code. @default false */
  readonly repeat?: boolean;
  /** For the waits. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Subscribes to the source again after a temporary error, with growing delays. Use it after `connect()`, or anywhere downstream of it.
 *
 * The wait is random, from 0 to `initial`, `initial * factor`, ... up to `max`; after a HandshakeError with Retry-After it begins when
 * that time is over, or after `maxRetryAfter` if that is shorter. The delay resets to `initial` once a connection has stayed open for
 * `minUptime` (the `uptime` of its error).
 *
 * Completes with the source; with `repeat`, only after `maxAttempts` completions in a row that came before `minUptime`.
 * Errors with the first error that {@link BackoffPolicy.shouldRetry} refuses (by default, one that is not {@link isRetryable}),
 * and with the error after the last of `maxAttempts`. Unsubscribing ends the connection, or the wait.
 *
 *     connect    --c----#  (1006)      factor 2, random 1
 *                              --#  (ECONNREFUSED)
 *                                        --c---
 *     result     --c-------------------------c---
 *     waits             ^-----!  ^-------!
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example connect(url).pipe(mergeMap((conn) => conn.messages$), reconnect()).subscribe(console.log);
 */
export function reconnect<T>(policy: ReconnectPolicy = {}): MonoTypeOperatorFunction<T> {
  const { repeat = false, scheduler = asyncScheduler } = policy;
  const backoff = backoffRules(policy, Math.random);
  const clock = clockOf(scheduler);
  return (source) =>
    defer(() => {
      let began = 0;
      const attempt$ = defer(() => {
        began = clock();
        return source;
      });
      return subscribeAgain(attempt$, { backoff, repeat, scheduler, uptime: () => clock() - began });
    });
}

/** Rules for {@link subscribeAgain}. */
export interface AttemptRules {
  readonly backoff: BackoffRules;
  /** Whether to subscribe again after completions too. */
  readonly repeat: boolean;
  /** For the waits. */
  readonly scheduler: SchedulerLike;
  /** Returns how long the attempt that has just completed was open, in milliseconds. */
  uptime(): number;
  /** Returns whether another attempt is wanted at all. @default always */
  isWanted?(): boolean;
  /** Called when a wait begins, after an error (then in `cause`) or a completion. */
  onWait?(wait: Wait, cause: { readonly error?: unknown }): void;
}

/** Subscribes to `attempt$` until the rules allow no other attempt. Completes or errors with the last one. */
export function subscribeAgain<T>(attempt$: Observable<T>, rules: AttemptRules): Observable<T> {
  const { scheduler } = rules;
  const backoff = new Backoff(rules.backoff);
  const isWanted = (): boolean => rules.isWanted?.() ?? true;
  const pause = (wait: Wait, cause: { readonly error?: unknown }): Observable<unknown> => {
    report('reconnect', { ...wait, ...cause });
    rules.onWait?.(wait, cause);
    return timer(wait.delay, scheduler);
  };
  const lasting$ = attempt$.pipe(
    retry({
      delay: (error) => {
        // Retry-After may be a date, so this needs the wall clock.
        const wait = isWanted() ? backoff.afterError(error, scheduler.now()) : undefined;
        return wait === undefined ? throwError(() => error) : pause(wait, { error });
      },
    }),
  );
  if (!rules.repeat) return lasting$;
  return lasting$.pipe(
    repeat({
      delay: () => {
        const wait = isWanted() ? backoff.afterEnd(rules.uptime()) : undefined;
        return wait === undefined ? EMPTY : pause(wait, {});
      },
    }),
  );
}
