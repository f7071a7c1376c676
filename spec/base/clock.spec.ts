import { asapScheduler, asyncScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { clockOf } from '../../src/base/clock.js';

describe('the clock', () => {
  it('does not follow the wall clock', () => {
    const clock = clockOf(asyncScheduler);
    const before = clock();
    const wall = jest.spyOn(Date, 'now').mockReturnValue(-1e15);
    try {
      expect(clock()).toBeGreaterThanOrEqual(before);
    } finally {
      wall.mockRestore();
    }
  });

  it('is virtual under a test scheduler', () => {
    const scheduler = new TestScheduler(() => {});
    const clock = clockOf(scheduler);
    const seen: number[] = [];
    scheduler.run(({ cold }) => {
      cold('500ms a 499ms a|').subscribe(() => seen.push(clock()));
    });
    expect(seen).toEqual([500, 1000]);
  });

  it('is that of any other scheduler', () => {
    expect(clockOf(asapScheduler)()).toBeGreaterThan(Date.UTC(2020));
  });
});
