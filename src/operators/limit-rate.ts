import {
  asyncScheduler,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { checkNames, checkNumber } from '../base/check.js';
import { HeldLine, type Passage } from '../base/held-line.js';
import { type CanHold, holdOf } from './hold-of.js';

/** Options of {@link limitRate}. */
export interface LimitRateOptions {
  /** Most messages in one window. */
  readonly messages: number;
  /** Length of a window from its first message, in milliseconds. */
  readonly perMs: number;
  /** The connection to hold, if the source is not its `messages$` itself. */
  readonly on?: CanHold;
  /** For the windows. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Lets at most `messages` pass in each window of `perMs`, and holds the connection for the rest of it: the peer waits, and nothing
 * is dropped or buffered here. A window begins with its first message.
 *
 * Completes with the source, after all waiting messages; errors with it at once; unsubscribing releases the hold. Errors with
 * `UsageError` NOT_HOLDABLE if the source cannot be held, unless `on` is given.
 *
 *     messages   -abcd-----e--      messages: 2, perMs: 5
 *     held       --^---^----!-
 *     result     -ab---(cd)-e-
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example conn.messages$.pipe(limitRate({ messages: 100, perMs: 1_000 }), sendTo(room)).subscribe();
 */
export function limitRate<T>(options: LimitRateOptions): MonoTypeOperatorFunction<T> {
  const { messages, perMs, on, scheduler = asyncScheduler } = options;
  checkNames(options, ['messages', 'perMs', 'on', 'scheduler']);
  checkNumber('messages', messages, 1, Number.POSITIVE_INFINITY);
  checkNumber('perMs', perMs, 1, 2 ** 31 - 1);
  return (source) =>
    new Observable((subscriber) => {
      const takeHold = holdOf('limitRate', source, on);
      const limiter = new RateLimiter(subscriber, { messages, perMs, scheduler }, takeHold);
      limiter.run(source);
      // After the subscription to the source, so that releasing the hold delivers nothing more.
      subscriber.add(() => limiter.stop());
    });
}

type Rate = Required<Omit<LimitRateOptions, 'on'>>;

class RateLimiter<T> implements Passage<T> {
  readonly #subscriber: Subscriber<T>;
  readonly #rate: Rate;
  readonly #line: HeldLine<T>;
  #window: Subscription | undefined;
  #passed = 0;

  constructor(subscriber: Subscriber<T>, rate: Rate, takeHold: () => Subscription) {
    this.#subscriber = subscriber;
    this.#rate = rate;
    this.#line = new HeldLine(subscriber, this, takeHold);
  }

  run(source: Observable<T>): void {
    this.#line.run(source);
  }

  stop(): void {
    this.#window?.unsubscribe();
    this.#line.stop();
  }

  get isOpen(): boolean {
    return this.#passed < this.#rate.messages;
  }

  pass(value: T): void {
    const { perMs, scheduler } = this.#rate;
    if (this.#passed === 0) this.#window = scheduler.schedule(() => this.#nextWindow(), perMs);
    this.#passed++;
    // Before the value is passed, so that a source that emits reentrantly is held.
    if (!this.isOpen) this.#line.hold();
    this.#subscriber.next(value);
  }

  #nextWindow(): void {
    this.#passed = 0;
    this.#line.advance();
  }
}
