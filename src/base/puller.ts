import { from, isObservable, type ObservableInput, type Observer, Subject, takeUntil, type Unsubscribable } from 'rxjs';

/** The most items that an iterable is pulled for without a pause: one that never waits would block the event loop. */
const PULLS_PER_TURN = 512;

/** The most pulls between two reads of the clock: a value may take a millisecond to make. */
const PULLS_PER_LOOK = 64;

/** The pace of a {@link Puller}. */
export interface PullPace {
  /** Whether another value is wanted. Asked before each value. */
  isReady(): boolean;
  /** See `BytePort.isTurnOver`. */
  isTurnOver(now: number): boolean;
  /** Runs `task` in a later turn of the event loop. */
  defer(task: () => void): void;
}

/**
 * A subscription that passes the values of any source to `observer`. It pulls iterables and async iterables only while values are wanted.
 * An Observable or a promise has no demand, and is simply subscribed to.
 */
export class Puller<T> implements Unsubscribable {
  readonly #source: ObservableInput<T>;
  readonly #observer: Observer<T>;
  readonly #pace: PullPace;
  #pull: (() => void) | undefined;
  #stop: () => void = () => {};
  #busy = false;
  #ended = false;
  /** Pulls in this turn. */
  #pulls = 0;
  #nextLook = 2;

  constructor(source: ObservableInput<T>, pace: PullPace, observer: Observer<T>) {
    this.#source = source;
    this.#observer = observer;
    this.#pace = pace;
  }

  /** Starts. Values may come before this returns, and unsubscribing stops them even then. */
  start(): void {
    try {
      if (!this.#ended) this.#begin(this.#source);
    } catch (error) {
      this.#error(error);
    }
  }

  /** Called when more values are wanted again. */
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
    // There is no other way to stop a source that emits during `subscribe`.
    const stopped = new Subject<void>();
    this.#stop = () => stopped.next();
    from(source)
      .pipe(takeUntil(stopped))
      .subscribe({
        next: (value) => this.#next(value),
        error: (error: unknown) => this.#error(error),
        complete: () => this.#complete(),
      });
  }

  #iterate(iterator: Iterator<T>): void {
    let isRunning = false;
    this.#stop = () => {
      // A generator cannot be ended from within itself: it is ended after it has returned its value.
      if (!isRunning) close(iterator);
    };
    this.#pull = () => {
      this.#busy = true;
      try {
        while (!this.#ended && this.#pace.isReady()) {
          isRunning = true;
          const result = iterator.next();
          isRunning = false;
          if (this.#ended) close(iterator);
          else if (result.done === true) this.#complete();
          else this.#next(result.value);
          if (!this.#ended && this.#isTurnOver()) {
            this.#goOnLater();
            return;
          }
        }
      } catch (error) {
        this.#error(error);
      }
      this.#busy = false;
    };
    this.#pull();
  }

  #iterateAsync(iterator: AsyncIterator<T>): void {
    this.#stop = () => close(iterator);
    const take = (result: IteratorResult<T>): void => {
      this.#busy = false;
      try {
        if (result.done === true) this.#complete();
        else this.#next(result.value);
      } catch (error) {
        // The value of the promise is not an iterator result. Thrown here, the error would be an unhandled rejection.
        this.#error(error);
        return;
      }
      if (this.#ended) return;
      if (this.#isTurnOver()) this.#goOnLater();
      else this.resume();
    };
    this.#pull = () => {
      if (!this.#pace.isReady()) return;
      this.#busy = true;
      try {
        iterator.next().then(take, (error: unknown) => this.#error(error));
      } catch (error) {
        this.#error(error);
      }
    };
    this.#pull();
  }

  /** Whether the source has used up its share. Asked after each value. */
  #isTurnOver(): boolean {
    const pulls = ++this.#pulls;
    if (pulls < this.#nextLook) return false;
    if (pulls >= PULLS_PER_TURN || this.#pace.isTurnOver(performance.now())) return true;
    this.#nextLook = pulls + Math.min(pulls, PULLS_PER_LOOK);
    return false;
  }

  #goOnLater(): void {
    this.#busy = true;
    this.#pulls = 0;
    this.#nextLook = 2;
    this.#pace.defer(() => {
      this.#busy = false;
      this.resume();
    });
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

/** Lets an iterator clean up. Its result is ignored. */
function close(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {
    // As above.
  }
}
