import { Buffer, constants } from 'node:buffer';
import { borrow, copyOf, giveBack } from '../frame/memory.js';

/** The first capacity, in bytes, where it is not known that less is enough. */
const SMALLEST = 1024;

/** A payload below this size is copied to memory of its size, so that keeping it keeps nothing else. In bytes. */
const COPY_BELOW = 4096;

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Collects the parts of a payload that arrives in several chunks or frames.
 *
 * Memory follows what has arrived, never what a header claims: at most 1 KiB or twice the bytes received, and four times
 * once a quarter of a known total is here, which is then allocated whole. Of lent memory it may be twice that.
 */
export class PayloadBuffer {
  #bytes: Buffer = EMPTY;
  #length = 0;
  #total = 0;
  #exact = false;
  #isLent = false;

  /** Bytes collected. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /**
   * Says that `total` bytes will have been collected when the current frame ends, and, if `exact`, that it is the last.
   *
   * @param isLent whether {@link lend} follows, and not {@link take}.
   */
  expect(total: number, exact: boolean, isLent = false): void {
    this.#total = total;
    this.#exact = exact;
    this.#isLent = isLent;
  }

  /** Copies the bytes from `start` to `end`. */
  append(bytes: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#bytes.length) this.#grow(length);
    bytes.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
  }

  /** Returns the collected bytes, in memory that nothing else uses, and starts again. */
  take(): Buffer {
    const bytes = this.#bytes;
    const length = this.#length;
    this.clear();
    if (length === bytes.length) return bytes;
    if (length < COPY_BELOW) return copyOf(bytes, 0, length);
    // Whoever looks at the `buffer` of the message sees nothing that was there before.
    bytes.fill(0, length);
    return bytes.subarray(0, length);
  }

  /** Passes the collected bytes to `read`, which must not keep the memory, and starts again. */
  lend<T>(read: (bytes: Buffer, length: number) => T): T {
    const bytes = this.#bytes;
    const length = this.#length;
    this.clear();
    const result = read(bytes, length);
    giveBack(bytes);
    return result;
  }

  /** Drops what was collected and its memory. */
  clear(): void {
    this.#bytes = EMPTY;
    this.#length = 0;
    this.expect(0, false);
  }

  #grow(length: number): void {
    const capacity = this.#capacityFor(length);
    // What is outgrown before the payload is complete is dead then: for a message of 1 MiB that is 0.9 MiB in three steps.
    const isPassing = this.#isLent || capacity < this.#total;
    const grown = isPassing ? borrow(capacity) : Buffer.allocUnsafeSlow(capacity);
    this.#bytes.copy(grown, 0, 0, this.#length);
    giveBack(this.#bytes);
    this.#bytes = grown;
  }

  #capacityFor(length: number): number {
    const doubled = Math.min(Math.max(SMALLEST, 2 * length), constants.MAX_LENGTH);
    const total = this.#total;
    if (4 * length >= total) return this.#exact ? total : Math.max(doubled, total);
    // After a quarter the whole payload is allocated: what was copied into more memory than that would only be copied again.
    return Math.min(doubled, Math.max(Math.min(SMALLEST, total), Math.ceil(total / 4)));
  }
}
