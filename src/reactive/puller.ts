import { from, isObservable, type ObservableInput, type Observer, type Unsubscribable } from 'rxjs';

/** The longest that a synchronous iterable is pulled without a pause, in items. */
const PULLS_PER_TURN = 512;

/** When and how a {@link Puller} goes on. */
export interface PullPace {
  /** Whether another value is welcome. Asked before each one. */
  isReady(): boolean;
  /** Goes on in a later turn of the event loop. */
  defer(task: () => void): void;
}

/**
 * Brings the values of any source to `observer`, those of iterables and async iterables only while they are welcome. An Observable
 * or a promise has no demand, and is subscribed to as it is.
 */
export class Puller<T> implements Unsubscribable {
  readonly #observer: Observer<T>;
  readonly #pace: PullPace;
  #pull: (() => void) | undefined;
  #stop: () => void = () => {};
  #busy = false;
  #ended = false;

  constructor(source: ObservableInput<T>, pace: PullPace, observer: Observer<T>) {
    this.#observer = observer;
    this.#pace = pace;
    try {
      this.#begin(source);
    } catch (error) {
      this.#error(error);
    }
  }

  /** More is welcome again. */
  resume(): void {
    if (!this.#busy && !this.#ended) this.#pull?.();
  }

  /** Stops the source. */
  unsubscribe(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
  }

  #begin(source: ObservableInput<T>): void {
    if (!isObservable(source) && Symbol.asyncIterator in source) this.#iterateAsync(source[Symbol.asyncIterator]());
    else if (!isObservable(source) && Symbol.iterator in source) this.#iterate(source[Symbol.iterator]());
    else this.#subscribe(source);
  }

  #subscribe(source: ObservableInput<T>): void {
    const subscription = from(source).subscribe({
      next: (value) => this.#next(value),
      error: (error: unknown) => this.#error(error),
      complete: () => this.#complete(),
    });
    this.#stop = () => subscription.unsubscribe();
    if (this.#ended) subscription.unsubscribe();
  }

  #iterate(iterator: Iterator<T>): void {
    this.#stop = () => iterator.return?.();
    this.#pull = () => {
      this.#busy = true;
      try {
        for (let pulls = 0; !this.#ended && this.#pace.isReady(); pulls++) {
          if (pulls === PULLS_PER_TURN) {
            this.#pace.defer(() => {
              this.#busy = false;
              this.resume();
            });
            return;
          }
          const result = iterator.next();
          if (result.done === true) this.#complete();
          else this.#next(result.value);
        }
      } catch (error) {
        this.#error(error);
      }
      this.#busy = false;
    };
    this.#pull();
  }

  #iterateAsync(iterator: AsyncIterator<T>): void {
    this.#stop = () => {
      // The answer of an iterator that is stopped is nobody's concern.
      Promise.resolve(iterator.return?.()).catch(() => {});
    };
    this.#pull = () => {
      if (!this.#pace.isReady()) return;
      this.#busy = true;
      iterator.next().then(
        (result) => {
          this.#busy = false;
          if (this.#ended) return;
          if (result.done === true) this.#complete();
          else this.#next(result.value);
          this.resume();
        },
        (error: unknown) => this.#error(error),
      );
    };
    this.#pull();
  }

  #next(value: T): void {
    if (!this.#ended) this.#observer.next(value);
  }

  #error(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#observer.error(error);
  }

  #complete(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#observer.complete();
  }
}
