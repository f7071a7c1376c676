import { EMPTY, Subject } from 'rxjs';
import { message } from 'sluice';
import { sizeOf, TestOutbox } from '../../src/testing/test-outbox.js';

describe('the way out of a test connection', () => {
  it('tells of each item when it is flushed, and keeps what is sent meanwhile', () => {
    const flushed$ = new Subject<void>();
    const outbox = new TestOutbox<string>({ ready$: undefined, flushed$, highWaterMark: 10 });
    const log: string[] = [];
    outbox.send('a', () => outbox.send('b', () => log.push('b')));
    outbox.whenHanded(() => log.push('mark'));
    expect([outbox.bufferedAmount, log]).toEqual([1, []]);
    flushed$.next();
    expect([outbox.bufferedAmount, log]).toEqual([1, ['mark']]);
    flushed$.next();
    expect({ bufferedAmount: outbox.bufferedAmount, bytesSent: outbox.bytesSent, log }).toEqual({
      bufferedAmount: 0,
      bytesSent: 2,
      log: ['mark', 'b'],
    });
  });

  it('is handed over at once without flushed$', () => {
    const outbox = new TestOutbox<string>({ ready$: undefined, flushed$: undefined, highWaterMark: 10 });
    const handed = jest.fn();
    outbox.send('abc', handed);
    outbox.whenHanded(handed);
    expect(handed).toHaveBeenCalledTimes(2);
    expect(outbox.stats).toEqual({ messagesSent: 1, messagesDropped: 0, bytesSent: 3 });
  });

  it('lets go of its inputs at the end', () => {
    const inputs = { ready$: new Subject<boolean>(), flushed$: new Subject<void>(), highWaterMark: 1 };
    const outbox = new TestOutbox<string>(inputs);
    const complete = jest.fn();
    outbox.ready$.subscribe({ complete });
    outbox.end();
    expect([inputs.ready$.observed, inputs.flushed$.observed]).toEqual([false, false]);
    expect(complete).toHaveBeenCalledTimes(1);
    expect(new TestOutbox({ ...inputs, ready$: EMPTY }).isReady).toBe(true);
  });

  it.each([
    ['é', 2],
    [Buffer.alloc(3), 3],
    [new ArrayBuffer(4), 4],
    [new Blob(['abcde']), 5],
    [message('abcdef'), 6],
    [{ typed: 'value' }, 0],
    [undefined, 0],
  ])('counts %p', (value, size) => {
    expect(sizeOf(value)).toBe(size);
  });
});
