import type { Observable, Subscription } from 'rxjs';

/** What a {@link Watch} does beside counting. */
export interface Listener<T> {
  next?(value: T): void;
  complete?(): void;
  /** Left out where the stream must never error. */
  error?(error: unknown): void;
}

/** A subscriber that notes each breach of the grammar of Observables: `next* complete`, and nothing behind it. */
export class Watch<T> {
  values = 0;
  readonly subscription: Subscription | undefined;
  readonly name: string;
  #hasEnded = false;
  readonly #note: (violation: string) => void;

  constructor(name: string, source$: Observable<T>, note: (violation: string) => void, listener: Listener<T> = {}) {
    this.name = name;
    this.#note = note;
    this.subscription = source$.subscribe({
      next: (value) => {
        this.#mustBeOn('next');
        this.values++;
        listener.next?.(value);
      },
      complete: () => {
        this.#mustBeOn('complete');
        this.#hasEnded = true;
        listener.complete?.();
      },
      error: (error: unknown) => {
        this.#mustBeOn('error');
        this.#hasEnded = true;
        if (listener.error === undefined) note(`${name} errored: ${error}`);
        else listener.error(error);
      },
    });
  }

  /** Whether it has ended, or was unsubscribed. */
  get isOver(): boolean {
    return this.#hasEnded || this.subscription?.closed === true;
  }

  #mustBeOn(what: string): void {
    if (this.isOver) this.#note(`${this.name}: ${what} behind its end`);
  }
}
