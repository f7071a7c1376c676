import * as fc from 'fast-check';
import { ChunkQueue } from '../../../src/protocol/frame/chunk-queue.js';

describe('ChunkQueue', () => {
  it('gives nothing when nothing waits', () => {
    expect(new ChunkQueue().shift()).toBeUndefined();
  });

  it('gives large chunks one by one, in order', () => {
    const queue = new ChunkQueue();
    const chunks = [1, 2, 3].map((fill) => Buffer.alloc(2000, fill));
    for (const chunk of chunks) queue.push(chunk);
    expect(queue.size).toBe(6000);
    expect(chunks.map(() => queue.shift())).toEqual(chunks);
    expect(queue.size).toBe(0);
  });

  it.each([1, 100, 5000])('copies a chunk of %d bytes, whose memory may be used again', (size) => {
    const queue = new ChunkQueue();
    for (const fill of 'abc') {
      const chunk = Buffer.alloc(size, fill);
      queue.push(chunk);
      chunk.fill('x');
    }
    expect(Buffer.concat(takeAll(queue)).toString()).toBe('a'.repeat(size) + 'b'.repeat(size) + 'c'.repeat(size));
  });

  it('joins small chunks, so that a thousand single bytes are not a thousand objects', () => {
    const queue = new ChunkQueue();
    for (let i = 0; i < 10_000; i++) queue.push(Buffer.from([i & 0xff]));
    const chunks = takeAll(queue);
    expect(chunks.length).toBeLessThanOrEqual(4);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(Array.from({ length: 10_000 }, (_, i) => i & 0xff)));
  });

  it('adds nothing to a block that was taken', () => {
    const queue = new ChunkQueue();
    for (const byte of 'abc') queue.push(Buffer.from(byte));
    queue.shift();
    const taken = queue.shift();
    for (const byte of 'de') queue.push(Buffer.from(byte));
    expect(taken).toEqual(Buffer.from('bc'));
    expect(Buffer.concat(takeAll(queue)).toString()).toBe('de');
  });

  it('drops all at once', () => {
    const queue = new ChunkQueue();
    for (const byte of 'abc') queue.push(Buffer.from(byte));
    queue.clear();
    expect([queue.size, queue.shift()]).toEqual([0, undefined]);
    queue.push(Buffer.from('d'));
    expect(queue.shift()).toEqual(Buffer.from('d'));
  });

  it('stays in order when it is read and written in turns for long', () => {
    const queue = new ChunkQueue();
    let written = 0;
    for (let i = 0; i < 500; i++) queue.push(Buffer.alloc(1024, written++));
    for (let i = 0; i < 2000; i++) {
      expect(queue.shift()?.[0]).toBe(i & 0xff);
      queue.push(Buffer.alloc(1024, written++));
    }
    expect(queue.size).toBe(500 * 1024);
  });

  it('gives all bytes in order, whatever the sizes and turns', () => {
    const turn = fc.oneof(fc.constant('shift' as const), fc.integer({ min: 1, max: 3000 }));
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 200 }), (turns) => {
        const queue = new ChunkQueue();
        const given: Buffer[] = [];
        const taken: Buffer[] = [];
        for (const size of turns) {
          if (size === 'shift') taken.push(queue.shift() ?? Buffer.alloc(0));
          else given.push(Buffer.alloc(size, given.length));
          if (size !== 'shift') queue.push(Buffer.from(given.at(-1)!));
        }
        const waiting = queue.size;
        const rest = Buffer.concat(takeAll(queue));
        expect(rest.length).toBe(waiting);
        expect(Buffer.concat([...taken, rest]).equals(Buffer.concat(given))).toBe(true);
      }),
    );
  });
});

function takeAll(queue: ChunkQueue): Buffer[] {
  const chunks: Buffer[] = [];
  for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) chunks.push(chunk);
  return chunks;
}
