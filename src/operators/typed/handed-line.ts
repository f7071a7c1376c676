import type { Observable, Subscription } from 'rxjs';
import type { SendResult } from '../../connection/channel.js';

interface Expected<T> {
  readonly item: T;
  readonly onHanded: () => void;
}

/**
 * What was sent through a connection and is not handed over yet, oldest first: tells the senders of single items. Listens to the
 * connection only while somebody waits.
 */
export class HandedLine<T> {
  readonly #handed$: Observable<T>;
  #line: Expected<T>[] = [];
  #first = 0;
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

  /** Those before `item` were dropped on the way; what is not in the line was sent by others. */
  #arrived(item: T): void {
    let at = this.#first;
    while (at < this.#line.length && this.#line[at]?.item !== item) at++;
    const found = this.#line[at];
    if (found === undefined) return;
    this.#first = at + 1;
    if (this.#first * 2 >= this.#line.length) {
      this.#line.splice(0, this.#first);
      this.#first = 0;
    }
    found.onHanded();
    this.#stopIfEmpty();
  }

  #forget(expected: Expected<T>): void {
    const at = this.#line.lastIndexOf(expected);
    if (at >= this.#first) this.#line.splice(at, 1);
    this.#stopIfEmpty();
  }

  #stopIfEmpty(): void {
    if (this.#first < this.#line.length) return;
    this.#listening?.unsubscribe();
    this.#listening = undefined;
  }
}
