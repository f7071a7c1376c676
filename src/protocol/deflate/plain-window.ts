import { Buffer } from 'node:buffer';

const EMPTY: Buffer = Buffer.alloc(0);

/** The initial capacity of a window, in bytes. It doubles as the window grows. */
const SMALLEST = 1024;

/**
 * The last bytes of the plain text of all messages in one direction. Context takeover (RFC 7692 §7.1.1) needs nothing else: a new coder
 * with the window as its dictionary is equivalent to a coder that was kept.
 */
export class PlainWindow {
  readonly #limit: number;
  #memory: Buffer = EMPTY;
  #length = 0;

  /** @param bits it holds at most 2^bits bytes. */
  constructor(bits: number) {
    this.#limit = 2 ** bits;
  }

  /** The contents; `undefined` if empty. Valid until the next `add`. */
  get bytes(): Buffer | undefined {
    return this.#length === 0 ? undefined : this.#memory.subarray(0, this.#length);
  }

  /** Adds plain text, and drops what exceeds the window. */
  add(text: Uint8Array): void {
    const limit = this.#limit;
    if (text.length >= limit) {
      this.#reserve(limit);
      this.#memory.set(text.subarray(text.length - limit));
      this.#length = limit;
      return;
    }
    const kept = Math.min(this.#length, limit - text.length);
    if (kept < this.#length) this.#memory.copyWithin(0, this.#length - kept, this.#length);
    this.#length = kept;
    this.#reserve(kept + text.length);
    this.#memory.set(text, kept);
    this.#length = kept + text.length;
  }

  /** Drops the contents. */
  clear(): void {
    this.#memory = EMPTY;
    this.#length = 0;
  }

  #reserve(size: number): void {
    if (size <= this.#memory.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(SMALLEST, 2 * size)));
    this.#memory.copy(grown, 0, 0, this.#length);
    this.#memory = grown;
  }
}
