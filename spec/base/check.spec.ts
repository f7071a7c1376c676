import { asyncScheduler, queueScheduler, VirtualTimeScheduler } from 'rxjs';
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNames,
  checkNumber,
  checkOneOf,
  checkScheduler,
  checkSignal,
  MAX_TIMER,
} from '../../src/base/check.js';

describe('an integer', () => {
  it.each([1, 50, 100])('may be %d', (value) => {
    expect(checkInteger('size', value, 1, 100)).toBe(value);
  });

  it.each([0, -1, 101, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'out of range is a RangeError: %d',
    (value) => {
      const error = new RangeError(`size must be an integer from 1 to 100, got ${value}`);
      expect(() => checkInteger('size', value, 1, 100)).toThrow(error);
    },
  );

  it.each([
    ['1mb', '"1mb"'],
    ['5', '"5"'],
    [null, 'null'],
    [true, 'true'],
    [5n, '5'],
    [{}, 'an object'],
  ])('is not %p: that is a TypeError', (value, found) => {
    expect(() => checkInteger('size', value, 1, 100)).toThrow(TypeError);
    expect(() => checkInteger('size', value, 1, 100)).toThrow(found);
  });

  it('of a timer is at most what Node waits for, and not the one millisecond that it makes of more', () => {
    expect(MAX_TIMER).toBe(2_147_483_647);
  });
});

describe('a number that is an option', () => {
  it('is given back when it is allowed, the bounds too', () => {
    expect([checkNumber('a', 1, 1, 3), checkNumber('a', 3, 1, 3)]).toEqual([1, 3]);
    expect(checkNumber('a', Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([0, 4, Number.NaN, -1])('is refused out of range: %p', (value) => {
    expect(() => checkNumber('a', value, 1, 3)).toThrow(new RangeError(`a must be a number from 1 to 3, got ${value}`));
  });

  it.each(['1', null, undefined, {}])('is refused when it is none: %p', (value) => {
    expect(() => checkNumber('a', value, 1, Number.POSITIVE_INFINITY)).toThrow(TypeError);
    expect(() => checkNumber('a', value, 1, Number.POSITIVE_INFINITY)).toThrow(
      /must be a number of at least 1, got .+$/,
    );
  });
});

describe('other options', () => {
  it('that are switches are true or false', () => {
    expect([checkBoolean('x', true), checkBoolean('x', false)]).toEqual([true, false]);
    for (const value of [0, 'true', null]) expect(() => checkBoolean('x', value)).toThrow('must be true or false');
  });

  it('that are one of several are named with all of them', () => {
    expect(checkOneOf('x', 'a', ['a', 'b'])).toBe('a');
    expect(() => checkOneOf('x', 'c', ['a', 'b'])).toThrow(new TypeError('x must be one of "a", "b", got "c"'));
    expect(() => checkOneOf('x', 3, ['a', 'b'])).toThrow(TypeError);
    expect(() => checkOneOf('x', 3, [1, 2])).toThrow(RangeError);
    expect(() => checkOneOf('x', '1', [1, 2])).toThrow(TypeError);
  });

  it('that are hooks are functions, or left out', () => {
    expect(() => checkFunction('hook', undefined)).not.toThrow();
    expect(() => checkFunction('hook', () => {})).not.toThrow();
    expect(() => checkFunction('hook', 'f')).toThrow(new TypeError('hook must be a function, got "f"'));
    expect(() => checkFunction('hook', null)).toThrow(TypeError);
  });

  it.each([asyncScheduler, queueScheduler, new VirtualTimeScheduler()])('that are schedulers: %#', (scheduler) => {
    expect(checkScheduler('scheduler', scheduler)).toBe(scheduler);
  });

  it.each([null, {}, 'async', { now: () => 0 }])('that are no schedulers: %p', (value) => {
    expect(() => checkScheduler('scheduler', value as never)).toThrow('must be an RxJS scheduler');
  });

  it('that are signals are AbortSignals', () => {
    expect(() => checkSignal(undefined)).not.toThrow();
    expect(() => checkSignal(new AbortController().signal)).not.toThrow();
    for (const value of [null, {}, new AbortController()])
      expect(() => checkSignal(value as never)).toThrow('must be an AbortSignal');
  });
});

describe('names of options', () => {
  it('are those that are known', () => {
    expect(() => checkNames({ a: 1, b: undefined }, ['a', 'b'])).not.toThrow();
    const error = new TypeError('unknown option "c": expected one of a, b');
    expect(() => checkNames({ a: 1, c: 1 }, ['a', 'b'])).toThrow(error);
  });

  it('are named with the option that they are within', () => {
    expect(() => checkNames({ c: 1 }, ['a'], 'b.')).toThrow('unknown option "b.c": expected one of a');
  });

  it('may be anything where nothing is given', () => {
    expect(() => checkNames({ c: undefined }, ['a'])).not.toThrow();
  });

  it.each([null, 5, 'a', undefined])('are those of an object, not of %p', (options) => {
    expect(() => checkNames(options as never, ['a'])).toThrow(TypeError);
    expect(() => checkNames(options as never, ['a'])).toThrow('must be an object');
  });
});
