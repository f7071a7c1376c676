import { Observable, type Subscriber } from 'rxjs';

/** One subscriber of `ready$`. */
class Listener {
  readonly #signal: { readonly isReady: boolean };
  readonly #subscriber: Subscriber<boolean>;
  #told: boolean | undefined;
  /** Whether its last value was `true`, and a later change to `false` has not been emitted yet. */
  #missedFalse = false;

  constructor(signal: { readonly isReady: boolean }, subscriber: Subscriber<boolean>) {
    this.#signal = signal;
    this.#subscriber = subscriber;
  }

  /** Called when the signal becomes false. A producer that has stopped for it waits for the next `true`, even if it is true again by this round. */
  turnedFalse(): void {
    this.#missedFalse = this.#told === true;
  }

  /** Emits a missed `false`, then the current value if it has changed. */
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
 * A signal for whether to send more: `false` above the mark and `true` again below half of it, so that it does not flap. It is also `false`
 * while the producer rests, so that others have their turn, and once the connection is closing.
 */
export class ReadySignal {
  /** Whether too many bytes wait. */
  isSlow = false;
  /** Whether the producer has used up its share of this turn of the event loop. */
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
   * Replays `isReady`, then emits each change; completes with the connection. If an earlier subscriber changes the value again, later ones
   * get the current value.
   */
  get ready$(): Observable<boolean> {
    this.#ready$ ??= new Observable((subscriber) => {
      if (this.#ended) {
        subscriber.complete();
        return undefined;
      }
      const listener = new Listener(this, subscriber);
      // Added first, because the value may make the subscriber send, which may change the signal.
      this.#listeners = [...this.#listeners, listener];
      listener.tell();
      return () => {
        this.#listeners = this.#listeners.filter((other) => other !== listener);
      };
    });
    return this.#ready$;
  }

  /** Sets how many bytes wait now. */
  update(waiting: number): void {
    const before = this.isReady;
    this.isSlow = this.isSlow ? waiting >= this.#mark / 2 : waiting > this.#mark;
    if (this.isReady !== before) this.#change();
  }

  /** Called when the producer has used up its share of this turn of the event loop. */
  rest(): void {
    const before = this.isReady;
    this.isResting = true;
    if (before) this.#change();
  }

  /** Called when the producer may go on. */
  wake(): void {
    this.isResting = false;
    if (this.isReady) this.#change();
  }

  /** Called when the connection is closing: nothing more is accepted. */
  shut(): void {
    const before = this.isReady;
    this.#isShut = true;
    if (before) this.#change();
  }

  /** Called when the connection has ended. */
  end(): void {
    if (this.#ended) return;
    this.#isShut = true;
    this.#ended = true;
    const listeners = this.#listeners;
    this.#listeners = NONE;
    for (const listener of listeners) listener.complete();
  }

  /** A listener that sends may change the signal again: then another round follows this one. */
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
