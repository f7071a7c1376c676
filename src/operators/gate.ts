import { type MonoTypeOperatorFunction, Observable, type Subscriber, type Subscription } from 'rxjs';
import { HeldLine, type Passage } from '../base/held-line.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { type CanHold, holdOf } from './hold-of.js';

/** Options of {@link gate}. */
export interface GateOptions {
  /** The connection to hold, if the source is not its `messages$` itself. */
  readonly on?: CanHold;
}

/**
 * Lets values pass while the latest value of `open$` is `true`, and holds the connection otherwise, also before the first value.
 *
 * Completes with the source, and when `open$` completes; errors with either; unsubscribing releases the hold. Errors with
 * `UsageError` NOT_HOLDABLE if the source cannot be held, unless `on` is given.
 *
 *     messages   -a-b-c------
 *     open$      t--f----t---
 *     result     -a------(bc)
 *
 * @example a.messages$.pipe(gate(b.send.ready$), sendTo(b)).subscribe();
 */
export function gate<T>(open$: Observable<boolean>, { on }: GateOptions = {}): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      const keeper = new GateKeeper(subscriber, holdOf('gate', source, on));
      keeper.run(source, open$);
      // After the subscription to the source, so that releasing the hold delivers nothing more.
      subscriber.add(() => keeper.stop());
    });
}

class GateKeeper<T> implements Passage<T> {
  isOpen = false;
  readonly #subscriber: Subscriber<T>;
  readonly #line: HeldLine<T>;

  constructor(subscriber: Subscriber<T>, takeHold: () => Subscription) {
    this.#subscriber = subscriber;
    this.#line = new HeldLine(subscriber, this, takeHold);
  }

  run(source: Observable<T>, open$: Observable<boolean>): void {
    const subscriber = this.#subscriber;
    this.#line.hold();
    this.#line.run(source);
    subscribeWithin(subscriber, open$, {
      next: (isOpen) => {
        this.isOpen = isOpen;
        if (isOpen) this.#line.advance();
        else this.#line.hold();
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
  }

  pass(value: T): void {
    this.#subscriber.next(value);
  }

  stop(): void {
    this.#line.stop();
  }
}
