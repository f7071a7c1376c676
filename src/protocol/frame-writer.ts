import { Buffer } from 'node:buffer';
import { headerLength, writeHeader } from './frame-header.js';
import { maskInto } from './mask.js';
import type { Opcode } from './opcode.js';

/** How {@link encodeFrame} frames. */
export interface FrameOptions {
  /** Whether the frame is the last of its message. @default true */
  readonly fin?: boolean;
  /** The masking key as an int32 in network order: what a client must and a server must not give (RFC 6455 §5.1). */
  readonly maskKey?: number;
}

/**
 * One frame, in a Buffer of exactly its size. The payload is copied, never changed. RFC 6455 §5.2.
 *
 * Which frames may follow each other and how long a control frame may be is up to the caller.
 */
export function encodeFrame(opcode: Opcode, payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { fin = true, maskKey } = options;
  const frame = Buffer.allocUnsafe(headerLength(payload.length, maskKey !== undefined) + payload.length);
  const start = writeHeader(frame, 0, (fin ? 0x80 : 0) | opcode, payload.length, maskKey);
  if (maskKey === undefined) frame.set(payload, start);
  else maskInto(frame, start, payload, maskKey);
  return frame;
}
