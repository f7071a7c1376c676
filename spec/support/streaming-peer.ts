/** A peer that compresses as most do: with one zlib stream for a direction, flushed after each message. RFC 7692 §7.2. */
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
  type ZlibOptions,
} from 'node:zlib';

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Compresses messages one after the other, each with all before it as its context. */
export class StreamingDeflater {
  readonly #stream: DeflateRaw;
  #output: Buffer[] = [];

  constructor(options: ZlibOptions = {}) {
    this.#stream = createDeflateRaw(options);
    this.#stream.on('data', (chunk: Buffer) => this.#output.push(chunk));
  }

  /** The payload of a compressed message, or of its part: all but the last keep their tail. */
  async deflate(data: Uint8Array, isLast = true): Promise<Buffer> {
    this.#stream.write(data);
    await new Promise<void>((resolve) => this.#stream.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    const output = Buffer.concat(this.#output);
    this.#output = [];
    // zlib gives nothing for nothing: RFC 7692 §7.2.3.6 says what to send.
    if (output.length === 0) return Buffer.from(isLast ? [0x00] : []);
    return isLast ? output.subarray(0, -TAIL.length) : output;
  }

  close(): void {
    this.#stream.close();
  }
}

/** Inflates messages one after the other, each with all before it as its context. */
export class StreamingInflater {
  readonly #stream: InflateRaw;
  #output: Buffer[] = [];
  #error: Error | undefined;

  constructor(options: ZlibOptions = {}) {
    this.#stream = createInflateRaw(options);
    this.#stream.on('data', (chunk: Buffer) => this.#output.push(chunk));
    this.#stream.on('error', (error) => {
      this.#error = error;
    });
  }

  /** The text of a compressed message. @throws what zlib says to data that is not valid. */
  async inflate(payload: Uint8Array): Promise<Buffer> {
    this.#stream.write(Buffer.concat([payload, TAIL]));
    await new Promise<void>((resolve) => {
      this.#stream.once('error', () => resolve());
      this.#stream.flush(() => resolve());
    });
    this.#stream.removeAllListeners('error').on('error', () => {});
    if (this.#error !== undefined) throw this.#error;
    const output = Buffer.concat(this.#output);
    this.#output = [];
    return output;
  }

  close(): void {
    this.#stream.close();
  }
}
