import { Buffer } from 'node:buffer';
import { copyOf } from './memory.js';

/** Chunks below this size are copied into shared blocks, so that a peer that drips bytes costs bytes, not objects. */
const SMALL = 1024;

/** The size of the blocks that small chunks are copied into, in bytes. */
const BLOCK = 4096;

/** The list is only rewritten if it has at least this many holes at its front. */
const MIN_HOLES = 64;

/** A queue of the chunks that wait to be parsed. Both `push` and `shift` take amortized O(1). */
export class ChunkQueue {
  #chunks: (Buffer | undefined)[] = [];
  #head = 0;
  #size = 0;
  /** The memory of the last entry, if it has room for more small chunks. */
  #block: Buffer | undefined;
  #blockUsed = 0;

  /** Bytes that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds a copy of a chunk. */
  push(chunk: Buffer): void {
    this.#size += chunk.length;
    if (chunk.length < SMALL && this.#joinBlock(chunk)) return;
    this.#block = undefined;
    this.#chunks.push(copyOf(chunk, 0, chunk.length));
  }

  /** Takes the first chunk; `undefined` if the queue is empty. */
  shift(): Buffer | undefined {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return undefined;
    this.#size -= chunk.length;
    this.#chunks[this.#head++] = undefined;
    if (this.#head === this.#chunks.length) this.clear();
    else if (this.#head >= MIN_HOLES && this.#head * 2 >= this.#chunks.length) this.#dropHoles();
    return chunk;
  }

  /** Drops all chunks. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#size = 0;
    this.#block = undefined;
  }

  #joinBlock(chunk: Buffer): boolean {
    // the first chunk gets memory of exactly its size: usually it is the only one
    if (this.#chunks.length === 0) return false;
    if (this.#block === undefined || this.#blockUsed + chunk.length > BLOCK) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK);
      this.#blockUsed = 0;
      this.#chunks.push(this.#block);
    }
    chunk.copy(this.#block, this.#blockUsed);
    this.#blockUsed += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#blockUsed);
    return true;
  }

  #dropHoles(): void {
    this.#chunks = this.#chunks.slice(this.#head);
    this.#head = 0;
  }
}
