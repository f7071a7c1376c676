import type { Observable, Subscription } from 'rxjs';
import { Fifo } from '../../base/fifo.js';
import type { SendResult } from '../../connection/send-result.js';

interface Expected<T> {
  readonly item: T;
  readonly onHanded: () => void;
}

/**
 * The items that were sent through a connection and are not handed over yet, oldest first. Calls a callback for each item. Listens to
 * the connection only while it is not empty.
 */
export class HandedLine<T> {
  readonly #handed$: Observable<T>;
  readonly #line = new Fifo<Expected<T>>();
  #listening: Subscription | undefined;

  /** @param handed$ emits each item of the connection when it is handed over, in order. */
  constructor(handed$: Observable<T>) {
    this.#handed$ = handed$;
  }

  /** Sends `item` with `send`, and calls `onHanded` when it is handed over, which may be before this returns. */
  track(item: T, onHanded: () => void, send: (item: T) => SendResult): SendResult {
    this.#listening ??= this.#handed$.subscribe((handed) => this.#arrived(handed));
    const expected = { item, onHanded };
    this.#line.push(expected);
    let result: SendResult | undefined;
    try {
      result = send(item);
    } finally {
      if (result !== 'sent' && result !== 'buffered') this.#forget(expected);
    }
    return result;
  }

  /** Items before `item` were dropped on the way; an item that is not in the line was sent by other means. */
  #arrived(item: T): void {
    const found = this.#find(item);
    if (found === undefined) return;
    while (this.#line.shift() !== found);
    found.onHanded();
    this.#stopIfEmpty();
  }

  #find(item: T): Expected<T> | undefined {
    for (const expected of this.#line) if (expected.item === item) return expected;
    return undefined;
  }

  #forget(expected: Expected<T>): void {
    this.#line.remove(expected);
    this.#stopIfEmpty();
  }

  #stopIfEmpty(): void {
    if (!this.#line.isEmpty) return;
    this.#listening?.unsubscribe();
    this.#listening = undefined;
  }
}
