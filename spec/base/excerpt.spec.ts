import { excerpt, inOneLine } from '../../src/base/excerpt.js';

describe('an excerpt of what was found', () => {
  it.each<[unknown, string]>([
    ['', '""'],
    ['abc', '"abc"'],
    ['a"b\r\nc', '"a\\"b\\r\\nc"'],
    ['\ud800', '"\\ud800"'],
    ['a\u009b2Jb\u007f\u2028', '"a\\u009b2Jb\\u007f\\u2028"'],
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

describe('the words of a peer in one line', () => {
  it('are as they are, but for what would end the line or steer a terminal', () => {
    expect(inOneLine('Grüße, "世界" \u{1f600}\\')).toBe('Grüße, "世界" \u{1f600}\\');
    expect(inOneLine('a\r\n\t\0\u001b[2J\u007f\u0085\u2028\u2029z')).toBe(
      'a\\u000d\\u000a\\u0009\\u0000\\u001b[2J\\u007f\\u0085\\u2028\\u2029z',
    );
  });
});
