import type { BroadcastResult, Delivery } from './delivery.js';
import type { Target } from './target.js';

/** The connections that get a message: a set that may change during a delivery. A connection that joins twice must leave twice. */
export class Members<Out, C extends Target<Out>> {
  readonly #counts = new Map<C, number>();
  /** A snapshot of the members; undefined after a change. */
  #list: ReadonlySet<C> | undefined;

  get size(): number {
    return this.#counts.size;
  }

  /** A snapshot of the members, which does not change later. */
  get list(): ReadonlySet<C> {
    this.#list ??= new Set(this.#counts.keys());
    return this.#list;
  }

  has(conn: C): boolean {
    return this.#counts.has(conn);
  }

  /** Returns whether `conn` was not a member before. */
  add(conn: C): boolean {
    const count = this.#counts.get(conn) ?? 0;
    this.#counts.set(conn, count + 1);
    if (count === 0) this.#list = undefined;
    return count === 0;
  }

  /** Sends to the current members that are still members when their turn comes. */
  send(delivery: Delivery<Out, C>, message: Out, isFor?: (conn: C) => boolean): BroadcastResult {
    const { list } = this;
    const isMember = (conn: C): boolean => this.#list === list || this.#counts.has(conn);
    return delivery.send(list, message, (conn) => isMember(conn) && (isFor === undefined || isFor(conn)));
  }

  /** Returns whether this ended the membership of `conn`. */
  remove(conn: C): boolean {
    const count = this.#counts.get(conn) ?? 0;
    if (count > 1) this.#counts.set(conn, count - 1);
    else if (this.#counts.delete(conn)) this.#list = undefined;
    return count === 1;
  }
}
