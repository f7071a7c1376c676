import { Buffer } from 'node:buffer';

/** Smaller Buffers are not worth keeping: they are cheap to create and to collect. In bytes. */
const SMALLEST = 16_384;

/** The most memory to keep, in bytes. */
const LIMIT = 2_097_152;

/**
 * Unused memory, kept for reuse. V8 counts the memory of Buffers and collects garbage for every 32 MiB of it, however little is
 * in use. The payload of a long text is garbage once it is decoded, and its frame once it is written (see
 * `bench: 64 KiB text, 4 in flight`).
 */
const kept: Buffer[] = [];
let size = 0;

/** Lends at least `needed` bytes, and at most twice that, with arbitrary contents. */
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

/** Takes back memory from {@link borrow}, which must no longer be used. A borrower may also keep it for good. */
export function giveBack(bytes: Buffer): void {
  if (bytes.length < SMALLEST || size + bytes.length > LIMIT) return;
  size += bytes.length;
  kept.push(bytes);
}

/**
 * Returns a copy of `bytes` from `start` to `end`. Copies below 4 KiB share a pool of 8 KiB with all small Buffers. Memory in the V8 heap
 * (`Buffer.alloc` of up to 64 bytes) would be as cheap to create, but moves out of the heap when its `buffer` is read, for example to
 * send it on (see `bench: 32 B binary, 16 in flight`).
 */
export function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
