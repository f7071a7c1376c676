import { type MonoTypeOperatorFunction, Observable, type Subscriber, type Subscription } from 'rxjs';
import { HeldLine, type Passage } from '../base/held-line.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { type CanHold, holdOf } from './hold-of.js';

/** Options of {@link gate}. */
export interface GateOptions {
  /** The connection to hold, where the source is not its `messages$` itself. */
  readonly on?: CanHold;
}

/**
 * Lets values pass while the latest value of `open$` is `true`, and holds the connection otherwise, from the beginning on.
 *
 * Completes with the source, and when `open$` completes; errors with either; unsubscribing releases the hold. Errors with
 * `UsageError` NOT_HOLDABLE on a source that carries no hold, unless `on` names one.
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
      // Behind the subscription to the source: when the hold is released nobody is there to take what waits.
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
