import { testingScheduler } from '../../src/testing/testing-scheduler.js';
import { marbles } from '../support/marbles.js';

describe('the scheduler of test doubles', () => {
  it('is virtual within run, with its clock', () =>
    marbles(({ flush, scheduler }) => {
      const log: number[] = [];
      testingScheduler.schedule(() => log.push(testingScheduler.now(), scheduler.now()), 60_000);
      flush();
      expect(log).toEqual([60_000, 60_000]);
    }));

  it('is real elsewhere', async () => {
    const before = Date.now();
    await new Promise<void>((resolve) => testingScheduler.schedule(() => resolve()));
    expect(testingScheduler.now()).toBeGreaterThanOrEqual(before);
  });
});
