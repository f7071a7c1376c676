import fc from 'fast-check';
import { type Enrolled, Roster } from '../../src/base/roster.js';

interface Member extends Enrolled {
  readonly name: number;
}

const member = (name: number): Member => ({ name, rank: -1 });

describe('a roster', () => {
  it('has the members of a Set, in its order, whoever comes and goes', () => {
    const steps = fc.array(fc.nat({ max: 60 }), { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(steps, fc.nat({ max: 400 }), (names, askedAt) => {
        const roster = new Roster<Member>();
        const expected = new Set<Member>();
        const known = new Map<number, Member>();
        names.forEach((name, step) => {
          const one = known.get(name) ?? member(name);
          known.set(name, one);
          if (expected.delete(one)) roster.delete(one);
          else {
            expected.add(one);
            roster.add(one);
          }
          if (step >= askedAt) expect([...roster.set]).toEqual([...expected]);
          expect(roster.size).toBe(expected.size);
        });
        expect([...roster]).toEqual([...expected]);
        expect([...roster.set]).toEqual([...expected]);
      }),
    );
  });

  it('does not mind who is taken out twice, or never stood there', () => {
    const roster = new Roster<Member>();
    const [one, other] = [member(1), member(2)];
    roster.add(one);
    roster.delete(other);
    roster.delete(one);
    roster.delete(one);
    expect([roster.size, [...roster]]).toEqual([0, []]);
  });

  it('can lose all its members while it is walked through', () => {
    const roster = new Roster<Member>();
    const all = Array.from({ length: 100 }, (_, name) => member(name));
    for (const one of all) roster.add(one);
    const seen: Member[] = [];
    for (const one of roster) {
      seen.push(one);
      for (const each of all) roster.delete(each);
    }
    expect([seen, roster.size]).toEqual([all, 0]);
  });

  it('has a Set that stays the same', () => {
    const roster = new Roster<Member>();
    const { set } = roster;
    const one = member(1);
    roster.add(one);
    expect({ isSame: roster.set === set, hasOne: set.has(one), size: set.size }).toEqual({
      isSame: true,
      hasOne: true,
      size: 1,
    });
    roster.delete(one);
    expect([set.has(one), set.size]).toEqual([false, 0]);
  });
});
