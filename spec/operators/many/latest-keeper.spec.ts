import { BehaviorSubject } from 'rxjs';
import { shareMessage } from '../../../src/connection/shared-message.js';
import { LatestKeeper } from '../../../src/operators/many/latest-keeper.js';
import type { Target } from '../../../src/operators/many/target.js';

/** A connection that is not ready, until it is told to be. */
class SlowTarget {
  readonly sent: string[] = [];
  readonly ready$ = new BehaviorSubject(false);
  readonly send = { isReady: false, ready$: this.ready$ };
  /** What else happens when a message is sent, before it is noted. */
  onSend: (data: string) => void = () => {};

  readonly trySend = (data: string): string => {
    this.onSend(data);
    this.sent.push(data);
    return 'sent';
  };

  become(isReady: boolean): void {
    this.send.isReady = isReady;
    this.ready$.next(isReady);
  }

  get conn(): Target<string> {
    return this as unknown as Target<string>;
  }
}

describe('LatestKeeper', () => {
  let keeper: LatestKeeper<string>;
  let slow: SlowTarget;
  /** Keeps each text under its first letter. */
  const keep = (...texts: string[]): void => {
    for (const text of texts) keeper.keep(slow.conn, text.charAt(0), shareMessage(text));
  };

  beforeEach(() => {
    keeper = new LatestKeeper();
    slow = new SlowTarget();
  });

  it('sends the latest of each key when the connection is ready, and looks no longer', () => {
    keep('a1', 'b1', 'a2');
    expect(slow.sent).toEqual([]);
    slow.become(true);
    expect(slow.sent).toEqual(['b1', 'a2']);
    expect(slow.ready$.observed).toBe(false);
    slow.become(false);
    slow.become(true);
    expect(slow.sent).toEqual(['b1', 'a2']);
  });

  it('keeps for each connection apart', () => {
    const other = new SlowTarget();
    keep('a1');
    keeper.keep(other.conn, 'a', shareMessage('a2'));
    other.become(true);
    expect([slow.sent, other.sent]).toEqual([[], ['a2']]);
    slow.become(true);
    expect(slow.sent).toEqual(['a1']);
  });

  it('pauses when the connection is not ready any more, and replaces what it still has', () => {
    slow.onSend = () => slow.become(false);
    keep('a1', 'b1', 'c1');
    slow.become(true);
    expect(slow.sent).toEqual(['a1']);
    keep('b2', 'a2');
    slow.onSend = () => {};
    slow.become(true);
    expect(slow.sent).toEqual(['a1', 'c1', 'b2', 'a2']);
  });

  it('has to keep for those who are not ready, and behind what is not sent yet', () => {
    expect(keeper.mustKeep(slow.conn)).toBe(true);
    slow.become(true);
    expect(keeper.mustKeep(slow.conn)).toBe(false);
    slow.become(false);
    const seen: boolean[] = [];
    slow.onSend = () => seen.push(slow.send.isReady && keeper.mustKeep(slow.conn));
    keep('a1');
    slow.become(true);
    expect(seen).toEqual([true]);
    expect(keeper.mustKeep(slow.conn)).toBe(false);
  });

  it('sends what is kept while it sends, last and once', () => {
    slow.onSend = (text) => {
      if (text === 'a1') keep('c1', 'b2');
      slow.become(true);
    };
    keep('a1', 'b1');
    slow.become(true);
    expect(slow.sent).toEqual(['a1', 'c1', 'b2']);
    expect(slow.ready$.observed).toBe(false);
  });

  it('forgets what it kept when the connection ends', () => {
    keep('a1');
    slow.ready$.complete();
    slow.send.isReady = true;
    expect(keeper.mustKeep(slow.conn)).toBe(false);
    expect(slow.sent).toEqual([]);
  });
});
