import type { BroadcastResult, Delivery } from './delivery.js';
import type { Target } from './target.js';

/** Who gets a message: a set that may change while one is delivered. Those who join twice have to leave twice. */
export class Members<Out, C extends Target<Out>> {
  readonly #counts = new Map<C, number>();
  /** The members as they are; nothing after a change. */
  #list: ReadonlySet<C> | undefined;

  get size(): number {
    return this.#counts.size;
  }

  /** The members as they are now: it does not change any more. */
  get list(): ReadonlySet<C> {
    this.#list ??= new Set(this.#counts.keys());
    return this.#list;
  }

  has(conn: C): boolean {
    return this.#counts.has(conn);
  }

  /** Returns whether it was no member before. */
  add(conn: C): boolean {
    const count = this.#counts.get(conn) ?? 0;
    this.#counts.set(conn, count + 1);
    if (count === 0) this.#list = undefined;
    return count === 0;
  }

  /** Sends to those who are members now, and still are when it is their turn. */
  send(delivery: Delivery<Out, C>, message: Out, isFor?: (conn: C) => boolean): BroadcastResult {
    const { list } = this;
    const isMember = (conn: C): boolean => this.#list === list || this.#counts.has(conn);
    return delivery.send(list, message, (conn) => isMember(conn) && (isFor === undefined || isFor(conn)));
  }

  /** Returns whether it is no member any more. */
  remove(conn: C): boolean {
    const count = this.#counts.get(conn) ?? 0;
    if (count > 1) this.#counts.set(conn, count - 1);
    else if (this.#counts.delete(conn)) this.#list = undefined;
    return count === 1;
  }
}
