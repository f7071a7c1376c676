import { Buffer, constants } from 'node:buffer';
import { borrow, copyOf, giveBack } from '../frame/memory.js';

/** The initial capacity, in bytes, unless less is known to be enough. */
const SMALLEST = 1024;

/** Payloads below this size are copied to memory of exactly their size, so that keeping one retains nothing else. In bytes. */
const COPY_BELOW = 4096;

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Collects the parts of a payload that arrives in several chunks or frames.
 *
 * Memory grows with the received bytes, not with the length that a header claims: at most 1 KiB or twice the bytes received, and four times
 * once a quarter of a known total has arrived, which is then allocated as a whole. Lent memory may be twice that size.
 */
export class PayloadBuffer {
  #bytes: Buffer = EMPTY;
  #length = 0;
  #total = 0;
  #exact = false;
  #isLent = false;

  /** The number of collected bytes. */
  get length(): number {
    return this.#length;
  }

  /** The size of the allocated memory, in bytes. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /**
   * Announces that `total` bytes will have been collected when the current frame ends, and, if `exact`, that the frame is the last.
   *
   * @param isLent whether {@link lend} will be called instead of {@link take}.
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
    // The `buffer` of the message must not reveal earlier contents of the memory.
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

  /** Drops the collected bytes and their memory. */
  clear(): void {
    this.#bytes = EMPTY;
    this.#length = 0;
    this.expect(0, false);
  }

  #grow(length: number): void {
    const capacity = this.#capacityFor(length);
    // Memory that is outgrown before the payload is complete becomes garbage: 0.9 MiB in three steps for a message of 1 MiB.
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
    // After a quarter the whole payload is allocated. Bytes copied into more memory before that would only be copied again.
    return Math.min(doubled, Math.max(Math.min(SMALLEST, total), Math.ceil(total / 4)));
  }
}
