import { flushAll } from '../flush-queue.js';

/** The size of a slab, and so the most that the small frames of one tick take before they are written. In bytes. */
export const SLAB_SIZE = 65_536;

/** Runs of up to this size are cut out of the beginning of a slab once and for all, in bytes. */
const SHORT_RUN = 256;

/**
 * Memory in which the small frames of one tick are joined. One is in use at a time in each thread. Batches take contiguous
 * places from it; when the last one has given them back, it starts again. A batch whose bytes did not leave at once keeps its
 * slab, and the others go on with another.
 */
export class Slab {
  /** The slab that is in use. */
  static current: Slab = new Slab();
  /** One that was given back by all. */
  static #spare: Slab | undefined;
  static #wasFull = false;

  readonly bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_SIZE);
  /** Where the free part begins. */
  position = 0;
  #users = 0;
  /** By their sizes, as they are written. */
  readonly #shortRuns = new Array<readonly Uint8Array[] | undefined>(SHORT_RUN + 1);

  /** Gives a slab with at least `size` free bytes, at most {@link SLAB_SIZE}. */
  static withRoom(size: number): Slab {
    if (Slab.current.position + size > SLAB_SIZE) {
      Slab.#wasFull = true;
      Slab.#change();
    }
    return Slab.current;
  }

  /**
   * Flushes all connections if a slab has become full. Called after each frame, never within: a callback that is notified may send,
   * or close.
   */
  static flushFull(): void {
    if (!Slab.#wasFull) return;
    Slab.#wasFull = false;
    flushAll();
  }

  static #change(): void {
    Slab.current = Slab.#spare ?? new Slab();
    Slab.#spare = undefined;
  }

  /** Whether `piece` lies in this slab. */
  holds(piece: Uint8Array): boolean {
    return piece.buffer === this.bytes.buffer;
  }

  /**
   * The bytes from `start` to `end`, in one piece. A message that leaves alone begins where the slab does: each small size is cut out
   * only once (see `bench: 32 B text, 1 in flight`).
   */
  piecesOf(start: number, end: number): readonly Uint8Array[] {
    if (start > 0 || end > SHORT_RUN) return [this.bytes.subarray(start, end)];
    const known = this.#shortRuns[end];
    if (known !== undefined) return known;
    const run = [this.bytes.subarray(0, end)];
    this.#shortRuns[end] = run;
    return run;
  }

  /** Counts a run of bytes here. */
  use(): void {
    this.#users++;
  }

  /** The bytes of a run have left, or were copied. */
  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.position = 0;
    if (this !== Slab.current) Slab.#spare = this;
  }

  /** A batch's bytes will leave later: nothing is written here any more. */
  abandon(): void {
    this.position = SLAB_SIZE;
    if (Slab.current === this) Slab.#change();
  }
}
