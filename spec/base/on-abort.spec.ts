import { getEventListeners } from 'node:events';
import { onAbort } from '../../src/base/on-abort.js';

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

describe('what is to happen when a signal aborts', () => {
  it('happens once, in the order of coming', () => {
    const controller = new AbortController();
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) onAbort(controller.signal, () => log.push(name));
    controller.abort();
    controller.signal.dispatchEvent(new Event('abort'));
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('needs one listener for all of it', () => {
    const { signal } = new AbortController();
    for (let count = 0; count < 20; count++) onAbort(signal, () => {});
    expect(listenersOf(signal)).toBe(1);
  });

  it('is taken back one by one, and leaves nothing on the signal', () => {
    const controller = new AbortController();
    const { signal } = controller;
    const log: string[] = [];
    const task = (): void => {
      log.push('task');
    };
    const [first, second] = [onAbort(signal, task), onAbort(signal, task)];
    first();
    first();
    const between = listenersOf(signal);
    second();
    const after = listenersOf(signal);
    const third = onAbort(signal, task);
    // It belongs to those who have gone.
    second();
    expect({ between, after, anew: listenersOf(signal) }).toEqual({ between: 1, after: 0, anew: 1 });
    controller.abort();
    third();
    expect({ log, left: listenersOf(signal) }).toEqual({ log: ['task'], left: 0 });
  });

  it('may take back what comes after it', () => {
    const controller = new AbortController();
    const log: string[] = [];
    onAbort(controller.signal, () => {
      log.push('first');
      takeBack();
    });
    const takeBack = onAbort(controller.signal, () => log.push('second'));
    controller.abort();
    expect(log).toEqual(['first']);
  });
});
