import { type Buffer, isAscii } from 'node:buffer';
import { readMemory, unmaskVectors } from './read-memory.js';

/*
 * A masking key is an int32 with its four bytes in network order: the first is key >>> 24.
 * RFC 6455 §5.3: "Octet i of the transformed data is the XOR of octet i of the original data with octet at index i modulo 4
 * of the masking key"
 */

/** The length from which 32-bit words pay for the Int32Array that they need. In bytes; at least 3 + 4. */
const WORDS_PAY = 144;

/** The largest Buffer whose words are remembered, so that they keep no more memory than that of one read. In bytes. */
const REMEMBERED = 65_536;

/** The length from which the native search for non-ASCII pays for its call. In bytes. */
const NATIVE_PAYS = 64;

/** One int32, and its bytes in the byte order of this machine. */
const word = new Int32Array(1);
const wordBytes = new Uint8Array(word.buffer);

/** The aligned words of a Buffer. */
interface Words {
  readonly of: Buffer;
  readonly words: Int32Array;
  /** The offset of the first word in the Buffer. */
  readonly start: number;
}

/** The words of the last Buffer: the next frame usually lies in the same one, and a new Int32Array is not free. */
let remembered: Words | undefined;

/**
 * Unmasks `bytes` from `start` to `end` in place. RFC 6455 §5.3.
 *
 * @param phase how many bytes of the payload came before `start` (only the last two bits count).
 * @returns whether all unmasked bytes are ASCII; true if there are none.
 */
export function unmask(bytes: Buffer, start: number, end: number, key: number, phase: number): boolean {
  if (unmaskVectors !== undefined && bytes === readMemory) {
    return unmaskVectors(start, end, inLittleEndian(rotate(key, phase))) === 0;
  }
  if (end - start < WORDS_PAY) return xorBytes(bytes, start, end, rotate(key, phase)) < 0x80;
  const all = remembered?.of === bytes ? remembered : wordsOf(bytes);
  const first = (start - all.start + 3) >> 2;
  const last = (end - all.start) >> 2;
  const head = first * 4 + all.start;
  const keyAtHead = rotate(key, phase + head - start);
  const seen =
    xorBytes(bytes, start, head, rotate(key, phase)) |
    xorWords(all.words, first, last, inMachineOrder(keyAtHead)) |
    xorBytes(bytes, last * 4 + all.start, end, keyAtHead);
  return (seen & 0x80808080) === 0;
}

/** Masks `bytes` from `start` to `end` in place; `start` must be the start of the payload. RFC 6455 §5.3. */
export function maskInPlace(bytes: Buffer, start: number, end: number, key: number): void {
  unmask(bytes, start, end, key, 0);
}

/** Writes a masked copy of `source` to `target` at `offset`; `source` is unchanged. RFC 6455 §5.3. */
export function maskInto(target: Buffer, offset: number, source: Uint8Array, key: number): void {
  target.set(source, offset);
  maskInPlace(target, offset, offset + source.length, key);
}

/** Whether `bytes` from `start` to `end` are all ASCII; true if there are none. */
export function isAsciiRange(bytes: Buffer, start: number, end: number): boolean {
  if (end - start >= NATIVE_PAYS) return isAscii(bytes.subarray(start, end));
  let seen = 0;
  for (let i = start; i < end; i++) seen |= bytes[i]!;
  return seen < 0x80;
}

/** Returns the key rotated for a position `bytes` bytes later. */
function rotate(key: number, bytes: number): number {
  const bits = (bytes & 3) * 8;
  // JavaScript shifts by 32 as by 0: with 0 bits the result is key | key
  return (key << bits) | (key >>> (32 - bits));
}

/** Returns the int32 whose lowest byte is the first byte of `key`. */
function inLittleEndian(key: number): number {
  return (key >>> 24) | ((key >>> 8) & 0xff00) | ((key << 8) & 0xff0000) | (key << 24);
}

/** Returns the int32 whose bytes in memory have the order of the bytes of `key` on the wire. */
function inMachineOrder(key: number): number {
  wordBytes[0] = key >>> 24;
  wordBytes[1] = key >>> 16;
  wordBytes[2] = key >>> 8;
  wordBytes[3] = key;
  return word[0]!;
}

/** XORs bytes in place; returns the OR of the results. */
function xorBytes(bytes: Buffer, start: number, end: number, key: number): number {
  const k0 = key >>> 24;
  const k1 = (key >>> 16) & 0xff;
  const k2 = (key >>> 8) & 0xff;
  const k3 = key & 0xff;
  let seen = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    seen |= bytes[i]! ^= k0;
    seen |= bytes[i + 1]! ^= k1;
    seen |= bytes[i + 2]! ^= k2;
    seen |= bytes[i + 3]! ^= k3;
  }
  if (i < end) seen |= bytes[i]! ^= k0;
  if (i + 1 < end) seen |= bytes[i + 1]! ^= k1;
  if (i + 2 < end) seen |= bytes[i + 2]! ^= k2;
  return seen;
}

function wordsOf(bytes: Buffer): Words {
  const start = -bytes.byteOffset & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, (bytes.length - start) >> 2);
  const all = { of: bytes, words, start };
  if (bytes.length <= REMEMBERED) remembered = all;
  return all;
}

/** XORs the words from `first` to `last` in place; returns the OR of the results. */
function xorWords(words: Int32Array, first: number, last: number, key: number): number {
  let seen = 0;
  let i = first;
  for (; i + 3 < last; i += 4) {
    seen |= words[i]! ^= key;
    seen |= words[i + 1]! ^= key;
    seen |= words[i + 2]! ^= key;
    seen |= words[i + 3]! ^= key;
  }
  for (; i < last; i++) seen |= words[i]! ^= key;
  return seen;
}
