import { Fifo } from '../../src/base/fifo.js';

describe('Fifo', () => {
  it('gives items out in the order in which they came, however pushes and shifts mix', () => {
    const fifo = new Fifo<number>();
    const taken: number[] = [];
    for (let i = 0; i < 10; i++) {
      fifo.push(2 * i);
      fifo.push(2 * i + 1);
      taken.push(fifo.shift());
    }
    while (!fifo.isEmpty) taken.push(fifo.shift());
    expect(taken).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('keeps items that are undefined', () => {
    const fifo = new Fifo<undefined>();
    fifo.push(undefined);
    expect(fifo.isEmpty).toBe(false);
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.isEmpty).toBe(true);
  });

  it('shows what waits, and takes the newest place of an item out', () => {
    const fifo = new Fifo<string>();
    for (const item of ['x', 'a', 'b', 'a', 'c']) fifo.push(item);
    fifo.shift();
    expect([...fifo]).toEqual(['a', 'b', 'a', 'c']);
    for (const item of ['a', 'x']) fifo.remove(item);
    expect([...fifo]).toEqual(['a', 'b', 'c']);
    expect(fifo.shift()).toBe('a');
  });

  it('is empty after clear, and takes new items', () => {
    const fifo = new Fifo<string>();
    fifo.push('a');
    fifo.push('b');
    fifo.shift();
    fifo.clear();
    expect(fifo.isEmpty).toBe(true);
    fifo.push('c');
    expect(fifo.shift()).toBe('c');
  });
});
