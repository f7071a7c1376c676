import { Buffer } from 'node:buffer';

/** Less than this is not worth keeping: a small Buffer costs little, and soon. In bytes. */
const SMALLEST = 16_384;

/** The most that is kept, in bytes. */
const LIMIT = 2_097_152;

/**
 * Memory that is not in use. V8 counts the memory of Buffers and collects garbage for every 32 MiB of it, however little of it
 * is in use, and the payload of a long text is dead once it is decoded, its frame once it is written (see
 * `bench: 64 KiB text, 4 in flight`).
 */
const kept: Buffer[] = [];
let size = 0;

/** Lends at least `needed` bytes, at most twice that, with anything in them. */
export function borrow(needed: number): Buffer {
  for (let at = kept.length - 1; at >= 0; at--) {
    const bytes = kept[at] as Buffer;
    if (bytes.length < needed || bytes.length > 2 * needed) continue;
    kept.splice(at, 1);
    size -= bytes.length;
    return bytes;
  }
  return Buffer.allocUnsafeSlow(needed);
}

/** Takes back memory from {@link borrow}, which must not be used any more. A borrower may also keep it for good. */
export function giveBack(bytes: Buffer): void {
  if (bytes.length < SMALLEST || size + bytes.length > LIMIT) return;
  size += bytes.length;
  kept.push(bytes);
}

/**
 * A copy of `bytes` from `start` to `end`. Those below 4 KiB share a pool of 8 KiB with all small Buffers. Memory in the heap of V8
 * (`Buffer.alloc` of up to 64 bytes) would be as cheap to make, but moves out of it when its `buffer` is read, as sending it on
 * does (see `bench: 32 B binary, 16 in flight`).
 */
export function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
