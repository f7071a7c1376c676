import { mergeMap, of, retry, timer } from 'rxjs';
import { ConnectionClosedError, reconnect, sendTo } from 'sluice';
import { testConnect, testConnection } from 'sluice/testing';
import { marbles } from '../support/marbles.js';

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('a test client', () => {
  it('gives each subscription the next attempt', () =>
    marbles(({ cold, expectObservable }) => {
      const a = testConnection({ close$: cold('----c', { c: 1000 }) });
      const b = testConnection();
      const dial = testConnect([cold('--a', { a }), b]);
      expectObservable(dial).toBe('--a-|', { a });
      expectObservable(dial, '-^---!').toBe('-b', { b });
      expectObservable(dial.dialed$).toBe('01', [0, 1]);
      expectObservable(b.closed$).toBe('-----(c|)', { c: { code: 1000, reason: '' } });
    }));

  it('fails where an attempt fails, or none is left', () =>
    marbles(({ cold, expectObservable }) => {
      const dial = testConnect([refused, cold<never>('--#', undefined, refused)]);
      expectObservable(dial).toBe('#', undefined, refused);
      expectObservable(dial, '-^').toBe('---#', undefined, refused);
      const none = Object.assign(new Error('attempt 3 was made, but testConnect was given 2'), { uptime: 0 });
      expectObservable(dial, '--^').toBe('--#', undefined, none);
      expect(Reflect.get(refused, 'uptime')).toBeUndefined();
    }));

  it('ends as connect() does, and says how long it was open', () =>
    marbles(({ hot, scheduler, flush }) => {
      const errors: unknown[] = [];
      const lost = testConnection({ messages$: hot('-----#', undefined, new Error('reset')) });
      const restarted = testConnection({ close$: hot('--c', { c: { code: 1012, reason: 'restart' } }) });
      const dial = testConnect([lost, restarted]);
      for (let i = 0; i < 2; i++) dial.subscribe({ error: (error: unknown) => errors.push(error, scheduler.now()) });
      flush();
      expect(errors).toEqual([expect.any(ConnectionClosedError), 2, expect.any(ConnectionClosedError), 5]);
      expect(errors[0]).toMatchObject({ code: 1012, reason: 'restart', uptime: 2 });
      expect(errors[2]).toMatchObject({ code: 1006, cause: new Error('reset'), uptime: 5 });
    }));

  it('emits under a hold: all who subscribe meanwhile share what waits', () => {
    const conn = testConnection({ messages$: of('a', 'b') });
    const seen: unknown[] = [];
    testConnect([conn]).subscribe(({ messages$ }) => {
      messages$.subscribe((message) => seen.push(message));
      messages$.subscribe((message) => seen.push(message));
    });
    expect(seen).toEqual(['a', 'a', 'b', 'b']);
  });

  it('shows when an application dials again', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const conn = testConnection({ messages$: hot('---------a-b') });
      const dial = testConnect([
        cold<never>('--#', undefined, refused),
        cold<never>('-#', undefined, refused),
        cold('-c', { c: conn }),
      ]);
      const messages$ = dial.pipe(
        mergeMap((each) => each.messages$.pipe(sendTo(each))),
        retry({ delay: () => timer(2) }),
      );
      expectObservable(messages$).toBe('---------a-b');
      expectObservable(dial.dialed$).toBe('0---1--2', [0, 1, 2]);
    }));

  it('goes with reconnect', () =>
    marbles(({ cold, expectObservable }) => {
      const dial = testConnect([refused, refused, testConnection({ close$: cold('---------c') })]);
      const again$ = dial.pipe(reconnect({ initial: 2, random: () => 0.5 }));
      again$.subscribe();
      expectObservable(dial.dialed$).toBe('01-2', [0, 1, 2]);
    }));
});
