import { Gathered } from './gathered.js';

describe('gathered bytes', () => {
  it('are joined where they are looked at, and taken from the start', () => {
    const gathered = new Gathered();
    for (const chunk of ['ab', 'cde', 'f']) gathered.push(Buffer.from(chunk));
    const found = {
      before: gathered.length,
      first: `${gathered.first(3)}`,
      few: `${gathered.first(20)}`,
      all: `${gathered.bytes}`,
      taken: `${gathered.take(4)}`,
      rest: `${gathered.bytes}`,
      after: gathered.length,
    };
    expect(found).toEqual({
      before: 6,
      first: 'abc',
      few: 'abcdef',
      all: 'abcdef',
      taken: 'abcd',
      rest: 'ef',
      after: 2,
    });
  });

  it('can all be taken, and come again', () => {
    const gathered = new Gathered();
    gathered.push(Buffer.from('ab'));
    expect(`${gathered.take(9)}`).toBe('ab');
    expect(gathered).toMatchObject({ length: 0, bytes: Buffer.alloc(0) });
    gathered.push(Buffer.from('c'));
    expect(`${gathered.take(1)}`).toBe('c');
  });
});
