import { runInNewContext } from 'node:vm';
import { describeThrown, errorOf, isError, propertyOf, textOf } from '../../src/base/thrown.js';
import { hostileNames, hostileValue } from '../support/hostile-values.js';

describe('what was thrown', () => {
  it.each([
    [new Error('a'), 'a'],
    [new TypeError(), 'TypeError'],
    [{ message: 'b' }, 'b'],
    [{ message: 5 }, '5'],
    ['c', 'c'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5n, '5'],
    [Symbol('d'), 'Symbol(d)'],
    [Object.create(null), 'an object without text'],
    [Object.assign(() => {}, { toString: undefined, valueOf: undefined }), 'a function without text'],
    [new Error('two\r\nlines'), 'two\\u000d\\u000alines'],
  ])('is described in one line: %#', (thrown, text) => {
    expect(describeThrown(thrown)).toBe(text);
  });

  it.each(hostileNames)('is described whatever it is: %s', (name) => {
    const thrown = hostileValue(name);
    expect(typeof describeThrown(thrown)).toBe('string');
    expect(typeof textOf(thrown)).toBe('string');
    expect(propertyOf(thrown, 'absent')).toBeUndefined();
    expect(typeof isError(thrown)).toBe('boolean');
    expect(isError(errorOf(thrown))).toBe(true);
  });

  it('has properties', () => {
    expect(propertyOf({ code: 'A' }, 'code')).toBe('A');
    expect(propertyOf('text', 'length')).toBe(4);
  });

  it('is an Error in whichever realm it was made', () => {
    expect([new Error('a'), runInNewContext("new TypeError('a')"), { name: 'Error' }].map(isError)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is itself as an Error if it is one', () => {
    const error = new RangeError('a');
    expect(errorOf(error)).toBe(error);
    expect(errorOf('b')).toMatchObject({ message: 'b', cause: 'b' });
  });
});
