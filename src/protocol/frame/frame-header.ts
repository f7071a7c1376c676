import type { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.js';
import { isControl, isReserved, type Opcode } from './opcode.js';

/** The longest header: 2 bytes, 8 of length, 4 of masking key. RFC 6455 §5.2. */
export const MAX_HEADER_SIZE = 14;

/** The header of a frame. RFC 6455 §5.2. */
export interface FrameHeader {
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly opcode: Opcode;
  readonly masked: boolean;
  /** The masking key as an int32 in network order; 0 when not masked. */
  readonly maskKey: number;
  /** The length of the payload, in bytes. */
  readonly length: number;
  /** The length of the header itself, in bytes. */
  readonly size: number;
}

/**
 * Reads the frame header at `offset`. RSV1 is not checked, because an extension may define its meaning.
 *
 * @returns the header, or `undefined` if `bytes` ends (at `end`) before the header does; nothing is consumed.
 * @throws ProtocolError as soon as the available bytes show the fault: 1002 if RSV2, RSV3 or a reserved opcode is set
 *   (RFC 6455 §5.2), if the length is not in its shortest form or has its most significant bit set (§5.2), or if a
 *   control frame is fragmented or over 125 bytes (§5.5); 1009 if the length is over 2^53 - 1.
 */
export function readHeader(bytes: Buffer, offset: number, end: number = bytes.length): FrameHeader | undefined {
  const reader = new HeaderReader();
  return reader.read(bytes, offset, end) ? reader : undefined;
}

/** {@link readHeader} without an allocation for each frame: the reader contains the header until the next `read`. */
export class HeaderReader implements FrameHeader {
  fin = false;
  rsv1 = false;
  opcode: Opcode = 0;
  masked = false;
  maskKey = 0;
  length = 0;
  size = 0;

  /**
   * Reads like {@link readHeader}.
   *
   * @param masked whether the peer must mask or must not; undefined if both are allowed.
   * @returns false if the header is incomplete; the fields are meaningless then.
   * @throws ProtocolError like {@link readHeader}, and 1002 if masking differs from `masked` (§5.1).
   */
  read(bytes: Buffer, offset: number, end: number, masked?: boolean): boolean {
    if (offset >= end) return false;
    const first = bytes[offset]!;
    checkFirstByte(first);
    if (offset + 1 === end) return false;
    const second = bytes[offset + 1]!;
    this.masked = second >= 0x80;
    if (masked !== undefined && this.masked !== masked) throw wrongMask(masked);
    const length = readLength(bytes, offset + 1, end, isControl(first));
    const size = headerLength(length, this.masked);
    if (length < 0 || end - offset < size) return false;
    this.fin = first >= 0x80;
    this.rsv1 = (first & 0x40) !== 0;
    this.opcode = (first & 0xf) as Opcode;
    this.maskKey = this.masked ? readInt32(bytes, offset + size - 4) : 0;
    this.length = length;
    this.size = size;
    return true;
  }
}

/** Returns the header length of a frame with `payloadLength` bytes, in bytes. RFC 6455 §5.2. */
export function headerLength(payloadLength: number, masked: boolean): number {
  const unmasked = payloadLength < 126 ? 2 : payloadLength < 0x10000 ? 4 : 10;
  return masked ? unmasked + 4 : unmasked;
}

/**
 * Writes a frame header with the length in its shortest form. RFC 6455 §5.2.
 *
 * @param firstByte FIN, RSV1-3 and the opcode.
 * @param maskKey the masking key as an int32 in network order; undefined if the frame is not masked.
 * @returns the offset after the header.
 */
export function writeHeader(
  target: Buffer,
  offset: number,
  firstByte: number,
  payloadLength: number,
  maskKey?: number,
): number {
  const maskBit = maskKey === undefined ? 0 : 0x80;
  let at = offset;
  target[at++] = firstByte;
  if (payloadLength < 126) {
    target[at++] = maskBit | payloadLength;
  } else if (payloadLength < 0x10000) {
    target[at++] = maskBit | 126;
    target[at++] = payloadLength >>> 8;
    target[at++] = payloadLength;
  } else {
    target[at++] = maskBit | 127;
    at = writeInt32(target, at, Math.floor(payloadLength / 0x1_0000_0000));
    at = writeInt32(target, at, payloadLength);
  }
  return maskKey === undefined ? at : writeInt32(target, at, maskKey);
}

function checkFirstByte(first: number): void {
  // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values"
  if ((first & 0x30) !== 0) {
    throw new ProtocolError('RESERVED_BIT', 1002, `RSV${(first & 0x20) !== 0 ? 2 : 3} must be 0: no extension uses it`);
  }
  const opcode = first & 0xf;
  // §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_"
  if (isReserved(opcode)) {
    const message = `opcode must be 0x0, 0x1, 0x2, 0x8, 0x9 or 0xa, got 0x${opcode.toString(16)}`;
    throw new ProtocolError('RESERVED_OPCODE', 1002, message);
  }
  // §5.5: "All control frames [...] MUST NOT be fragmented"
  if (isControl(opcode) && first < 0x80) {
    const message = `a control frame must not be fragmented, got opcode 0x${opcode.toString(16)} without FIN`;
    throw new ProtocolError('CONTROL_FRAGMENTED', 1002, message);
  }
}

function wrongMask(masked: boolean): ProtocolError {
  // §5.1: "The server MUST close the connection upon receiving a frame that is not masked", "A client MUST close a connection
  // if it detects a masked frame"
  return masked
    ? new ProtocolError('MASK_REQUIRED', 1002, 'a client must mask all frames, got an unmasked frame')
    : new ProtocolError('MASK_FORBIDDEN', 1002, 'a server must not mask frames, got a masked frame');
}

/** Reads the payload length at `at`; -1 if it is incomplete. */
function readLength(bytes: Buffer, at: number, end: number, control: boolean): number {
  const short = bytes[at]! & 0x7f;
  if (short < 126) return short;
  // §5.5: "All control frames MUST have a payload length of 125 bytes or less"
  if (control)
    throw new ProtocolError('CONTROL_TOO_LONG', 1002, 'a control frame must have at most 125 bytes, got more');
  return short === 126 ? readLength16(bytes, at + 1, end) : readLength64(bytes, at + 1, end);
}

function readLength16(bytes: Buffer, at: number, end: number): number {
  if (end - at < 2) return -1;
  const length = (bytes[at]! << 8) | bytes[at + 1]!;
  if (length < 126) throw notMinimal(length, 16);
  return length;
}

function readLength64(bytes: Buffer, at: number, end: number): number {
  checkMagnitude(end - at > 0 ? bytes[at]! : 0, end - at > 1 ? bytes[at + 1]! : 0);
  if (end - at < 8) return -1;
  const length = readInt32(bytes, at) * 0x1_0000_0000 + (readInt32(bytes, at + 4) >>> 0);
  if (length < 0x10000) throw notMinimal(length, 64);
  return length;
}

/** Checks a 64-bit length by its two highest bytes; 0 stands for a byte that has not arrived. */
function checkMagnitude(highest: number, second: number): void {
  // §5.2: "the most significant bit MUST be 0"
  if (highest >= 0x80) throw new ProtocolError('LENGTH_TOO_LARGE', 1002, 'frame length must be at most 2^63 - 1');
  if (highest > 0 || second >= 0x20) {
    throw new ProtocolError('LENGTH_TOO_LARGE', 1009, 'frame length too large: at most 2^53 - 1 is supported');
  }
}

function notMinimal(length: number, bits: number): ProtocolError {
  // §5.2: "in all cases, the minimal number of bytes MUST be used to encode the length"
  const message = `frame length must be in its shortest form, got ${length} in ${bits} bits`;
  return new ProtocolError('LENGTH_NOT_MINIMAL', 1002, message);
}

function readInt32(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function writeInt32(target: Buffer, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}
