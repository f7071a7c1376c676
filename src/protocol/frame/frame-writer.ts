import { Buffer } from 'node:buffer';
import { headerLength, writeHeader } from './frame-header.js';
import { maskInto } from './mask.js';
import type { Opcode } from './opcode.js';

/** Options of {@link encodeFrame}. */
export interface FrameOptions {
  /** Whether the frame is the last of its message. @default true */
  readonly fin?: boolean;
  /** The masking key as an int32 in network order. A client must give one, a server must not (RFC 6455 §5.1). */
  readonly maskKey?: number;
}

/**
 * Returns one frame, in a Buffer of exactly its size. The payload is copied, never changed. RFC 6455 §5.2.
 *
 * The caller is responsible for the order of frames and the length of control frames.
 */
export function encodeFrame(opcode: Opcode, payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { fin = true, maskKey } = options;
  const frame = Buffer.allocUnsafe(headerLength(payload.length, maskKey !== undefined) + payload.length);
  writeFrame(frame, 0, (fin ? 0x80 : 0) | opcode, payload, maskKey);
  return frame;
}

/**
 * Writes a frame to `target`, which must have room for it. The payload is copied, never changed. RFC 6455 §5.2.
 *
 * @param firstByte FIN, RSV1-3 and the opcode.
 * @param maskKey the masking key as an int32 in network order; undefined if the frame is not masked.
 * @returns the offset after the frame.
 */
export function writeFrame(
  target: Buffer,
  offset: number,
  firstByte: number,
  payload: Uint8Array,
  maskKey?: number,
): number {
  const start = writeHeader(target, offset, firstByte, payload.length, maskKey);
  if (maskKey === undefined) target.set(payload, start);
  else maskInto(target, start, payload, maskKey);
  return start + payload.length;
}
