import { isNotIn } from '../../src/operators/except.js';
import { membersOf } from '../support/members.js';

describe('whom a message is not for', () => {
  const [a, b] = membersOf(2).map(({ connection }) => connection) as object[] as never[];

  it('is nobody, one, or each of a set', () => {
    expect(isNotIn(undefined)).toBeUndefined();
    expect([isNotIn(a)!(a!), isNotIn(a)!(b!)]).toEqual([false, true]);
    const both = new Set([a!, b!]);
    expect([isNotIn(both)!(a!), isNotIn(new Set([b!]))!(a!)]).toEqual([false, true]);
  });
});
