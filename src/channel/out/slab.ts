import { flushAll } from '../flush-queue.js';

/** The size of a slab, which limits the small frames of one tick before they are written. In bytes. */
export const SLAB_SIZE = 65_536;

/** Runs of up to this size at the beginning of a slab are sliced once and cached, in bytes. */
const SHORT_RUN = 256;

/**
 * Memory in which the small frames of one tick are joined. Each thread uses one slab at a time. Batches take contiguous ranges of
 * it; when the last range was given back, the slab starts again. A batch whose bytes did not leave immediately keeps its slab, and the
 * others continue with another one.
 */
export class Slab {
  /** The slab in use. */
  static current: Slab = new Slab();
  /** A slab that all batches have given back. */
  static #spare: Slab | undefined;
  static #wasFull = false;

  readonly bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_SIZE);
  /** Where the free memory begins. */
  position = 0;
  #users = 0;
  /** Cached runs from the beginning of the slab, by size, in the form in which they are written. */
  readonly #shortRuns = new Array<readonly Uint8Array[] | undefined>(SHORT_RUN + 1);

  /** Returns a slab with at least `size` free bytes, at most {@link SLAB_SIZE}. */
  static withRoom(size: number): Slab {
    if (Slab.current.position + size > SLAB_SIZE) {
      Slab.#wasFull = true;
      Slab.#change();
    }
    return Slab.current;
  }

  /**
   * Flushes all connections if a slab has become full. Called after each frame, never within one, because callbacks of the flush may
   * send or close.
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
   * Returns the bytes from `start` to `end`, in one piece. A message that leaves alone is at the beginning of the slab, so each small
   * size is sliced only once (see `bench: 32 B text, 1 in flight`).
   */
  piecesOf(start: number, end: number): readonly Uint8Array[] {
    if (start > 0 || end > SHORT_RUN) return [this.bytes.subarray(start, end)];
    const known = this.#shortRuns[end];
    if (known !== undefined) return known;
    const run = [this.bytes.subarray(0, end)];
    this.#shortRuns[end] = run;
    return run;
  }

  /** Counts a run of bytes in this slab. */
  use(): void {
    this.#users++;
  }

  /** Releases a run whose bytes have left or were copied. */
  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.position = 0;
    if (this !== Slab.current) Slab.#spare = this;
  }

  /** Stops using this slab, because the bytes of a batch will leave later. */
  abandon(): void {
    this.position = SLAB_SIZE;
    if (Slab.current === this) Slab.#change();
  }
}
