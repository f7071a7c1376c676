import { Observable, Subject, Subscription } from 'rxjs';
import { HeldLine, type Passage } from '../../src/base/held-line.js';

/** A line whose passage is open when the spec says so. */
class Line implements Passage<string> {
  isOpen = true;
  isBusy = false;
  readonly seen: string[] = [];
  holds = 0;
  readonly source$ = new Subject<string>();
  onPass: (value: string) => void = () => {};
  readonly held: HeldLine<string>;

  constructor() {
    let held: HeldLine<string> | undefined;
    new Observable<never>((subscriber) => {
      held = new HeldLine(subscriber, this, () => {
        this.holds++;
        return new Subscription(() => this.holds--);
      });
      held.run(this.source$);
    }).subscribe({ complete: () => this.seen.push('|'), error: () => this.seen.push('#') });
    this.held = held!;
  }

  pass(value: string): void {
    this.seen.push(value);
    this.onPass(value);
  }
}

describe('HeldLine', () => {
  it('keeps what comes while it may not pass, and lets it pass in order', () => {
    const line = new Line();
    line.source$.next('a');
    line.isOpen = false;
    line.held.hold();
    line.source$.next('b');
    line.source$.next('c');
    expect(line).toMatchObject({ seen: ['a'], holds: 1 });
    line.isOpen = true;
    line.held.advance();
    expect(line).toMatchObject({ seen: ['a', 'b', 'c'], holds: 0 });
  });

  it('takes one hold, and keeps it while something has to wait', () => {
    const line = new Line();
    line.isOpen = false;
    line.held.hold();
    line.held.hold();
    line.source$.next('a');
    line.source$.next('b');
    line.isOpen = true;
    line.onPass = () => {
      line.isOpen = false;
    };
    line.held.advance();
    expect(line).toMatchObject({ seen: ['a'], holds: 1 });
    line.held.stop();
    expect(line).toMatchObject({ seen: ['a'], holds: 0 });
  });

  it('puts what comes while others pass behind them', () => {
    const line = new Line();
    line.isOpen = false;
    line.source$.next('a');
    line.source$.next('b');
    line.isOpen = true;
    line.onPass = (value) => {
      if (value === 'b') line.source$.next('c');
      line.held.advance();
    };
    line.held.advance();
    expect(line.seen).toEqual(['a', 'b', 'c']);
  });

  it('completes when nothing waits and nothing is busy any more', () => {
    const line = new Line();
    line.isOpen = false;
    line.source$.next('a');
    line.source$.complete();
    expect(line.seen).toEqual([]);
    line.isOpen = true;
    line.isBusy = true;
    line.held.advance();
    expect(line.seen).toEqual(['a']);
    line.isBusy = false;
    line.held.advance();
    expect(line.seen).toEqual(['a', '|']);
  });

  it('errors at once with its source', () => {
    const line = new Line();
    line.isOpen = false;
    line.source$.next('a');
    line.source$.error('no');
    expect(line.seen).toEqual(['#']);
  });
});
