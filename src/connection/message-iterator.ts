import type { Subscription } from 'rxjs';
import { holdSymbol } from './hooks.js';
import type { Holdable } from './seat.js';

/**
 * Iterates over messages, with a hold while none is requested: other subscribers wait too, and nothing is lost. Done when
 * `messages$` completes. `return` unsubscribes and leaves the remaining messages in the inbox.
 */
export function iterateMessages<In>(messages$: Holdable<In>): AsyncIterator<In, undefined> {
  return new MessageIterator(messages$);
}

class MessageIterator<In> implements AsyncIterator<In, undefined> {
  readonly #messages$: Holdable<In>;
  #subscription: Subscription | undefined;
  #hold: Subscription | undefined;
  #asked: ((result: IteratorResult<In, undefined>) => void)[] = [];
  #done = false;

  constructor(messages$: Holdable<In>) {
    this.#messages$ = messages$;
  }

  next(): Promise<IteratorResult<In, undefined>> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    const answer = new Promise<IteratorResult<In, undefined>>((resolve) => this.#asked.push(resolve));
    if (this.#subscription === undefined) this.#subscribe();
    this.#release();
    return answer;
  }

  return(): Promise<IteratorResult<In, undefined>> {
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  #subscribe(): void {
    this.#hold = this.#messages$[holdSymbol]();
    this.#subscription = this.#messages$.subscribe({
      next: (value) => this.#answer(value),
      complete: () => this.#finish(),
    });
  }

  #answer(value: In): void {
    if (this.#asked.length === 1) this.#hold = this.#messages$[holdSymbol]();
    this.#asked.shift()?.({ done: false, value });
  }

  #release(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.unsubscribe();
  }

  #finish(): void {
    this.#done = true;
    this.#subscription?.unsubscribe();
    this.#release();
    for (const resolve of this.#asked.splice(0)) resolve({ done: true, value: undefined });
  }
}
