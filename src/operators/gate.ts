import { type MonoTypeOperatorFunction, Observable, type Subscriber, type Subscription } from 'rxjs';
import { Fifo } from '../base/fifo.js';
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

class GateKeeper<T> {
  readonly #subscriber: Subscriber<T>;
  readonly #takeHold: () => Subscription;
  /** What came in spite of the hold: more than one value of one message, or values of other sources. */
  readonly #waiting = new Fifo<T>();
  #hold: Subscription | undefined;
  #isOpen = false;
  #isPassing = false;
  #isSourceDone = false;

  constructor(subscriber: Subscriber<T>, takeHold: () => Subscription) {
    this.#subscriber = subscriber;
    this.#takeHold = takeHold;
  }

  run(source: Observable<T>, open$: Observable<boolean>): void {
    const subscriber = this.#subscriber;
    const error = (cause: unknown): void => subscriber.error(cause);
    this.#hold = this.#takeHold();
    subscribeWithin(subscriber, source, {
      next: (value) => {
        if (this.#isOpen && !this.#isPassing && this.#waiting.isEmpty) subscriber.next(value);
        else this.#waiting.push(value);
      },
      error,
      complete: () => {
        this.#isSourceDone = true;
        this.#completeIfDone();
      },
    });
    subscribeWithin(subscriber, open$, {
      next: (isOpen) => {
        this.#isOpen = isOpen;
        if (isOpen) this.#pass();
        else this.#hold ??= this.#takeHold();
      },
      error,
      complete: () => subscriber.complete(),
    });
  }

  stop(): void {
    this.#waiting.clear();
    this.#release();
  }

  #pass(): void {
    // One loop, however often open$ changes meanwhile: neither the order nor the stack suffers.
    if (this.#isPassing) return;
    this.#isPassing = true;
    while (this.#isOpen && !this.#waiting.isEmpty) this.#subscriber.next(this.#waiting.shift());
    this.#isPassing = false;
    this.#completeIfDone();
    if (this.#isOpen) this.#release();
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
