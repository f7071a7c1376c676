import { NEVER } from 'rxjs';
import { CarriedHold } from '../../src/base/carried-hold.js';
import { Holdable } from '../support/holdable.js';

describe('a hold that is carried', () => {
  it('is counted, and released with the last', () => {
    const holds = new CarriedHold();
    const one = new Holdable(NEVER);
    holds.carryTo(one);
    const [first, second] = [holds.hold(), holds.hold()];
    expect(one.holds).toHaveLength(1);
    first.unsubscribe();
    first.unsubscribe();
    expect(one.isHeld).toBe(true);
    second.unsubscribe();
    expect(one.isHeld).toBe(false);
  });

  it('goes over to what comes next, and is there before there is anything', () => {
    const holds = new CarriedHold();
    const [one, other] = [new Holdable(NEVER), new Holdable(NEVER)];
    const hold = holds.hold();
    holds.carryTo(one);
    expect(one.isHeld).toBe(true);
    holds.carryTo(other);
    expect([one.isHeld, other.isHeld]).toEqual([false, true]);
    hold.unsubscribe();
    expect(other.isHeld).toBe(false);
    holds.carryTo(one);
    expect(one.isHeld).toBe(false);
  });
});
