import { OneLoop } from '../../src/base/one-loop.js';

describe('OneLoop', () => {
  it('leaves the work of a call from within to the loop that runs', () => {
    const loop = new OneLoop();
    const left = [1, 2, 3];
    const seen: string[] = [];
    const work = (): boolean =>
      loop.run(() => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          seen.push(`begin ${next}`);
          if (next === 1) left.push(4);
          seen.push(`${work()} ${loop.isRunning}`);
        }
      });
    expect(work()).toBe(true);
    expect(seen).toEqual([1, 2, 3, 4].flatMap((step) => [`begin ${step}`, 'false true']));
    expect(loop.isRunning).toBe(false);
  });

  it('runs again after a step that threw', () => {
    const loop = new OneLoop();
    const fail = (): void => {
      throw new Error('no');
    };
    expect(() => loop.run(fail)).toThrow('no');
    expect(loop.run(() => {})).toBe(true);
  });
});
