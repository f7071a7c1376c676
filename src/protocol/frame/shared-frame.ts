import { Buffer } from 'node:buffer';
import { headerLength, writeHeader } from './frame-header.js';
import { writeFrame } from './frame-writer.js';

/** A payload up to this size, in bytes, is copied after its header: one piece is written faster than two. */
const COPY_LIMIT = 4096;

/** Runs up to this size are joined to one piece, in bytes. */
const JOIN_LIMIT = 16_384;

/** A complete frame, with its header, that several connections send by reference. It is not masked: RFC 6455 §5.1. */
export class SharedFrame {
  readonly kind = 'shared';
  readonly pieces: readonly Uint8Array[];
  /** Of all pieces, in bytes. */
  readonly size: number;
  /** Nothing but this frame. */
  readonly run: SharedRun;

  /**
   * Frames `payload`, that must not change any more when it is longer than 4 KiB: then it is not copied.
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
 * Shared frames that leave one after the other. Connections that send the same frames have the same run, so that its bytes are joined once
 * for all of them.
 */
export class SharedRun {
  /** In bytes. */
  readonly size: number;
  readonly #before: SharedRun | undefined;
  readonly #frame: SharedFrame;
  /** What most add to it. */
  #next: SharedRun | undefined;
  #pieces: readonly Uint8Array[] | undefined;

  constructor(before: SharedRun | undefined, frame: SharedFrame) {
    this.#before = before;
    this.#frame = frame;
    this.size = (before?.size ?? 0) + frame.size;
  }

  /** This run, followed by `frame`. */
  and(frame: SharedFrame): SharedRun {
    let next = this.#next;
    if (next === undefined || next.#frame !== frame) {
      next = new SharedRun(this, frame);
      this.#next = next;
    }
    return next;
  }

  /** The bytes, in one piece unless they are many. */
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

/** The finished frames of one message that goes to several connections, made for the first that needs them. */
export class SharedFrames {
  /** Of the payload as it was given, in bytes. */
  readonly size: number;
  /** The size that says whether it is compressed; infinite where it is whatever its size. */
  readonly deflateSize: number;
  /** The frame of the message as it was given, once it was needed. */
  plain: SharedFrame | undefined;
  /** By the parameters of the compression. */
  readonly #deflated = new Map<string, SharedFrame>();

  constructor(size: number, compress: boolean | undefined) {
    this.size = size;
    this.deflateSize = compress === true ? Number.POSITIVE_INFINITY : size;
    this.plain = undefined;
  }

  /** The frame for connections that do not compress it. */
  asGiven(firstByte: number, payload: () => Uint8Array): SharedFrame {
    this.plain ??= new SharedFrame(firstByte, payload());
    return this.plain;
  }

  /** The frame for connections that compress with these parameters, if it was made. */
  deflated(group: string): SharedFrame | undefined {
    return this.#deflated.get(group);
  }

  /** Makes {@link deflated}. */
  addDeflated(group: string, frame: SharedFrame): SharedFrame {
    this.#deflated.set(group, frame);
    return frame;
  }
}
