/** A function that is shown a message. Returns `true` to take it out. */
export type Interceptor<In> = (message: In) => boolean;

/** A filter for the messages that an interceptor sees: those whose key is `value`, compared like the keys of a `Map`. */
export interface InterceptorKey<In> {
  /** Returns the key of a message. Called once for each message, however many interceptors share the same function. */
  readonly of: (message: In) => unknown;
  /** The key of the messages that are shown to the interceptor. */
  readonly value: unknown;
  /** Called with an error that `of` throws. */
  failed(error: unknown): void;
}

/** A node in a list of interceptors. A removed one keeps its `next`, so that an iteration in progress can continue. */
interface Place<In> {
  /** Increases with each interceptor added. */
  readonly number: number;
  readonly take: Interceptor<In>;
  readonly key: InterceptorKey<In> | undefined;
  hasLeft: boolean;
  previous: Place<In> | undefined;
  next: Place<In> | undefined;
}

/** A linked list of places, in the order in which they were added. Adding and removing take constant time. */
class Line<In> {
  first: Place<In> | undefined;
  #last: Place<In> | undefined;

  append(place: Place<In>): void {
    place.previous = this.#last;
    if (this.#last === undefined) this.first = place;
    else this.#last.next = place;
    this.#last = place;
  }

  remove(place: Place<In>): void {
    if (place.previous === undefined) this.first = place.next;
    else place.previous.next = place.next;
    if (place.next === undefined) this.#last = place.previous;
    else place.next.previous = place.previous;
    place.previous = undefined;
  }

  *[Symbol.iterator](): Iterator<Place<In>> {
    for (let place = this.first; place !== undefined; place = place.next) yield place;
  }
}

/**
 * Functions that may take messages out before the subscribers receive them, in the order in which they were added. The oldest
 * matching interceptor that accepts a message takes it.
 *
 * Interceptors with a key are looked up by it: for each message, each distinct key function is called once, with one lookup in a `Map`.
 * The others are called one after the other until one takes the message. An interceptor that is added while a message is shown sees
 * the next one; a removed one is not called again.
 */
export class Interceptors<In> {
  readonly #others = new Line<In>();
  readonly #byKey = new Map<InterceptorKey<In>['of'], Map<unknown, Line<In>>>();
  #size = 0;
  /** How many have ever been added. */
  #count = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Adds an interceptor. The same function may be added twice. Returns a function that removes it, which may be called repeatedly. */
  add(take: Interceptor<In>, key?: InterceptorKey<In>): () => void {
    const line = key === undefined ? this.#others : lineOf(this.#linesOf(key), key);
    let place: Place<In> | undefined = {
      number: ++this.#count,
      take,
      key,
      hasLeft: false,
      previous: undefined,
      next: undefined,
    };
    line.append(place);
    this.#size++;
    return () => {
      if (place === undefined) return;
      this.#remove(place, line);
      // So that a caller that keeps this function does not retain interceptors that were added later.
      place = undefined;
    };
  }

  /** Shows a message to the interceptors. Returns whether one took it. */
  offer(message: In): boolean {
    if (this.#size === 0) return false;
    const newest = this.#count;
    const heads = this.#headsFor(message, newest);
    heads.push(this.#others.first);
    for (;;) {
      const at = oldest(heads);
      const place = heads[at];
      if (place === undefined || place.number > newest) return false;
      heads[at] = place.next;
      if (!place.hasLeft && place.take(message)) return true;
    }
  }

  #linesOf({ of }: InterceptorKey<In>): Map<unknown, Line<In>> {
    const lines = this.#byKey.get(of) ?? new Map<unknown, Line<In>>();
    this.#byKey.set(of, lines);
    return lines;
  }

  #remove(place: Place<In>, line: Line<In>): void {
    place.hasLeft = true;
    line.remove(place);
    this.#size--;
    if (place.key === undefined || line.first !== undefined) return;
    const lines = this.#linesOf(place.key);
    lines.delete(place.key.value);
    if (lines.size === 0) this.#byKey.delete(place.key.of);
  }

  /** The first place of each line that matches the key of `message`. */
  #headsFor(message: In, newest: number): (Place<In> | undefined)[] {
    const heads: (Place<In> | undefined)[] = [];
    // A copy, because a key function may add others.
    for (const [of, lines] of [...this.#byKey]) {
      try {
        heads.push(lines.get(of(message))?.first);
      } catch (error) {
        fail(lines, newest, error);
      }
    }
    return heads;
  }
}

function lineOf<In>(lines: Map<unknown, Line<In>>, { value }: InterceptorKey<In>): Line<In> {
  const line = lines.get(value) ?? new Line<In>();
  lines.set(value, line);
  return line;
}

/** Notifies all interceptors of a key function that threw. */
function fail<In>(lines: ReadonlyMap<unknown, Line<In>>, newest: number, error: unknown): void {
  const places = [...lines.values()].flatMap((line) => [...line]).sort((one, other) => one.number - other.number);
  for (const { hasLeft, number, key } of places) {
    if (!hasLeft && number <= newest) (key as InterceptorKey<In>).failed(error);
  }
}

/** The index of the place that was added first. */
function oldest(heads: readonly (Pick<Place<unknown>, 'number'> | undefined)[]): number {
  let found = 0;
  for (let at = 1; at < heads.length; at++) {
    const number = heads[at]?.number ?? Number.POSITIVE_INFINITY;
    if (number < (heads[found]?.number ?? Number.POSITIVE_INFINITY)) found = at;
  }
  return found;
}
