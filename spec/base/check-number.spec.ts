import { checkCallback, checkNumber } from '../../src/base/check-number.js';

describe('a number that is an option', () => {
  it('is given back when it is allowed, the bounds too', () => {
    expect([checkNumber('a', 1, 1, 3), checkNumber('a', 3, 1, 3)]).toEqual([1, 3]);
    expect(checkNumber('a', Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([0, 4, Number.NaN, -1])('is refused out of range: %p', (value) => {
    expect(() => checkNumber('a', value, 1, 3)).toThrow(
      new RangeError(`a is ${value}, allowed are numbers from 1 to 3`),
    );
  });

  it.each(['1', null, undefined, {}])('is refused when it is none: %p', (value) => {
    expect(() => checkNumber('a', value, 1, Number.POSITIVE_INFINITY)).toThrow(TypeError);
    expect(() => checkNumber('a', value, 1, Number.POSITIVE_INFINITY)).toThrow(/allowed are numbers from 1$/);
  });
});

describe('a callback that is an option', () => {
  it('is a function, or not given', () => {
    checkCallback('a', undefined);
    checkCallback('a', () => {});
    expect(() => checkCallback('a', 'b')).toThrow(new TypeError('a is string, allowed is a function'));
  });
});
