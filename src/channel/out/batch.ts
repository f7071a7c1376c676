import { headerLength, writeHeader } from '../../protocol/frame/frame-header.js';
import { writeFrame } from '../../protocol/frame/frame-writer.js';
import { maskInPlace } from '../../protocol/frame/mask.js';
import { borrow, giveBack } from '../../protocol/frame/memory.js';
import type { SharedRun } from '../../protocol/frame/shared-frame.js';
import { writeSizedText, writeText } from '../../protocol/frame/utf8.js';
import type { BytePort } from '../byte-port.js';
import { Slab } from './slab.js';

/**
 * Payloads up to this size are copied into the slab, in bytes. Larger ones are written from their own memory, as a separate piece; the
 * port joins small pieces. Copying a smaller payload is cheaper, above all for a single echo (see `bench: 1 KiB binary, 1 in flight`).
 */
export const COPY_LIMIT = 16_384;

/** The longest text that is encoded directly into the slab, in UTF-16 units: three bytes for each, and the header, fit. */
const SLAB_TEXT = 16_384;

/** The longest header: 2 + 8 bytes and the mask. RFC 6455 §5.2. */
const MAX_HEADER = 14;

/** The most idle batches that are kept: enough for the connections that have data to flush at the same time. */
const MAX_IDLE = 64;

/** The frames of one connection that are sent in the next write. */
export class Batch {
  /** Unused batches. A connection has a batch only while data waits for the flush (see `bench: idle, 5 000 connections`). */
  static readonly #idle: Batch[] = [];

  #size = 0;
  /** Pieces that leave before the open run; undefined if there are none. */
  #pieces: Uint8Array[] | undefined;
  /** The slabs that contain the pieces: one for each run. */
  #slabs: Slab[] | undefined;
  /** Borrowed memory of large frames, given back when they have left. */
  #lent: Buffer[] | undefined;
  #open: Slab | undefined;
  #start = 0;
  #end = 0;

  /** Takes an unused batch, or makes one. */
  static take(): Batch {
    return Batch.#idle.pop() ?? new Batch();
  }

  /** Returns the batch for reuse if it is empty. Returns whether it was. */
  giveBack(): boolean {
    if (this.#size > 0 || this.#open !== undefined) return false;
    if (Batch.#idle.length < MAX_IDLE) Batch.#idle.push(this);
    return true;
  }

  /** Encoded bytes that wait for the flush. */
  get size(): number {
    return this.#size;
  }

  /** Adds frames that other connections send too, by reference. */
  run({ pieces, size }: SharedRun): void {
    this.#closeSlab();
    this.#size += size;
    for (const piece of pieces) this.#add(piece);
  }

  /** Adds a frame whose payload is text, as UTF-8; a lone surrogate becomes U+FFFD. Returns the size of the payload in bytes. */
  text(firstByte: number, text: string, maskKey: number | undefined): number {
    if (text.length > SLAB_TEXT) return this.#longText(firstByte, text, maskKey);
    const slab = this.#reserve(text.length * 3 + MAX_HEADER);
    const { bytes } = slab;
    const guess = headerLength(text.length, maskKey !== undefined);
    let at = this.#end + guess;
    const length = writeText(bytes, text, at);
    const header = headerLength(length, maskKey !== undefined);
    if (header !== guess) {
      // The text has multi-byte characters, and needs a longer length field than ASCII of the same length.
      bytes.copyWithin(this.#end + header, at, at + length);
      at = this.#end + header;
    }
    writeHeader(bytes, this.#end, firstByte, length, maskKey);
    if (maskKey !== undefined) maskInPlace(bytes, at, at + length, maskKey);
    this.#grow(slab, at + length);
    return length;
  }

  /** Adds a frame and returns the size of its payload. A payload of more than {@link COPY_LIMIT} bytes is copied only for masking. */
  payload(firstByte: number, payload: Uint8Array, maskKey: number | undefined): number {
    const { length } = payload;
    const header = headerLength(length, maskKey !== undefined);
    if (length <= COPY_LIMIT) {
      const slab = this.#reserve(header + length);
      this.#grow(slab, writeFrame(slab.bytes, this.#end, firstByte, payload, maskKey));
      return length;
    }
    if (maskKey !== undefined) {
      const frame = this.#borrow(header + length);
      // §5.3: the mask is applied to a copy, because the caller's bytes must not change.
      this.piece(frame.subarray(0, writeFrame(frame, 0, firstByte, payload, maskKey)));
      return length;
    }
    const slab = this.#reserve(header);
    this.#grow(slab, writeHeader(slab.bytes, this.#end, firstByte, length));
    this.piece(payload);
    return length;
  }

  /** Adds encoded bytes as they are. They must not change until they have left. */
  piece(bytes: Uint8Array): void {
    this.#closeSlab();
    this.#add(bytes);
    this.#size += bytes.length;
  }

  /** Hands everything to `port` in one write. */
  flush(port: BytePort): void {
    if (this.#size === 0) return;
    const slab = this.#open;
    if (slab !== undefined && this.#pieces === undefined) this.#flushRun(slab, port);
    else this.#flushPieces(port);
  }

  /** Discards everything. */
  drop(): void {
    this.#open?.release();
    this.#open = undefined;
    for (const slab of this.#slabs ?? []) slab.release();
    this.#clear();
  }

  /** Flushes a single run, as most batches are, without allocating lists (see `bench: 32 B text, 1 in flight`). */
  #flushRun(slab: Slab, port: BytePort): void {
    const run = slab.piecesOf(this.#start, this.#end);
    this.#open = undefined;
    this.#size = 0;
    port.write(port.synchronous ? run : run.map((piece) => Buffer.from(piece)));
    if (port.synchronous && port.pending > 0) slab.abandon();
    else slab.release();
  }

  #flushPieces(port: BytePort): void {
    this.#closeSlab();
    const pieces = this.#pieces ?? [];
    const slabs = this.#slabs ?? [];
    const lent = this.#lent ?? [];
    this.#clear();
    if (!port.synchronous) {
      port.write(pieces.map((piece) => (slabs.some((slab) => slab.holds(piece)) ? Buffer.from(piece) : piece)));
      for (const slab of slabs) slab.release();
      return;
    }
    port.write(pieces);
    if (port.pending > 0) {
      for (const slab of slabs) slab.abandon();
      return;
    }
    for (const slab of slabs) slab.release();
    for (const bytes of lent) giveBack(bytes);
  }

  #clear(): void {
    this.#pieces = undefined;
    this.#slabs = undefined;
    this.#lent = undefined;
    this.#size = 0;
  }

  /** Adds a separate frame, written in one piece: cheaper than header and payload separately. */
  #longText(firstByte: number, text: string, maskKey: number | undefined): number {
    const length = Buffer.byteLength(text);
    const frame = this.#borrow(headerLength(length, maskKey !== undefined) + length);
    const at = writeHeader(frame, 0, firstByte, length, maskKey);
    const end = at + writeSizedText(frame, text, at, length);
    if (maskKey !== undefined) maskInPlace(frame, at, end, maskKey);
    this.piece(frame.subarray(0, end));
    return length;
  }

  #borrow(size: number): Buffer {
    const bytes = borrow(size);
    this.#lent ??= [];
    this.#lent.push(bytes);
    return bytes;
  }

  /** Makes room at `#end`: after the open run, or in a new run if another batch has written since. */
  #reserve(size: number): Slab {
    const open = this.#open;
    if (open !== undefined && open.position === this.#end && this.#end + size <= open.bytes.length) return open;
    const slab = Slab.withRoom(size);
    this.#closeSlab();
    slab.use();
    this.#open = slab;
    this.#start = slab.position;
    this.#end = slab.position;
    return slab;
  }

  #grow(slab: Slab, end: number): void {
    this.#size += end - this.#end;
    this.#end = end;
    slab.position = end;
  }

  /** Closes the open run, so that the next piece follows everything added so far. */
  #closeSlab(): void {
    const slab = this.#open;
    if (slab === undefined) return;
    this.#open = undefined;
    this.#slabs ??= [];
    this.#slabs.push(slab);
    this.#add(slab.bytes.subarray(this.#start, this.#end));
  }

  #add(piece: Uint8Array): void {
    this.#pieces ??= [];
    this.#pieces.push(piece);
  }
}
