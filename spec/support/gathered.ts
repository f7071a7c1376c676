/** Bytes that came in chunks and were not taken yet. They are joined when somebody looks at them, not with each chunk. */
export class Gathered {
  #chunks: Buffer[] = [];
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** All of them, in one piece. */
  get bytes(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0]!;
  }

  /** The first `size` of them, or fewer; only so many are joined. */
  first(size: number): Buffer {
    const [head] = this.#chunks;
    if (head !== undefined && head.length >= size) return head.subarray(0, size);
    const parts: Buffer[] = [];
    for (let at = 0, length = 0; length < size && at < this.#chunks.length; at++) {
      parts.push(this.#chunks[at]!);
      length += parts[at]!.length;
    }
    return Buffer.concat(parts).subarray(0, size);
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Takes the first `size` of them; all when there are fewer. */
  take(size: number): Buffer {
    const all = this.bytes;
    this.#chunks = size < all.length ? [all.subarray(size)] : [];
    this.#length = Math.max(0, all.length - size);
    return all.subarray(0, size);
  }
}
