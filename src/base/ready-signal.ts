import { Observable, type Subscriber } from 'rxjs';

/** One subscriber of `ready$`. */
class Listener {
  readonly #signal: { readonly isReady: boolean };
  readonly #subscriber: Subscriber<boolean>;
  #told: boolean | undefined;
  /** Whether its last value was `true`, and a change to `false` since then has not been emitted yet. */
  #missedFalse = false;

  constructor(signal: { readonly isReady: boolean }, subscriber: Subscriber<boolean>) {
    this.#signal = signal;
    this.#subscriber = subscriber;
  }

  /** It is false now. Whoever has stopped for that waits for the next `true`, though it may be true again when the round comes here. */
  turnedFalse(): void {
    this.#missedFalse = this.#told === true;
  }

  /** Tells what is true now. */
  tell(): void {
    if (this.#missedFalse) this.#next(false);
    const { isReady } = this.#signal;
    if (this.#told !== isReady) this.#next(isReady);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  #next(isReady: boolean): void {
    this.#missedFalse = false;
    this.#told = isReady;
    this.#subscriber.next(isReady);
  }
}

const NONE: readonly Listener[] = [];

/**
 * Whether more is welcome: `false` above the mark, `true` again below half of it, so that it does not flap; and `false` while the producer
 * rests, so that the others have their turn, and once the connection closes.
 */
export class ReadySignal {
  /** Whether more than the mark waits. */
  isSlow = false;
  /** Whether the producer has had its share of this turn of the event loop. */
  isResting = false;
  readonly #mark: number;
  #ready$: Observable<boolean> | undefined;
  #listeners: readonly Listener[] = NONE;
  /** Whether a round is due. */
  #hasChanged = false;
  #isTelling = false;
  #isShut = false;
  #ended = false;

  /** @param mark in bytes. */
  constructor(mark: number) {
    this.#mark = mark;
  }

  get isReady(): boolean {
    return !(this.isSlow || this.isResting || this.#isShut);
  }

  /**
   * Replays `isReady`, then emits each change; completes with the connection. A subscriber whose turn comes after another one has changed
   * it again gets the value of that moment.
   */
  get ready$(): Observable<boolean> {
    this.#ready$ ??= new Observable((subscriber) => {
      if (this.#ended) {
        subscriber.complete();
        return undefined;
      }
      const listener = new Listener(this, subscriber);
      // First: the value may make the subscriber send, and so change it.
      this.#listeners = [...this.#listeners, listener];
      listener.tell();
      return () => {
        this.#listeners = this.#listeners.filter((other) => other !== listener);
      };
    });
    return this.#ready$;
  }

  /** Tells how many bytes wait now. */
  update(waiting: number): void {
    const before = this.isReady;
    this.isSlow = this.isSlow ? waiting >= this.#mark / 2 : waiting > this.#mark;
    if (this.isReady !== before) this.#change();
  }

  /** The producer has had its share of this turn of the event loop. */
  rest(): void {
    const before = this.isReady;
    this.isResting = true;
    if (before) this.#change();
  }

  /** It may go on. */
  wake(): void {
    this.isResting = false;
    if (this.isReady) this.#change();
  }

  /** The connection closes: nothing is taken any more. */
  shut(): void {
    const before = this.isReady;
    this.#isShut = true;
    if (before) this.#change();
  }

  /** The connection has ended. */
  end(): void {
    if (this.#ended) return;
    this.#isShut = true;
    this.#ended = true;
    const listeners = this.#listeners;
    this.#listeners = NONE;
    for (const listener of listeners) listener.complete();
  }

  /** A listener that sends changes it again: one round follows the other. */
  #change(): void {
    if (!this.isReady) for (const listener of this.#listeners) listener.turnedFalse();
    this.#hasChanged = true;
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#hasChanged && !this.#ended) {
      this.#hasChanged = false;
      for (const listener of this.#listeners) {
        if (!this.#ended) listener.tell();
      }
    }
    this.#isTelling = false;
  }
}
