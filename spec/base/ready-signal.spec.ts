import * as fc from 'fast-check';
import { ReadySignal } from '../../src/base/ready-signal.js';

/** What a subscriber sees; `|` for completion. */
function record(signal: ReadySignal): (boolean | '|')[] {
  const seen: (boolean | '|')[] = [];
  signal.ready$.subscribe({ next: (ready) => seen.push(ready), complete: () => seen.push('|') });
  return seen;
}

describe('the marks', () => {
  it('stays true up to the mark, and becomes false above it', () => {
    const signal = new ReadySignal(100);
    const seen = record(signal);
    signal.update(100);
    expect(seen).toEqual([true]);
    signal.update(101);
    expect(seen).toEqual([true, false]);
    expect(signal.isReady).toBe(false);
  });

  it('stays false down to half of the mark, and becomes true below it', () => {
    const signal = new ReadySignal(100);
    const seen = record(signal);
    for (const waiting of [101, 99, 60, 50]) signal.update(waiting);
    expect(seen).toEqual([true, false]);
    signal.update(49);
    expect(seen).toEqual([true, false, true]);
  });

  it('never says the same twice, whatever waits', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), (amounts) => {
        const signal = new ReadySignal(100);
        const seen = record(signal);
        let ready = true;
        for (const waiting of amounts) {
          signal.update(waiting);
          if (waiting > 100) ready = false;
          if (waiting < 50) ready = true;
          expect(signal.isReady).toBe(ready);
          expect(seen.at(-1)).toBe(ready);
        }
        expect(seen.every((value, i) => value !== seen[i - 1])).toBe(true);
      }),
    );
  });
});

describe('subscribers', () => {
  it('get the current value first', () => {
    const signal = new ReadySignal(100);
    signal.update(101);
    expect(record(signal)).toEqual([false]);
  });

  it('are told what is true when it is their turn: never a true that another has used up', () => {
    const signal = new ReadySignal(100);
    let sends = 0;
    signal.ready$.subscribe((ready) => {
      if (ready && sends-- > 0) signal.update(101);
    });
    const seen = record(signal);
    signal.update(101);
    sends = 1;
    signal.update(0);
    expect({ seen, isReady: signal.isReady }).toEqual({ seen: [true, false], isReady: false });
    signal.update(0);
    expect(seen).toEqual([true, false, true]);
  });

  it('are told of a false that was over before their turn, since whoever has stopped for it waits for the next true', () => {
    const signal = new ReadySignal(100);
    signal.update(101);
    const seen: boolean[] = [];
    signal.ready$.subscribe((ready) => {
      seen.push(ready);
      if (!ready || seen.length > 5) return;
      // Fills it and stops, and all of it leaves before this returns.
      signal.update(101);
      signal.update(0);
    });
    signal.update(0);
    expect(seen).toEqual([false, true, false, true, false, true]);
  });

  it('get what is true now when they subscribe within a notification', () => {
    const signal = new ReadySignal(100);
    const late: ReturnType<typeof record>[] = [];
    signal.update(101);
    signal.ready$.subscribe((ready) => {
      if (!ready || late.length > 0) return;
      signal.update(101);
      late.push(record(signal));
    });
    signal.update(0);
    expect(late).toEqual([[false]]);
    signal.update(0);
    expect(late).toEqual([[false, true]]);
  });

  it('see each change once when they subscribe while another is told of it', () => {
    const signal = new ReadySignal(100);
    const late: ReturnType<typeof record>[] = [];
    signal.ready$.subscribe((ready) => {
      if (ready) return;
      late.push(record(signal));
      signal.update(0);
    });
    signal.update(101);
    expect(late).toEqual([[false, true]]);
  });

  it('may send at once, in their first value', () => {
    const signal = new ReadySignal(100);
    const seen: boolean[] = [];
    signal.ready$.subscribe((ready) => {
      seen.push(ready);
      if (ready) signal.update(101);
    });
    expect(seen).toEqual([true, false]);
  });

  it('are forgotten when they leave', () => {
    const signal = new ReadySignal(100);
    const seen: boolean[] = [];
    signal.ready$.subscribe((ready) => seen.push(ready)).unsubscribe();
    signal.update(101);
    expect(seen).toEqual([true]);
  });
});

describe('the end', () => {
  it('completes, and is not ready any more whatever is told afterwards', () => {
    const signal = new ReadySignal(100);
    const seen = record(signal);
    signal.end();
    signal.update(0);
    signal.update(101);
    signal.update(0);
    expect(seen).toEqual([true, '|']);
    expect(signal.isReady).toBe(false);
  });

  it('completes those who come later', () => {
    const signal = new ReadySignal(100);
    signal.end();
    expect(record(signal)).toEqual(['|']);
  });
});

describe('a producer that rests', () => {
  it('is not ready until it wakes, and is not slow for that', () => {
    const signal = new ReadySignal(100);
    const seen = record(signal);
    signal.rest();
    signal.rest();
    expect({ isReady: signal.isReady, isSlow: signal.isSlow }).toEqual({ isReady: false, isSlow: false });
    signal.update(101);
    signal.wake();
    expect({ isReady: signal.isReady, isSlow: signal.isSlow }).toEqual({ isReady: false, isSlow: true });
    signal.update(0);
    expect(seen).toEqual([true, false, true]);
    signal.wake();
    expect(seen).toEqual([true, false, true]);
  });
});

describe('a connection that closes', () => {
  it('is not ready any more, whatever leaves, and completes when it has ended', () => {
    const signal = new ReadySignal(100);
    const seen = record(signal);
    signal.rest();
    signal.shut();
    signal.wake();
    signal.update(101);
    signal.update(0);
    signal.shut();
    expect({ seen, isReady: signal.isReady, isSlow: signal.isSlow }).toEqual({
      seen: [true, false],
      isReady: false,
      isSlow: false,
    });
    expect(record(signal)).toEqual([false]);
    signal.end();
    expect(seen).toEqual([true, false, '|']);
  });
});
