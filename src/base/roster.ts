/** A member of a {@link Roster}. It can be in one roster at a time, and only that roster writes this. */
export interface Enrolled {
  /** The index in the list; negative while it is not in one. */
  rank: number;
}

/** Shorter lists are not compacted. */
const MIN_LENGTH = 32;

/**
 * A list of members that come and go all the time, such as connections, in the order in which they came. Each member knows its place.
 *
 * A `Set` or `Map` rebuilds its table after every few deletions, and V8 keeps the old tables and their contents alive until it collects
 * the old generation. With a `Set`, each collection of young memory copied every connection that had closed (see
 * `bench: handshakes`).
 */
export class Roster<M extends Enrolled> implements Iterable<M> {
  /** The place of a member that has left is undefined. */
  readonly #list: (M | undefined)[] = [];
  #size = 0;
  #set: Set<M> | undefined;

  get size(): number {
    return this.#size;
  }

  /** The members as a `Set` that is kept up to date, made at the first access. */
  get set(): ReadonlySet<M> {
    this.#set ??= new Set(this);
    return this.#set;
  }

  /** Adds `member`, which must not be in a roster. */
  add(member: M): void {
    member.rank = this.#list.length;
    this.#list.push(member);
    this.#size++;
    this.#set?.add(member);
  }

  /** Removes `member`. Harmless if it is not in this roster. */
  delete(member: M): void {
    if (this.#list[member.rank] !== member) return;
    this.#list[member.rank] = undefined;
    member.rank = -1;
    this.#size--;
    this.#set?.delete(member);
    if (this.#list.length > MIN_LENGTH && this.#list.length > 2 * this.#size) this.#closeUp();
  }

  /** Iterates over a snapshot of the members: later changes do not affect it. */
  [Symbol.iterator](): Iterator<M> {
    return this.#list.filter((member) => member !== undefined).values();
  }

  /** Compacts the list in place: a new list would have the same problem as a `Set`. */
  #closeUp(): void {
    const list = this.#list;
    let length = 0;
    for (const member of list) {
      if (member === undefined) continue;
      member.rank = length;
      list[length++] = member;
    }
    list.length = length;
  }
}
