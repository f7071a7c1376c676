import type { Observable, Subscription } from 'rxjs';
import type { AnyConnection, Source, SourceEnding } from '../driver.js';

/** Subscribes to what emits connections, and records how that ends. */
export class RecordedSource implements Source {
  ending: SourceEnding | undefined;
  /** Resolves with the first connection, or rejects with the error that came before. */
  readonly first: Promise<AnyConnection>;
  readonly #subscription: Subscription;

  constructor(source$: Observable<AnyConnection>) {
    const { promise, resolve, reject } = deferred<AnyConnection>();
    this.first = promise;
    this.#subscription = source$.subscribe({
      next: resolve,
      error: (error: unknown) => {
        this.ending = { type: 'error', error };
        reject(error);
      },
      complete: () => {
        this.ending = { type: 'complete' };
      },
    });
  }

  leave(): void {
    this.#subscription.unsubscribe();
  }
}

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  // Errors after the first connection are recorded, not thrown.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
