import type { Observable, Subscriber, Subscription } from 'rxjs';
import { Fifo } from './fifo.js';
import { OneLoop } from './one-loop.js';
import { subscribeWithin } from './subscribe-within.js';

/** A place that values pass one by one, and where they may have to wait. */
export interface Passage<T> {
  /** Whether another value may pass now. */
  readonly isOpen: boolean;
  /** Whether a value that has passed is still being processed. @default false */
  readonly isBusy?: boolean;
  /** Lets a value pass. */
  pass(value: T): void;
}

/**
 * A queue that lets the values of a source pass in order while the passage is open. The connection that they come from is held while the
 * passage is closed. Values that come in spite of the hold wait here: several values of one message, or values of other sources.
 *
 * Completes `subscriber` when the source is done and nothing waits or is busy; errors it when the source errors.
 */
export class HeldLine<T> {
  readonly #subscriber: Subscriber<unknown>;
  readonly #passage: Passage<T>;
  readonly #takeHold: () => Subscription;
  readonly #waiting = new Fifo<T>();
  readonly #passing = new OneLoop();
  #hold: Subscription | undefined;
  #isSourceDone = false;

  constructor(subscriber: Subscriber<unknown>, passage: Passage<T>, takeHold: () => Subscription) {
    this.#subscriber = subscriber;
    this.#passage = passage;
    this.#takeHold = takeHold;
  }

  run(source: Observable<T>): void {
    subscribeWithin(this.#subscriber, source, {
      next: (value) => {
        if (this.#passage.isOpen && !this.#passing.isRunning && this.#waiting.isEmpty) this.#passage.pass(value);
        else this.#waiting.push(value);
      },
      error: (error: unknown) => this.#subscriber.error(error),
      complete: () => {
        this.#isSourceDone = true;
        this.#completeIfDone();
      },
    });
  }

  /** Holds the connection, unless it is held already. */
  hold(): void {
    this.#hold ??= this.#takeHold();
  }

  /** Called when the passage may be open again, or less busy. Lets waiting values pass, and releases the hold when none has to wait. */
  advance(): void {
    const isThrough = this.#passing.run(() => {
      while (this.#passage.isOpen && !this.#waiting.isEmpty) this.#passage.pass(this.#waiting.shift());
    });
    if (!isThrough) return;
    this.#completeIfDone();
    if (this.#passage.isOpen) this.#release();
  }

  /** Drops waiting values, and releases the hold. */
  stop(): void {
    this.#waiting.clear();
    this.#release();
  }

  #completeIfDone(): void {
    const { isBusy = false } = this.#passage;
    if (this.#isSourceDone && this.#waiting.isEmpty && !this.#passing.isRunning && !isBusy) this.#subscriber.complete();
  }

  #release(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.unsubscribe();
  }
}
