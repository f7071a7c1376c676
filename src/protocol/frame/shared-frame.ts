import { Buffer } from 'node:buffer';
import { headerLength, writeHeader } from './frame-header.js';
import { writeFrame } from './frame-writer.js';

/** Payloads up to this size, in bytes, are copied after their header: one piece is written faster than two. */
const COPY_LIMIT = 4096;

/** Runs up to this size, in bytes, are joined into one piece. */
const JOIN_LIMIT = 16_384;

/** A complete frame that several connections send by reference. It is not masked: RFC 6455 §5.1. */
export class SharedFrame {
  readonly kind = 'shared';
  readonly pieces: readonly Uint8Array[];
  /** The size of all pieces, in bytes. */
  readonly size: number;
  /** A run that consists of this frame only. */
  readonly run: SharedRun;

  /**
   * Frames `payload`. If it is longer than 4 KiB, it is not copied and must not change afterwards.
   *
   * @param firstByte FIN, RSV1-3 and the opcode.
   */
  constructor(firstByte: number, payload: Uint8Array) {
    const { length } = payload;
    const header = headerLength(length, false);
    const isCopied = length <= COPY_LIMIT;
    const head = Buffer.allocUnsafe(isCopied ? header + length : header);
    if (isCopied) writeFrame(head, 0, firstByte, payload);
    else writeHeader(head, 0, firstByte, length);
    this.pieces = isCopied ? [head] : [head, payload];
    this.size = header + length;
    this.run = new SharedRun(undefined, this);
  }
}

/**
 * A sequence of shared frames. Connections that send the same frames have the same run, so that its bytes are joined once
 * for all of them.
 */
export class SharedRun {
  /** In bytes. */
  readonly size: number;
  readonly #before: SharedRun | undefined;
  readonly #frame: SharedFrame;
  /** The run with the frame that was last added to this run. */
  #next: SharedRun | undefined;
  #pieces: readonly Uint8Array[] | undefined;

  constructor(before: SharedRun | undefined, frame: SharedFrame) {
    this.#before = before;
    this.#frame = frame;
    this.size = (before?.size ?? 0) + frame.size;
  }

  /** Returns this run followed by `frame`. */
  and(frame: SharedFrame): SharedRun {
    let next = this.#next;
    if (next === undefined || next.#frame !== frame) {
      next = new SharedRun(this, frame);
      this.#next = next;
    }
    return next;
  }

  /** The bytes, in one piece up to the limit for joining. */
  get pieces(): readonly Uint8Array[] {
    this.#pieces ??= this.#join();
    return this.#pieces;
  }

  #join(): readonly Uint8Array[] {
    if (this.#before === undefined) return this.#frame.pieces;
    const frames: SharedFrame[] = [];
    for (let at: SharedRun | undefined = this; at !== undefined; at = at.#before) frames.push(at.#frame);
    const pieces = frames.reverse().flatMap((frame) => frame.pieces);
    return this.size <= JOIN_LIMIT ? [Buffer.concat(pieces, this.size)] : pieces;
  }
}

/** The frames of one message that is sent to several connections. Each is created for the first connection that needs it. */
export class SharedFrames {
  /** The size of the uncompressed payload, in bytes. */
  readonly size: number;
  /** The size that decides whether it is compressed; infinite if it is always compressed. */
  readonly deflateSize: number;
  /** The frame of the uncompressed message, once it was needed. */
  plain: SharedFrame | undefined;
  /** The compressed frames, by compression parameters. */
  readonly #deflated = new Map<string, SharedFrame>();

  constructor(size: number, compress: boolean | undefined) {
    this.size = size;
    this.deflateSize = compress === true ? Number.POSITIVE_INFINITY : size;
    this.plain = undefined;
  }

  /** Returns the frame for connections that do not compress it. */
  asGiven(firstByte: number, payload: () => Uint8Array): SharedFrame {
    this.plain ??= new SharedFrame(firstByte, payload());
    return this.plain;
  }

  /** Returns the frame for connections that compress with these parameters, if it exists. */
  deflated(group: string): SharedFrame | undefined {
    return this.#deflated.get(group);
  }

  /** Adds the frame that {@link deflated} returns. */
  addDeflated(group: string, frame: SharedFrame): SharedFrame {
    this.#deflated.set(group, frame);
    return frame;
  }
}
