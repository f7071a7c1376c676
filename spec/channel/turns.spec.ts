import { isTurnOver, later } from '../../src/channel/turns.js';

let now = 0;
beforeEach(() => {
  now = 1_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(async () => {
  await nextTurn();
  jest.restoreAllMocks();
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Works until it is told to stop, at most `work` ms. Returns for how long. */
function workFor(work: number): number {
  const began = now;
  while (now - began < work && !isTurnOver(now)) now++;
  return now - began;
}

describe('a turn of the event loop', () => {
  it('is over for all once it has lasted 10 ms, whoever has used them', () => {
    expect([workFor(4), workFor(100), workFor(100)]).toEqual([4, 7, 0]);
  });

  it('is followed by another one, that all share anew', async () => {
    workFor(100);
    await nextTurn();
    expect(workFor(100)).toBe(11);
  });

  it('begins with the first who asks', () => {
    now += 50;
    expect(isTurnOver(now)).toBe(false);
  });
});

describe('what is left for later', () => {
  it('comes in a later turn, in order', async () => {
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) later(() => log.push(name));
    expect(log).toEqual([]);
    await nextTurn();
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('comes a turn later again when it is left again', async () => {
    const log: string[] = [];
    later(() => {
      log.push('a');
      later(() => log.push('a again'));
    });
    later(() => log.push('b'));
    await nextTurn();
    expect(log).toEqual(['a', 'b']);
    await nextTurn();
    expect(log).toEqual(['a', 'b', 'a again']);
  });

  it('shares the turn evenly', async () => {
    const worked: number[] = [];
    for (let task = 0; task < 4; task++) later(() => worked.push(workFor(100)));
    await nextTurn();
    // Each is told when its 2.5 ms are over.
    expect(worked).toEqual([3, 3, 3, 3]);
  });

  it('has the turn for itself when it is alone', async () => {
    const worked: number[] = [];
    later(() => worked.push(workFor(100)));
    await nextTurn();
    expect(worked).toEqual([11]);
  });

  it('gets at least a millisecond each, and as many turns as that takes', async () => {
    const worked: string[] = [];
    const begin = (name: number): void => later(() => worked.push(`${name}: ${workFor(100)}`));
    for (let name = 0; name < 12; name++) begin(name);
    await nextTurn();
    expect(worked).toEqual(['0: 2', '1: 2', '2: 2', '3: 2', '4: 2']);
    begin(12);
    await nextTurn();
    await nextTurn();
    expect(worked.slice(5).map((entry) => Number.parseInt(entry, 10))).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('leaves nothing of its turn, while others wait, to whoever comes with much before the next one', async () => {
    const left: number[] = [];
    later(() => {
      workFor(100);
      later(() => left.push(workFor(100)));
    });
    await nextTurn();
    expect(isTurnOver(now)).toBe(true);
    await nextTurn();
    expect([left, isTurnOver(now)]).toEqual([[11], false]);
  });

  it('is not waited for by those that come with little: the turn after it begins anew', async () => {
    later(() => workFor(100));
    await nextTurn();
    expect(isTurnOver(now)).toBe(false);
  });
});
