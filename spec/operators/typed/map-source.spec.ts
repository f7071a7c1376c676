import { from, isObservable, lastValueFrom, of, toArray } from 'rxjs';
import { mapSource } from '../../../src/operators/typed/map-source.js';

const double = (value: number): number => value * 2;

describe('the source of sendFrom', () => {
  it.each([
    ['an Observable', () => of(1, 2)],
    ['an iterable', () => [1, 2]],
    ['an async iterable', () => numbers()],
  ])('is projected value by value: %s', async (_, source) => {
    expect(await lastValueFrom(from(mapSource(source(), double)).pipe(toArray()))).toEqual([2, 4]);
  });

  it('is projected: a promise', async () => {
    expect(await mapSource(Promise.resolve(1), double)).toBe(2);
  });

  it('stays what it is, so that it is pulled as before and may be used twice', () => {
    const twice = mapSource([1, 2], double) as Iterable<number>;
    expect([...twice, ...twice]).toEqual([2, 4, 2, 4]);
    expect(isObservable(mapSource(of(1), double))).toBe(true);
  });

  it('is pulled only as far as it is wanted, and told when it is left', () => {
    const log: string[] = [];
    function* source(): Generator<number> {
      try {
        for (let i = 0; ; i++) {
          log.push(`pulled ${i}`);
          yield i;
        }
      } finally {
        log.push('left');
      }
    }
    for (const value of mapSource(source(), double) as Iterable<number>) if (value === 2) break;
    expect(log).toEqual(['pulled 0', 'pulled 1', 'left']);
  });
});

async function* numbers(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}
