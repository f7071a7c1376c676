import { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.js';
import { ChunkQueue } from './chunk-queue.js';
import { type FrameHeader, HeaderReader, MAX_HEADER_SIZE } from './frame-header.js';
import { copyOf } from './memory.js';
import { isControl, Opcode } from './opcode.js';

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Splits chunks into parts of frames, and checks that the frames are in an order that RFC 6455 §5.4 allows.
 *
 * `read()` moves to the next part: the bytes of one frame within one chunk. Most frames are one part.
 */
export class FrameReader {
  /** The frame that the part belongs to. */
  get header(): FrameHeader {
    return this.#header;
  }
  /** The memory of the part, which is `bytes` from `start` to `end`, still masked. It may be empty. */
  get bytes(): Buffer {
    return this.#chunk;
  }
  start = 0;
  end = 0;
  /** How many payload bytes of the frame precede the part. */
  before = 0;
  /** Whether the part begins its frame. */
  first = false;
  /** Whether the part ends its frame. */
  last = true;
  /** Whether a message is in progress, whose final frame is missing. */
  inMessage = false;

  readonly #masked: boolean;
  readonly #allowsRsv1: boolean;
  readonly #header = new HeaderReader();
  readonly #waiting = new ChunkQueue();
  #chunk: Buffer = EMPTY;
  #position = 0;
  #chunkEnd = 0;
  /** Whether the reader owns the memory of the chunk for good. */
  #isKept = true;
  /** Payload bytes of the frame that follow the part. */
  #remaining = 0;
  /** The bytes of a header that is split between chunks, and how many have arrived. */
  #split: Buffer | undefined;
  #splitSize = 0;
  /** Wire bytes of the complete frames of the message in progress. */
  #completeBytes = 0;

  /**
   * @param masked whether the peer must mask its frames: a client must, a server must not (RFC 6455 §5.1).
   * @param allowsRsv1 whether an extension uses RSV1, on the first frame of a message (RFC 7692 §6).
   */
  constructor(masked: boolean, allowsRsv1 = false) {
    this.#masked = masked;
    this.#allowsRsv1 = allowsRsv1;
  }

  /** Bytes that are not read yet. */
  get unread(): number {
    return this.#chunkEnd - this.#position + this.#waiting.size;
  }

  /** Whether a frame is incomplete. */
  get inFrame(): boolean {
    return !this.last || this.#splitSize > 0;
  }

  /** Whether the next frame may have RSV1. Only valid at the start of a frame. */
  get mayHaveRsv1(): boolean {
    if (this.#splitSize > 0) return (this.#split![0]! & 0x40) !== 0;
    const isHere = this.#position < this.#chunkEnd;
    return isHere ? (this.#chunk[this.#position]! & 0x40) !== 0 : this.#waiting.size > 0;
  }

  /** Wire bytes read of the message in progress, or of the frame in progress outside a message. */
  get partialBytes(): number {
    return this.#completeBytes + (this.inMessage && this.#isInControl() ? 0 : this.#frameBytes());
  }

  /** Adds the first `length` bytes of `chunk`, which are unmasked in place. The reader owns the memory until {@link keep}. */
  push(chunk: Buffer, length: number = chunk.length): void {
    if (length === 0) return;
    if (this.unread > 0) this.#waiting.push(chunk.subarray(0, length));
    else this.#enter(chunk, length, false);
  }

  /** Copies the unread bytes, so that the caller can reuse the memory that it pushed. */
  keep(): void {
    if (this.#isKept || this.#position === this.#chunkEnd) return;
    const rest = copyOf(this.#chunk, this.#position, this.#chunkEnd);
    this.#enter(rest, rest.length, true);
  }

  /**
   * Moves to the next part.
   *
   * @returns false if more bytes are needed. A frame is entered as soon as its header is complete.
   * @throws ProtocolError 1002 as soon as the available bytes show an invalid header (RFC 6455 §5.1, §5.2, §5.4, §5.5).
   */
  read(): boolean {
    this.first = this.last;
    if (this.first) {
      if (!this.#readHeader()) return false;
      this.#remaining = this.#header.length;
      this.before = 0;
    } else {
      if (!this.#hasByte()) return false;
      this.before = this.#header.length - this.#remaining;
    }
    this.start = this.#position;
    this.end = Math.min(this.start + this.#remaining, this.#chunkEnd);
    this.#position = this.end;
    this.#remaining -= this.end - this.start;
    this.last = this.#remaining === 0;
    if (this.last) this.#endFrame(this.#header);
    return true;
  }

  #enter(chunk: Buffer, length: number, isKept: boolean): void {
    this.#chunk = chunk;
    this.#position = 0;
    this.#chunkEnd = length;
    this.#isKept = isKept;
  }

  /** Whether a byte can be read at the position. Releases a chunk that is used up. */
  #hasByte(): boolean {
    if (this.#position < this.#chunkEnd) return true;
    const chunk = this.#waiting.shift() ?? EMPTY;
    this.#enter(chunk, chunk.length, true);
    return chunk !== EMPTY;
  }

  #readHeader(): boolean {
    if (this.#splitSize > 0) return this.#readSplitHeader();
    if (!this.#hasByte()) return false;
    if (!this.#parseHeader(this.#chunk, this.#position, this.#chunkEnd)) return this.#readSplitHeader();
    this.#position += this.#header.size;
    return true;
  }

  #readSplitHeader(): boolean {
    this.#split ??= Buffer.alloc(MAX_HEADER_SIZE);
    while (this.#hasByte()) {
      this.#split[this.#splitSize++] = this.#chunk[this.#position++]!;
      if (this.#parseHeader(this.#split, 0, this.#splitSize)) {
        this.#splitSize = 0;
        return true;
      }
    }
    return false;
  }

  #parseHeader(bytes: Buffer, offset: number, end: number): boolean {
    this.#checkSequence(bytes[offset]!);
    return this.#header.read(bytes, offset, end, this.#masked);
  }

  /** Checks the first byte of a frame against the preceding frames. */
  #checkSequence(first: number): void {
    const opcode = first & 0xf;
    if ((first & 0x40) !== 0 && !(this.#allowsRsv1 && (opcode === Opcode.text || opcode === Opcode.binary))) {
      // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values"
      throw new ProtocolError('RESERVED_BIT', 1002, 'RSV1 must be 0: no extension uses it on this frame');
    }
    // §5.4: control frames "MAY be injected in the middle of a fragmented message"; reserved opcodes fail with the header
    if (opcode > Opcode.binary) return;
    if (this.inMessage && opcode !== Opcode.continuation) {
      // §5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message"
      const message = `expected a continuation or control frame in a fragmented message, got opcode 0x${opcode}`;
      throw new ProtocolError('CONTINUATION_EXPECTED', 1002, message);
    }
    if (!this.inMessage && opcode === Opcode.continuation) {
      throw new ProtocolError(
        'CONTINUATION_UNEXPECTED',
        1002,
        'got a continuation frame, but no message is in progress',
      );
    }
  }

  #endFrame({ opcode, fin, size, length }: FrameHeader): void {
    if (isControl(opcode)) return;
    this.inMessage = !fin;
    this.#completeBytes = fin ? 0 : this.#completeBytes + size + length;
  }

  #isInControl(): boolean {
    return isControl(this.#splitSize > 0 ? this.#split![0]! : this.#header.opcode);
  }

  #frameBytes(): number {
    if (this.#splitSize > 0) return this.#splitSize;
    return this.last ? 0 : this.#header.size + this.#header.length - this.#remaining;
  }
}
