import { finalize, NEVER, Observable, of, range, Subject, Subscription, throwError } from 'rxjs';
import { subscribeWithin } from '../../src/base/subscribe-within.js';

describe('subscribeWithin', () => {
  it('passes values, the error and the completion on', () => {
    const seen: unknown[] = [];
    const observer = {
      next: (value: unknown) => seen.push(value),
      error: (error: unknown) => seen.push(`error ${error}`),
      complete: () => seen.push('complete'),
    };
    subscribeWithin(new Subscription(), of(1, 2), observer);
    subscribeWithin(
      new Subscription(),
      throwError(() => 'no'),
      observer,
    );
    expect(seen).toEqual([1, 2, 'complete', 'error no']);
  });

  it('ends with its owner while the source emits within subscribe', () => {
    const owner = new Subscription();
    const seen: number[] = [];
    subscribeWithin(owner, range(1, 5), {
      next: (value) => {
        seen.push(value);
        if (value === 2) owner.unsubscribe();
      },
    });
    expect(seen).toEqual([1, 2]);
  });

  it('does not subscribe when its owner has ended', () => {
    const owner = new Subscription();
    owner.unsubscribe();
    let subscriptions = 0;
    const source = new Observable(() => {
      subscriptions++;
    });
    subscribeWithin(owner, source, {});
    expect(subscriptions).toBe(0);
  });

  it('calls onReleased behind all that the source releases, on completion and on unsubscription', () => {
    const log: string[] = [];
    const released = (): void => {
      log.push('released');
    };
    const owner = new Subscription();
    const subject = new Subject<never>();
    subscribeWithin(
      owner,
      subject.pipe(finalize(() => log.push('finalized'))),
      { complete: () => log.push('complete') },
      released,
    );
    subject.complete();
    subscribeWithin(owner, NEVER.pipe(finalize(() => log.push('finalized'))), {}, released);
    owner.unsubscribe();
    expect(log).toEqual(['complete', 'finalized', 'released', 'finalized', 'released']);
  });

  it('leaves nothing with its owner once it is over', () => {
    const owner = new Subscription();
    const subject = new Subject<never>();
    let released = 0;
    subscribeWithin(owner, subject, {}, () => released++);
    subject.complete();
    owner.unsubscribe();
    expect(released).toBe(1);
  });
});
