import { NEVER, of } from 'rxjs';
import { ConnectionClosedError } from 'sluice';
import { pingDouble } from '../../src/testing/ping-double.js';
import { marbles } from '../support/marbles.js';

const info = { code: 1001, reason: 'away', wasClean: true, initiator: 'peer' } as const;

describe('a ping', () => {
  it('is answered by the next pong, after the time that it took', () =>
    marbles(({ hot, expectObservable, expectSubscriptions, scheduler }) => {
      const pongs$ = hot('-p--p-p');
      expectObservable(pingDouble({ pongs$, close$: NEVER, scheduler }), '--^').toBe('----(x|)', { x: 2 });
      expectSubscriptions(pongs$.subscriptions).toBe('--^-!');
    }));

  it('errors with the end of the connection', () =>
    marbles(({ hot, expectObservable, scheduler }) => {
      const close$ = hot('--c', { c: info });
      const error = new ConnectionClosedError(info);
      expectObservable(pingDouble({ pongs$: NEVER, close$, scheduler })).toBe('--#', undefined, error);
      expectObservable(pingDouble({ pongs$: undefined, close$: of(info), scheduler })).toBe('#', undefined, error);
    }));

  it('is forgotten when it is unsubscribed', () =>
    marbles(({ hot, expectObservable, expectSubscriptions, scheduler }) => {
      const pongs$ = hot('---p');
      expectObservable(pingDouble({ pongs$, close$: NEVER, scheduler }), '^-!').toBe('---');
      expectSubscriptions(pongs$.subscriptions).toBe('^-!');
    }));
});
