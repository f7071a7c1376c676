import type { Side } from './schedule.js';

/** The header of a frame on the wire. */
interface Header {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly length: number;
}

/** What one end has put on the wire. */
export interface WireRecord {
  /** What is wrong with it. RFC 6455 §5. */
  readonly faults: readonly string[];
  /** How many messages are whole. */
  readonly messages: number;
  /** Whether the last message has begun and not ended. */
  readonly isInMessage: boolean;
  /** The code of the Close frame, if there is one; 1005 when it has none. */
  readonly closeCode: number | undefined;
}

/**
 * Reads all that one end has put on the wire.
 *
 * @param isWhole whether it ends with a frame: not when a reset cut it off.
 * @param isCompressed whether permessage-deflate was agreed to.
 */
export function readWire(side: Side, log: readonly Buffer[], isWhole: boolean, isCompressed: boolean): WireRecord {
  const faults: string[] = [];
  const bytes = Buffer.concat(log);
  let at = 0;
  let messages = 0;
  let isInMessage = false;
  let closeCode: number | undefined;
  for (let read = readAt(bytes, at); read !== undefined; read = readAt(bytes, at)) {
    const { fin, opcode, rsv, masked, length } = read;
    const isControl = opcode >= 0x8;
    if (masked !== (side === 'client')) faults.push('a frame masked as the other end does');
    // §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
    if (closeCode !== undefined && opcode !== 0xa) faults.push(`opcode ${opcode} behind a Close frame`);
    if (isControl && (!fin || length > 125 || rsv !== 0)) faults.push('a control frame that is none');
    if (!isControl && (opcode === 0) !== isInMessage) faults.push(`opcode ${opcode} out of its place`);
    if (!isControl && rsv !== 0 && !(isCompressed && rsv === 4 && opcode !== 0)) faults.push(`reserved bits ${rsv}`);
    if (opcode > 0xa || (opcode > 2 && opcode < 8)) faults.push(`opcode ${opcode}`);
    if (!isControl) isInMessage = !fin;
    if (!isControl && fin) messages++;
    if (opcode === 0x8) closeCode = length < 2 ? 1005 : closeCodeAt(bytes, read.end - length, masked);
    at = read.end;
  }
  if (isWhole && at < bytes.length) faults.push('a frame in part');
  return { faults: faults.map((fault) => `${side} sent ${fault}`), messages, isInMessage, closeCode };
}

function closeCodeAt(bytes: Buffer, at: number, masked: boolean): number {
  const code = bytes.readUInt16BE(at);
  return masked ? code ^ bytes.readUInt16BE(at - 4) : code;
}

/** The frame at `at`, and where it ends; nothing when it is not whole. */
function readAt(bytes: Buffer, at: number): (Header & { readonly end: number }) | undefined {
  if (at + 2 > bytes.length) return undefined;
  const first = bytes.readUInt8(at);
  const second = bytes.readUInt8(at + 1);
  const short = second & 0x7f;
  const masked = second >= 0x80;
  const start = at + 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (masked ? 4 : 0);
  if (start > bytes.length) return undefined;
  let length = short;
  if (short === 126) length = bytes.readUInt16BE(at + 2);
  if (short === 127) length = Number(bytes.readBigUInt64BE(at + 2));
  if (start + length > bytes.length) return undefined;
  return { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 0xf, masked, length, end: start + length };
}
