import { excerpt } from '../../src/protocol/excerpt.js';

describe('an excerpt of what was found', () => {
  it.each<[unknown, string]>([
    ['', '""'],
    ['abc', '"abc"'],
    ['a"b\r\nc', '"a\\"b\\r\\nc"'],
    ['\ud800', '"\\ud800"'],
    [undefined, 'undefined'],
    [null, 'null'],
    [13, 'number'],
    [{}, 'object'],
    [Symbol('s'), 'symbol'],
  ])('of %p is %s', (found, text) => {
    expect(excerpt(found)).toBe(text);
  });

  it('is cut after the limit, and says so', () => {
    expect(excerpt('a'.repeat(64))).toBe(`"${'a'.repeat(64)}"`);
    expect(excerpt('a'.repeat(16_384))).toBe(`"${'a'.repeat(64)}"...`);
    expect(excerpt('abcd', 3)).toBe('"abc"...');
  });
});
