import { copyOf } from '../../../src/protocol/frame/copy-of.js';

describe('copyOf', () => {
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
