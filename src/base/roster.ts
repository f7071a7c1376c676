/** What can stand in a {@link Roster}: in one at a time, which alone writes this. */
export interface Enrolled {
  /** Where it stands; negative while it does not. */
  rank: number;
}

/** Shorter lists are not compacted. */
const MIN_LENGTH = 32;

/**
 * Members that come and go all the time, such as connections, in the order in which they came: a list in which each knows its place.
 *
 * A `Set` or `Map` makes itself anew for every few that went, and V8 takes what it was before, with all that stood in it, for alive
 * until it collects the old generation. So each collection of young memory copied every connection that had closed (see
 * `bench: handshakes`).
 */
export class Roster<M extends Enrolled> implements Iterable<M> {
  /** Nothing stands where a member has gone. */
  readonly #list: (M | undefined)[] = [];
  #size = 0;
  #set: Set<M> | undefined;

  get size(): number {
    return this.#size;
  }

  /** The same members as a `Set` that is kept up to date, made at the first access. */
  get set(): ReadonlySet<M> {
    this.#set ??= new Set(this);
    return this.#set;
  }

  /** Adds `member`, which stands nowhere. */
  add(member: M): void {
    member.rank = this.#list.length;
    this.#list.push(member);
    this.#size++;
    this.#set?.add(member);
  }

  /** Takes `member` out. Harmless when it does not stand here. */
  delete(member: M): void {
    if (this.#list[member.rank] !== member) return;
    this.#list[member.rank] = undefined;
    member.rank = -1;
    this.#size--;
    this.#set?.delete(member);
    if (this.#list.length > MIN_LENGTH && this.#list.length > 2 * this.#size) this.#closeUp();
  }

  /** A snapshot of the members: later changes do not affect it. */
  [Symbol.iterator](): Iterator<M> {
    return this.#list.filter((member) => member !== undefined).values();
  }

  /** In place: another list would bring back what is wrong with a `Set`. */
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
