import { Slots } from '../../src/base/slots.js';
import { seeded } from '../support/seeded.js';

describe('slots', () => {
  it('are as many as was said, for each key', () => {
    const slots = new Slots(2);
    expect([slots.take('a'), slots.take('a'), slots.take('a'), slots.take('b')]).toEqual([
      expect.any(Function),
      expect.any(Function),
      undefined,
      expect.any(Function),
    ]);
    expect({ a: slots.of('a'), b: slots.of('b'), c: slots.of('c') }).toEqual({ a: 2, b: 1, c: 0 });
  });

  it('can be taken again at once when one was given back', () => {
    const slots = new Slots(1);
    slots.take('a')?.();
    expect(slots.take('a')).toBeDefined();
    expect(slots.take('a')).toBeUndefined();
  });

  it('are given back once, however often that is said', () => {
    const slots = new Slots(2);
    const giveBack = slots.take('a');
    slots.take('a');
    giveBack?.();
    giveBack?.();
    expect(slots.of('a')).toBe(1);
  });

  it('take nothing for a refusal', () => {
    const slots = new Slots(1);
    slots.take('a');
    for (let round = 0; round < 10; round++) slots.take('a');
    expect(slots.of('a')).toBe(1);
  });

  it('keep nothing of a key of which nothing is taken', () => {
    const slots = new Slots(3);
    for (let round = 0; round < 1_000; round++) slots.take(`key ${round}`)?.();
    expect(slots.keys).toBe(0);
  });

  it('are right whatever the order of taking and giving back', () => {
    const random = seeded(11);
    const slots = new Slots(5);
    const keys = ['a', '__proto__', 'constructor', ''];
    const taken = new Map<string, (() => void)[]>(keys.map((key) => [key, []]));
    for (let round = 0; round < 5_000; round++) {
      const key = keys[Math.floor(random() * keys.length)] as string;
      const mine = taken.get(key) as (() => void)[];
      if (random() < 0.5) {
        const giveBack = slots.take(key);
        expect(giveBack === undefined).toBe(mine.length === 5);
        if (giveBack !== undefined) mine.push(giveBack);
      } else mine.splice(Math.floor(random() * mine.length), 1)[0]?.();
      expect(slots.of(key)).toBe(mine.length);
    }
  });
});
