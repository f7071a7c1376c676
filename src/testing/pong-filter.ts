import { readHeader } from '../protocol/frame/frame-header.js';
import { Opcode } from '../protocol/frame/opcode.js';

/** Returns `bytes`, which are whole frames, without the pongs. */
export function withoutPongs(bytes: Buffer): Buffer {
  const kept: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const header = readHeader(bytes, at);
    const end = header === undefined ? bytes.length : at + header.size + header.length;
    if (header?.opcode !== Opcode.pong) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}
