/** Sources of bytes that give them when they are told to, without a microtask between. */

/** A promise for RxJS and for the pullers, settled by hand. */
class Settled<T> {
  #value: { readonly value: T } | undefined;
  #waiting: ((value: T) => void)[] = [];

  settle(value: T): void {
    this.#value = { value };
    for (const resolve of this.#waiting.splice(0)) resolve(value);
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for a Promise
  then(resolve: ((value: T) => void) | null): this {
    if (resolve === null) return this;
    if (this.#value === undefined) this.#waiting.push(resolve);
    else resolve(this.#value.value);
    return this;
  }
}

/** An async iterable that gives its parts one by one, when it is told to. */
export class ControlledParts implements AsyncIterable<Buffer> {
  isStopped = false;
  readonly #parts: Buffer[];
  readonly #ended: () => void;
  #asked: Settled<IteratorResult<Buffer>> | undefined;

  /** @param ended called when all was given. */
  constructor(parts: readonly Buffer[], ended: () => void = () => {}) {
    this.#parts = [...parts];
    this.#ended = ended;
  }

  /** Gives the part that is waited for. `false` when none is. */
  give(): boolean {
    const asked = this.#asked;
    if (asked === undefined) return false;
    this.#asked = undefined;
    const value = this.#parts.shift();
    if (value === undefined && !this.isStopped) this.#ended();
    asked.settle(value === undefined ? { done: true, value: undefined } : { done: false, value });
    return true;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return {
      next: () => {
        this.#asked = new Settled();
        return this.#asked as unknown as Promise<IteratorResult<Buffer>>;
      },
      return: () => {
        this.isStopped = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** A Blob whose bytes come when they are told to: all at once when it is small, in two parts when it is large. */
export class ControlledBlob {
  readonly [Symbol.toStringTag] = 'Blob';
  readonly size: number;
  readonly #bytes: Buffer;
  readonly #whole = new Settled<Buffer>();
  readonly #parts: ControlledParts;
  #isAsked = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.size = bytes.length;
    const middle = bytes.length >> 1;
    this.#parts = new ControlledParts([bytes.subarray(0, middle), bytes.subarray(middle)]);
  }

  arrayBuffer(): Settled<Buffer> {
    this.#isAsked = true;
    return this.#whole;
  }

  stream(): AsyncIterable<Buffer> {
    return this.#parts;
  }

  /** Gives what is waited for. `false` when nothing is. */
  give(): boolean {
    if (!this.#isAsked) return this.#parts.give();
    this.#isAsked = false;
    this.#whole.settle(this.#bytes);
    return true;
  }
}
