/** Looks at a message. `true` takes it out. */
export type Interceptor<In> = (message: In) => boolean;

/** Which messages an interceptor is for: those whose key is `value`, compared as the keys of a `Map` are. */
export interface InterceptorKey<In> {
  /** The key of a message. The same function is called once for each message, however many interceptors have it. */
  readonly of: (message: In) => unknown;
  /** The key of the messages that are shown to the interceptor. */
  readonly value: unknown;
  /** Called with what `of` throws. */
  failed(error: unknown): void;
}

/** An interceptor among the others. One that has left still knows its successor, so that a walk through the line goes on. */
interface Place<In> {
  /** Counts up: the order of coming. */
  readonly number: number;
  readonly take: Interceptor<In>;
  readonly key: InterceptorKey<In> | undefined;
  hasLeft: boolean;
  previous: Place<In> | undefined;
  next: Place<In> | undefined;
}

/** Places in the order of coming. Neither coming nor leaving looks at the others. */
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
 * Functions that may take messages out before the subscribers get them, in the order in which they were added. Among those that a
 * message is for, the oldest one that accepts it takes it.
 *
 * Interceptors with a key are found by it: a message costs one call of each distinct key function, and one look into a `Map`. The others are
 * asked one after the other, as long as no older interceptor has the message. An interceptor that comes while a message is shown sees the next one;
 * one that leaves is not asked any more.
 */
export class Interceptors<In> {
  readonly #others = new Line<In>();
  readonly #byKey = new Map<InterceptorKey<In>['of'], Map<unknown, Line<In>>>();
  #size = 0;
  /** How many have ever come. */
  #count = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Adds an interceptor. The same function may be here twice. Returns what removes it, which may be called twice. */
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
      // Keeping this function does not keep the interceptors that were added later.
      place = undefined;
    };
  }

  /** Shows a message, and says whether it was taken. */
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

  /** The first place of each line that has the key of `message`. */
  #headsFor(message: In, newest: number): (Place<In> | undefined)[] {
    const heads: (Place<In> | undefined)[] = [];
    // Those of now: a key function may add others.
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

/** Tells all whose key function threw. */
function fail<In>(lines: ReadonlyMap<unknown, Line<In>>, newest: number, error: unknown): void {
  const places = [...lines.values()].flatMap((line) => [...line]).sort((one, other) => one.number - other.number);
  for (const { hasLeft, number, key } of places) {
    if (!hasLeft && number <= newest) (key as InterceptorKey<In>).failed(error);
  }
}

/** Where the place stands that came first. */
function oldest(heads: readonly (Pick<Place<unknown>, 'number'> | undefined)[]): number {
  let found = 0;
  for (let at = 1; at < heads.length; at++) {
    const number = heads[at]?.number ?? Number.POSITIVE_INFINITY;
    if (number < (heads[found]?.number ?? Number.POSITIVE_INFINITY)) found = at;
  }
  return found;
}
