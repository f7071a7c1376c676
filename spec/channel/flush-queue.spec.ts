import { beginReceiving, endReceiving, flushAll, scheduleFlush } from '../../src/channel/flush-queue.js';

/** Notes in `log` that it was flushed. */
function task(log: string[], name: string, then: () => void = () => {}): { flush(): void } {
  return {
    flush: () => {
      log.push(name);
      then();
    },
  };
}

describe('the flush point', () => {
  it('comes once, behind all that runs in this tick, promises included', async () => {
    const log: string[] = [];
    scheduleFlush(task(log, 'a'));
    scheduleFlush(task(log, 'b'));
    process.nextTick(() => log.push('next tick'));
    for (let i = 0; i < 3; i++) await undefined;
    scheduleFlush(task(log, 'c'));
    log.push('later microtask');
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['later microtask', 'a', 'b', 'c', 'next tick']);
  });

  it('is the end of the receive loop, while one runs', async () => {
    const log: string[] = [];
    beginReceiving();
    scheduleFlush(task(log, 'a'));
    beginReceiving();
    scheduleFlush(task(log, 'b'));
    endReceiving();
    log.push('inner loop done');
    endReceiving();
    log.push('outer loop done');
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['inner loop done', 'a', 'b', 'outer loop done']);
  });

  it('flushes also what is scheduled meanwhile', () => {
    const log: string[] = [];
    scheduleFlush(task(log, 'a', () => scheduleFlush(task(log, 'b'))));
    flushAll();
    expect(log).toEqual(['a', 'b']);
  });

  it('does nothing when nothing waits', () => {
    beginReceiving();
    endReceiving();
    expect(flushAll).not.toThrow();
  });
});
