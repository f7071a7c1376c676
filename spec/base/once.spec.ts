import { Once } from '../../src/base/once.js';

/** What a subscriber of `once` is told. */
function logOf(once: Once<string>): string[] {
  const log: string[] = [];
  once.value$.subscribe({ next: (value) => log.push(value), complete: () => log.push('|') });
  return log;
}

describe('a value that comes once', () => {
  it('is given to all who wait, and to all who come later', () => {
    const once = new Once<string>();
    const [early, other] = [logOf(once), logOf(once)];
    expect(early).toEqual([]);
    once.set('a');
    expect({ early, other, late: logOf(once) }).toEqual({
      early: ['a', '|'],
      other: ['a', '|'],
      late: ['a', '|'],
    });
  });

  it('stays the first one', () => {
    const once = new Once<string>();
    once.set('a');
    once.set('b');
    expect(logOf(once)).toEqual(['a', '|']);
  });

  it('is there already for who subscribes while it is told', () => {
    const once = new Once<string>();
    let nested: string[] = [];
    once.value$.subscribe(() => {
      nested = logOf(once);
    });
    once.set('a');
    expect(nested).toEqual(['a', '|']);
  });

  it('hands out nothing that could be written to', () => {
    expect('next' in new Once<string>().value$).toBe(false);
  });
});
