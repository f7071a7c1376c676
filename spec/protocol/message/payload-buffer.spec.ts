import { PayloadBuffer } from '../../../src/protocol/message/payload-buffer.js';

const KiB = 1024;

describe('PayloadBuffer', () => {
  it('hands over what was appended, and is empty then', () => {
    const buffer = new PayloadBuffer();
    buffer.expect(5, true);
    buffer.append(Buffer.from('-He-'), 1, 3);
    buffer.append(Buffer.from('llo'), 0, 3);
    expect(buffer.length).toBe(5);
    expect(buffer.take().toString()).toBe('Hello');
    expect([buffer.length, buffer.capacity]).toEqual([0, 0]);
  });

  it('hands over nothing as nothing', () => {
    expect(new PayloadBuffer().take()).toHaveLength(0);
  });

  it('hands over memory that it does not use again', () => {
    const buffer = new PayloadBuffer();
    const taken = ['first', 'second'].map((word) => {
      buffer.expect(word.length, true);
      buffer.append(Buffer.from(word), 0, word.length);
      return buffer.take();
    });
    expect(taken.map(String)).toEqual(['first', 'second']);
  });

  it('lends what was appended, and is empty then', () => {
    const buffer = new PayloadBuffer();
    const texts = ['a', 'b', 'c'].map((letter) => {
      buffer.expect(50_000, true, true);
      for (let part = 0; part < 5; part++) buffer.append(Buffer.alloc(10_000, letter), 0, 10_000);
      return buffer.lend((bytes, length) => bytes.toString('latin1', 0, length));
    });
    expect(texts).toEqual(['a', 'b', 'c'].map((letter) => letter.repeat(50_000)));
    expect([buffer.length, buffer.capacity]).toEqual([0, 0]);
  });

  it('uses the memory again that it lent, and never what it handed over', () => {
    const buffer = new PayloadBuffer();
    const collect = (isLent: boolean): void => {
      buffer.expect(50_000, true, isLent);
      buffer.append(Buffer.alloc(50_000, 'x'), 0, 50_000);
    };
    const memory = new Set<ArrayBufferLike>();
    for (let turn = 0; turn < 3; turn++) {
      collect(true);
      buffer.lend((bytes) => memory.add(bytes.buffer));
      collect(false);
      expect(memory.has(buffer.take().buffer)).toBe(false);
    }
    expect(memory.size).toBe(1);
  });

  it('uses the memory again that a payload has outgrown', () => {
    const allocations = jest.spyOn(Buffer, 'allocUnsafeSlow');
    const sizes = [1, 2].map(() => {
      allocations.mockClear();
      const buffer = new PayloadBuffer();
      buffer.expect(1_000_000, true);
      for (let part = 0; part < 10; part++) buffer.append(Buffer.alloc(100_000, part), 0, 100_000);
      const payload = buffer.take();
      expect({
        before: payload[99_999],
        after: payload[100_000],
        last: payload[999_999],
      }).toEqual({ before: 0, after: 1, last: 9 });
      return allocations.mock.calls.map(([size]) => size);
    });
    expect(sizes).toEqual([[200_000, 1_000_000], [1_000_000]]);
    allocations.mockRestore();
  });

  it('drops memory with what was appended', () => {
    const buffer = new PayloadBuffer();
    buffer.append(Buffer.alloc(100), 0, 100);
    buffer.clear();
    expect([buffer.length, buffer.capacity]).toEqual([0, 0]);
  });

  it('allocates no more than a small total', () => {
    const buffer = new PayloadBuffer();
    buffer.expect(10, true);
    buffer.append(Buffer.alloc(1), 0, 1);
    expect(buffer.capacity).toBe(10);
  });

  it('allocates nothing for what a header claims', () => {
    const buffer = new PayloadBuffer();
    buffer.expect(2 ** 31 - 1, true);
    expect(buffer.capacity).toBe(0);
    buffer.append(Buffer.alloc(KiB), 0, KiB);
    expect(buffer.capacity).toBe(2 * KiB);
  });

  it('allocates the exact total once a quarter of it is here', () => {
    const buffer = new PayloadBuffer();
    buffer.expect(1_000_000, true);
    buffer.append(Buffer.alloc(249_999), 0, 249_999);
    expect(buffer.capacity).toBe(250_000);
    buffer.append(Buffer.alloc(250_000), 0, 250_000);
    expect(buffer.capacity).toBe(1_000_000);
  });

  it('makes room for the whole of a frame that is not the last, once a quarter of it is here', () => {
    const buffer = new PayloadBuffer();
    buffer.expect(100_000, false);
    buffer.append(Buffer.alloc(10_000), 0, 10_000);
    expect(buffer.capacity).toBe(20_000);
    buffer.append(Buffer.alloc(20_000), 0, 20_000);
    expect(buffer.capacity).toBe(100_000);
  });

  it.each([1, 100, 5000])('holds at most 1 KiB or twice the bytes of fragments of %d bytes', (size) => {
    const buffer = new PayloadBuffer();
    const fragment = Buffer.alloc(size, 'x');
    let grown = 0;
    for (let count = 1; count <= 5000; count++) {
      const before = buffer.capacity;
      buffer.expect(count * size, false);
      buffer.append(fragment, 0, size);
      expect(buffer.capacity).toBeLessThanOrEqual(Math.max(KiB, 2 * count * size));
      if (buffer.capacity !== before) grown++;
    }
    expect(grown).toBeLessThan(20);
    expect(buffer.take().equals(Buffer.alloc(5000 * size, 'x'))).toBe(true);
  });

  it('shows nothing beside a large payload in the memory that it hands over', () => {
    const buffer = new PayloadBuffer();
    buffer.expect(5_000, false);
    buffer.append(Buffer.alloc(5_000, 1), 0, 5_000);
    const payload = buffer.take();
    expect(payload.buffer.byteLength).toBeGreaterThan(5_000);
    expect(Buffer.from(payload.buffer, 5_000).every((byte) => byte === 0)).toBe(true);
  });

  it('does not keep spare memory for a small payload, nor more than half for a large one', () => {
    for (const size of [1, 3000, 5000]) {
      const buffer = new PayloadBuffer();
      buffer.expect(size, false);
      buffer.append(Buffer.alloc(size), 0, size);
      const { length, buffer: memory } = buffer.take();
      expect(length).toBe(size);
      expect(memory.byteLength).toBeLessThanOrEqual(size < 4 * KiB ? 8 * KiB : 2 * size);
    }
  });
});
