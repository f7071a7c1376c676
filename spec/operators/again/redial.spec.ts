import {
  asyncScheduler,
  defer,
  finalize,
  lastValueFrom,
  type Observable,
  of,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { ConnectionClosedError, HandshakeError, UsageError } from 'sluice';
import { backoffRules } from '../../../src/operators/again/backoff.js';
import { type RedialRules, redial } from '../../../src/operators/again/redial.js';
import { type Marbles, marbles } from '../../support/marbles.js';

const lost = Object.assign(new ConnectionClosedError({ code: 1006, reason: '', wasClean: false }), { uptime: 0 });
const policy = { initial: 4, max: 16, minUptime: 5 };

/** The states as letters: connecting, open, waiting with its attempt. */
function states(
  connection$: Observable<unknown>,
  scheduler: RedialRules['scheduler'],
  rules: Partial<RedialRules> = {},
) {
  const backoff = backoffRules(policy, () => 1);
  return redial(connection$ as never, { backoff, repeat: true, scheduler, isWanted: () => true, ...rules });
}

const connecting = { type: 'connecting' };
const waiting = (attempt: number, delay: number, error?: unknown): object =>
  error === undefined ? { type: 'waiting', attempt, delay } : { type: 'waiting', attempt, delay, error };

describe('dialing again', () => {
  it('tells each state, and waits longer each time', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const connection$ = cold('-#', undefined, lost);
      const values = { c: connecting, w: waiting(1, 4, lost), v: waiting(2, 8, lost) };
      expectObservable(states(connection$, scheduler), '15ms !').toBe('cw---cv-------c', values);
    }));

  it('waits no longer than maxRetryAfter, however long the server asks for', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const busy = new HandshakeError('UNEXPECTED_STATUS', 'busy', {
        status: 503,
        headers: { 'retry-after': 'Fri, 31 Dec 2999 23:59:59 GMT' },
      });
      const values = { c: connecting, w: waiting(1, 300_004, busy) };
      expectObservable(states(cold('-#', undefined, busy), scheduler), '100ms !').toBe('cw', values);
    }));

  it('goes on behind completions where it is to, anew when it was open for minUptime', () =>
    marbles((helpers) => {
      const { expectObservable, scheduler } = helpers;
      const [short$, long$] = [helpers.cold('-o-|'), helpers.cold('-o-----|')];
      const dials = [short$, short$, long$];
      const connection$ = defer(() => dials.shift() as typeof short$);
      const open = { type: 'open', connection: 'o' };
      const values = { c: connecting, o: open, w: waiting(1, 4), v: waiting(2, 8) };
      const expected = 'co-w---co-v-------co-----w';
      expectObservable(states(connection$, scheduler), '26ms !').toBe(expected, values);
    }));

  it('is not misled by a wall clock that is set while it is open', async () => {
    let days = 0;
    const wall = jest.spyOn(Date, 'now').mockImplementation(() => 86_400_000 * days);
    try {
      let dials = 0;
      const connection$ = defer(() => {
        days++;
        return ++dials < 10 ? of('o') : throwError(() => new Error('it took each for a day'));
      }).pipe(finalize(() => days++));
      const backoff = backoffRules({ initial: 0, minUptime: 5_000, maxAttempts: 2 }, () => 1);
      await lastValueFrom(states(connection$, asyncScheduler, { backoff }));
      expect(dials).toBe(3);
    } finally {
      wall.mockRestore();
    }
  });

  it('completes behind a completion otherwise', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const values = { c: connecting, o: { type: 'open', connection: 'o' } };
      expectObservable(states(cold('--o-|'), scheduler, { repeat: false })).toBe('c-o-|', values);
    }));

  it('errors with an error that stays', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const error = new UsageError('UNSUPPORTED_DATA', 'no');
      expectObservable(states(cold('--#', undefined, error), scheduler)).toBe('c-#', { c: connecting }, error);
    }));

  it.each([
    ['completes', '--|', 'c-|'],
    ['errors', '--#', 'c-#'],
  ])('%s as the last one did when another is not wanted', (_, dialed, expected) =>
    marbles(({ cold, expectObservable, scheduler }: Marbles) => {
      const found$ = states(cold(dialed, undefined, lost), scheduler, { isWanted: () => false });
      expectObservable(found$).toBe(expected, { c: connecting }, lost);
    }),
  );

  it('does not grow the stack with attempts that end at once', () => {
    const scheduler = new VirtualTimeScheduler();
    let attempts = 0;
    const connection$ = defer(() => (++attempts < 50_000 ? (attempts % 2 ? of() : throwError(() => lost)) : of('c')));
    let isOpen = false;
    const found$ = states(connection$, scheduler, { backoff: backoffRules(policy, () => 0) });
    const subscription = found$.subscribe((state) => {
      isOpen ||= state.type === 'open';
      if (isOpen) subscription.unsubscribe();
    });
    scheduler.flush();
    expect([attempts, isOpen]).toEqual([50_000, true]);
  });
});
