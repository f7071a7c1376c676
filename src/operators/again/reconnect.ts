import {
  asyncScheduler,
  defer,
  EMPTY,
  type MonoTypeOperatorFunction,
  repeat,
  retry,
  type SchedulerLike,
  throwError,
  timer,
} from 'rxjs';
import { clockOf } from '../../base/clock.js';
import { Backoff, type BackoffPolicy, backoffRules } from './backoff.js';

/** What {@link reconnect} does. */
export interface ReconnectPolicy extends BackoffPolicy {
  /** Whether to dial again after completion too: when the peer has closed with 1000 or without a code. @default false */
  readonly repeat?: boolean;
  /** For the waits. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Subscribes again after an error that may pass, later and later: behind `connect()`, or anywhere downstream of it.
 *
 * The wait is random, from 0 to `initial`, `initial * factor`, ... up to `max`; after a HandshakeError with Retry-After it begins when
 * that is over, or after `maxRetryAfter` if it asks for more. An error whose connection was open for `minUptime` (its `uptime`) starts
 * anew with `initial`.
 *
 * Completes with the source, with `repeat` only when there were `maxAttempts` completions in a row that came before `minUptime`.
 * Errors with the first error that {@link BackoffPolicy.shouldRetry} refuses (by default all but those that {@link isRetryable} names),
 * and with the one behind the last of `maxAttempts`. Unsubscribing ends the connection, or the wait.
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
  const { repeat: isRepeated = false, scheduler = asyncScheduler } = policy;
  const rules = backoffRules(policy, Math.random);
  const clock = clockOf(scheduler);
  return (source) =>
    defer(() => {
      const backoff = new Backoff(rules);
      let began = 0;
      const attempt$ = defer(() => {
        began = clock();
        return source;
      });
      const lasting$ = attempt$.pipe(
        retry({
          delay: (error) => {
            // Retry-After may be a date: that is the wall clock's.
            const wait = backoff.afterError(error, scheduler.now());
            return wait === undefined ? throwError(() => error) : timer(wait.delay, scheduler);
          },
        }),
      );
      if (!isRepeated) return lasting$;
      return lasting$.pipe(
        repeat({
          delay: () => {
            const wait = backoff.afterEnd(clock() - began);
            return wait === undefined ? EMPTY : timer(wait.delay, scheduler);
          },
        }),
      );
    });
}
