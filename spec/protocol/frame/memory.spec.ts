import { borrow, copyOf, giveBack } from '../../../src/protocol/frame/memory.js';

const KiB = 1024;

/** Takes all that is kept, so that a test begins with nothing. */
function empty(): void {
  for (let size = 16 * KiB; size <= 4096 * KiB; size *= 2) {
    for (let count = 0; count < 200; count++) borrow(size);
  }
}

describe('lent memory', () => {
  beforeEach(empty);
  afterEach(empty);

  it('is at least as large as was asked for', () => {
    for (const size of [0, 1, 1000, 100_000]) expect(borrow(size).length).toBe(size);
  });

  it('is lent again once it was given back, and not before', () => {
    const first = borrow(64 * KiB);
    const second = borrow(64 * KiB);
    expect(second).not.toBe(first);
    giveBack(first);
    expect(borrow(64 * KiB)).toBe(first);
    expect(borrow(64 * KiB)).not.toBe(first);
  });

  it('serves a smaller need, of at least half its size', () => {
    const bytes = borrow(64 * KiB);
    giveBack(bytes);
    expect(borrow(64 * KiB + 1)).not.toBe(bytes);
    expect(borrow(32 * KiB - 1)).not.toBe(bytes);
    expect(borrow(32 * KiB)).toBe(bytes);
  });

  it('is not kept when it is small', () => {
    const bytes = borrow(16 * KiB - 1);
    giveBack(bytes);
    expect(borrow(16 * KiB - 1)).not.toBe(bytes);
  });

  it('is kept up to 2 MiB in all', () => {
    const lent = Array.from({ length: 40 }, () => borrow(64 * KiB));
    for (const bytes of lent) giveBack(bytes);
    const again = lent.map(() => borrow(64 * KiB)).filter((bytes) => lent.includes(bytes));
    expect(new Set(again).size).toBe(32);
  });
});

describe('a copy', () => {
  it.each([0, 1, 64, 65, 4000])('copies %d bytes', (size) => {
    const bytes = Buffer.from(Array.from({ length: size + 2 }, (_, i) => i & 0xff));
    const copy = copyOf(bytes, 1, 1 + size);
    expect(copy).toEqual(bytes.subarray(1, 1 + size));
    bytes.fill(0);
    expect(copy.every((byte, i) => byte === ((i + 1) & 0xff))).toBe(true);
  });

  it.each([4096, 5000])('is in memory of its own from 4 KiB on: %d bytes', (size) => {
    expect(copyOf(Buffer.alloc(5000, 7), 0, size).buffer.byteLength).toBe(size);
  });

  it('keeps no more memory than the pool of small Buffers', () => {
    const chunk = Buffer.allocUnsafeSlow(65_536);
    for (const size of [1, 64, 65, 4000]) {
      expect(copyOf(chunk, 0, size).buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    }
  });
});
