import {
  asyncScheduler,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { checkNumber } from '../base/check.js';
import { Fifo } from '../base/fifo.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { type CanHold, holdOf } from './hold-of.js';

/** Options of {@link limitRate}. */
export interface LimitRateOptions {
  /** How many pass in one window. */
  readonly messages: number;
  /** How long a window lasts, from the first message in it. In milliseconds. */
  readonly perMs: number;
  /** The connection to hold, where the source is not its `messages$` itself. */
  readonly on?: CanHold;
  /** For the windows. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Lets at most `messages` pass in each window of `perMs`, and holds the connection for the rest of it: the peer waits, and nothing
 * is dropped or kept here. A window begins with its first message.
 *
 * Completes with the source, behind all that waited; errors with it at once; unsubscribing releases the hold. Errors with
 * `UsageError` NOT_HOLDABLE on a source that carries no hold, unless `on` names one.
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
  checkNumber('messages', messages, 1, Number.POSITIVE_INFINITY);
  checkNumber('perMs', perMs, 1, 2 ** 31 - 1);
  return (source) =>
    new Observable((subscriber) => {
      const takeHold = holdOf('limitRate', source, on);
      const limiter = new RateLimiter(subscriber, { messages, perMs, scheduler, takeHold });
      limiter.run(source);
      // Behind the subscription to the source: when the hold is released nobody is there to take what waits.
      subscriber.add(() => limiter.stop());
    });
}

interface Rate {
  readonly messages: number;
  readonly perMs: number;
  readonly scheduler: SchedulerLike;
  readonly takeHold: () => Subscription;
}

class RateLimiter<T> {
  readonly #subscriber: Subscriber<T>;
  readonly #rate: Rate;
  /** What came in spite of the hold: more than one value of one message, or values of other sources. */
  readonly #waiting = new Fifo<T>();
  #hold: Subscription | undefined;
  #window: Subscription | undefined;
  #passed = 0;
  #isPassing = false;
  #isSourceDone = false;

  constructor(subscriber: Subscriber<T>, rate: Rate) {
    this.#subscriber = subscriber;
    this.#rate = rate;
  }

  run(source: Observable<T>): void {
    subscribeWithin(this.#subscriber, source, {
      next: (value) => {
        if (this.#hasRoom && !this.#isPassing && this.#waiting.isEmpty) this.#pass(value);
        else this.#waiting.push(value);
      },
      error: (error: unknown) => this.#subscriber.error(error),
      complete: () => {
        this.#isSourceDone = true;
        this.#completeIfDone();
      },
    });
  }

  stop(): void {
    this.#waiting.clear();
    this.#window?.unsubscribe();
    this.#release();
  }

  get #hasRoom(): boolean {
    return this.#passed < this.#rate.messages;
  }

  #pass(value: T): void {
    const { perMs, scheduler, takeHold } = this.#rate;
    if (this.#passed === 0) this.#window = scheduler.schedule(() => this.#nextWindow(), perMs);
    this.#passed++;
    // Before the value is passed: a source that delivers more meanwhile finds the hold.
    if (!this.#hasRoom) this.#hold ??= takeHold();
    this.#subscriber.next(value);
  }

  #nextWindow(): void {
    this.#passed = 0;
    this.#isPassing = true;
    while (this.#hasRoom && !this.#waiting.isEmpty) this.#pass(this.#waiting.shift());
    this.#isPassing = false;
    this.#completeIfDone();
    if (this.#hasRoom) this.#release();
  }

  #completeIfDone(): void {
    if (this.#isSourceDone && this.#waiting.isEmpty && !this.#isPassing) this.#subscriber.complete();
  }

  #release(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.unsubscribe();
  }
}
