import { isNotIn } from '../../../src/operators/many/target.js';
import { membersOf } from '../../support/members.js';

describe('isNotIn', () => {
  const [a, b, c] = membersOf(3).map(({ connection }) => connection);

  it('asks nothing when nobody is excepted', () => {
    expect(isNotIn(undefined)).toBeUndefined();
  });

  it('is true for all but one connection', () => {
    expect([a, b, c].map((conn) => isNotIn(b!)!(conn!))).toEqual([true, false, true]);
  });

  it('is true for all but those in a set, as it is when it is asked', () => {
    const except = new Set([a!]);
    const isFor = isNotIn(except)!;
    except.add(c!);
    expect([a, b, c].map((conn) => isFor(conn!))).toEqual([false, true, false]);
    expect(isNotIn(new Set())!(a!)).toBe(true);
  });
});
