import { OfflineQueue as AnyQueue } from '../../../src/operators/again/offline-queue.js';

/** What each item costs beside its own bytes. */
const COST = 128;

/** A queue of what has a length, which is its size. */
class OfflineQueue<T> extends AnyQueue<T> {
  constructor(offlineBuffer: number, overflow: 'terminate' | 'drop-newest' | 'drop-oldest') {
    super({ offlineBuffer, overflow, sizeOf: (value) => (value as { length?: number }).length });
  }
}

const taken = <T>(queue: OfflineQueue<T>): T[] => {
  const values: T[] = [];
  queue.flush((value) => values.push(value) > 0);
  return values;
};

describe('what waits for a socket', () => {
  it('leaves in order, as long as it is taken', () => {
    const queue = new OfflineQueue<string>(10_000, 'terminate');
    for (const value of ['a', 'b', 'c']) expect(queue.push(value, undefined)).toBe('buffered');
    const seen: string[] = [];
    queue.flush((value) => seen.push(value) < 2);
    expect(seen).toEqual(['a', 'b']);
    expect(queue.size).toBe(2 * (COST + 1));
    expect(taken(queue)).toEqual(['b', 'c']);
    expect([queue.size, queue.isEmpty]).toEqual([0, true]);
  });

  it('may grow while it leaves', () => {
    const queue = new OfflineQueue<string>(10_000, 'terminate');
    queue.push('a', undefined);
    const seen: string[] = [];
    queue.flush((value) => {
      seen.push(value);
      if (value === 'a') queue.push('b', undefined);
      return true;
    });
    expect(seen).toEqual(['a', 'b']);
  });

  it('keeps what is to be called when it is handed over', () => {
    const queue = new OfflineQueue<string>(10_000, 'terminate');
    const onHanded = (): void => {};
    queue.push('a', onHanded);
    const seen: unknown[] = [];
    queue.flush((value, called) => seen.push(value, called) > 0);
    expect(seen).toEqual(['a', onHanded]);
  });

  it('is forgotten when it is cleared', () => {
    const queue = new OfflineQueue<string>(10_000, 'terminate');
    queue.push('a', undefined);
    queue.clear();
    expect([queue.size, taken(queue)]).toEqual([0, []]);
  });

  it.each([
    ['its size', 'abc', COST + 3],
    ['1 KiB, where that is not known', { chat: 'hello' }, COST + 1024],
  ])('is charged for %s', (_, value, cost) => {
    const queue = new OfflineQueue<unknown>(10_000, 'terminate');
    queue.push(value, undefined);
    expect(queue.size).toBe(cost);
  });

  it('has a copy of a small buffer, and a large one itself', () => {
    const queue = new OfflineQueue<Uint8Array>(100_000, 'terminate');
    const [small, large] = [Buffer.alloc(4096), Buffer.alloc(4097)];
    queue.push(small, undefined);
    queue.push(large, undefined);
    small[0] = 1;
    large[0] = 1;
    expect(taken(queue)).toEqual([Buffer.alloc(4096), large]);
  });
});

/** A turn that notes what it is told. */
const noted = (log: unknown[]) => ({
  begin: () => log.push('begin'),
  dropped: () => log.push('dropped'),
  ended: (error?: unknown) => log.push(['ended', error]),
});

describe('a turn', () => {
  it('stands among the others, and is charged as they are', () => {
    const queue = new OfflineQueue<string>(10_000, 'terminate');
    const turn = noted([]);
    queue.push('a', undefined);
    queue.await('b', turn);
    queue.push('c', undefined);
    expect(queue.size).toBe(3 * (COST + 1));
    const seen: unknown[] = [];
    queue.flush((value, _, found) => seen.push([value, found]) > 0);
    expect(seen).toEqual([
      ['a', undefined],
      ['b', turn],
      ['c', undefined],
    ]);
  });

  it('may be taken out, once', () => {
    const queue = new OfflineQueue<string>(10_000, 'terminate');
    const log: unknown[] = [];
    const remove = queue.await('a', noted(log));
    queue.push('b', undefined);
    remove();
    remove();
    expect({ size: queue.size, taken: taken(queue), log }).toEqual({
      size: COST + 1,
      taken: ['b'],
      log: [],
    });
  });

  it('is told when it is dropped, be it at once, and when all is cleared', () => {
    const log: unknown[] = [];
    const queue = new OfflineQueue<string>(COST + 1, 'drop-oldest');
    queue.await('long'.repeat(100), noted(log))();
    expect(log.splice(0)).toEqual(['dropped']);
    queue.await('a', noted(log));
    queue.push('b', undefined);
    expect(log.splice(0)).toEqual(['dropped']);
    queue.clear();
    queue.await('c', noted(log));
    queue.clear();
    expect([log, queue.size]).toEqual([[['ended', undefined]], 0]);
  });
});

describe('the bound', () => {
  const full = (overflow: 'terminate' | 'drop-newest' | 'drop-oldest'): OfflineQueue<string> => {
    const queue = new OfflineQueue<string>(3 * (COST + 1), overflow);
    for (const value of ['a', 'b', 'c']) queue.push(value, undefined);
    return queue;
  };

  it('throws under "close", and keeps what was there', () => {
    const queue = full('terminate');
    expect(() => queue.push('d', undefined)).toThrow(
      expect.objectContaining({ code: 'BUFFER_FULL', limit: 'offlineBuffer', configured: 387, observed: 516 }),
    );
    expect(taken(queue)).toEqual(['a', 'b', 'c']);
  });

  it('drops what is sent under "drop-newest"', () => {
    const queue = full('drop-newest');
    expect(queue.push('d', undefined)).toBe('dropped');
    expect(taken(queue)).toEqual(['a', 'b', 'c']);
  });

  it('drops what has waited longest under "drop-oldest"', () => {
    const queue = full('drop-oldest');
    expect(queue.push('long'.repeat(20), undefined)).toBe('buffered');
    expect(taken(queue)).toEqual(['c', 'long'.repeat(20)]);
  });

  it('drops nothing for one that has no room at all', () => {
    const queue = full('drop-oldest');
    expect(queue.push('x'.repeat(1_000), undefined)).toBe('dropped');
    expect(taken(queue)).toEqual(['a', 'b', 'c']);
  });
});
