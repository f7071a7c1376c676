import { Trampoline } from '../../src/base/trampoline.js';

describe('a trampoline', () => {
  it('runs a task at once, and one that is given meanwhile behind it', () => {
    const trampoline = new Trampoline();
    const log: string[] = [];
    trampoline.run(() => {
      trampoline.run(() => {
        trampoline.run(() => log.push('third'));
        log.push('second');
      });
      trampoline.run(() => log.push('second, too'));
      log.push('first');
    });
    expect(log).toEqual(['first', 'second', 'second, too', 'third']);
  });

  it('does not grow the stack', () => {
    const trampoline = new Trampoline();
    let count = 0;
    const task = (): void => {
      if (++count < 200_000) trampoline.run(task);
    };
    trampoline.run(task);
    expect(count).toBe(200_000);
  });

  it('goes on after a task that throws', () => {
    const trampoline = new Trampoline();
    const fail = (): never => {
      throw new Error('a');
    };
    expect(() => trampoline.run(fail)).toThrow('a');
    const task = jest.fn();
    trampoline.run(task);
    expect(task).toHaveBeenCalledTimes(1);
  });
});
