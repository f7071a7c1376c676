import { of, ReplaySubject } from 'rxjs';
import type { Connection } from 'sluice';
import { intercept, isOpen, sessionsOf } from '../../src/operators/sessions-of.js';
import { text } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';

const sessionsKey: unique symbol = Symbol.for('sluice.sessions') as never;

describe('the sessions', () => {
  it('of a connection are itself', () => {
    const { connection } = memoryConnection();
    const seen: unknown[] = [];
    sessionsOf(connection as Connection).subscribe((session) => seen.push(session));
    expect(seen).toEqual([connection]);
  });

  it('of a persistent one are those that are open', () => {
    const sessions$ = new ReplaySubject<Connection>(1);
    const [dead, live] = [memoryConnection(), memoryConnection()];
    dead.port.reset();
    sessions$.next(dead.connection);
    const seen: unknown[] = [];
    sessionsOf({ [sessionsKey]: sessions$ } as never).subscribe((session) => seen.push(session));
    sessions$.next(live.connection);
    expect(seen).toEqual([live.connection]);
    expect([isOpen(dead.connection), isOpen(live.connection)]).toEqual([false, true]);
  });
});

describe('an interception', () => {
  it('takes messages out of a connection before they are queued', () => {
    const { connection, peer } = memoryConnection();
    const taken: unknown[] = [];
    const interception = intercept('it', connection, (message) => taken.push(message) > 0);
    peer(text('a'));
    interception.unsubscribe();
    peer(text('b'));
    const seen: unknown[] = [];
    connection.messages$.subscribe((message) => seen.push(message));
    expect([taken, seen]).toEqual([['a'], ['b']]);
  });

  it('is refused where there is no inbox of ours', () => {
    const foreign = { messages$: of('a') };
    expect(() => intercept('it', foreign, () => true)).toThrow(/^it needs a connection of sluice/);
  });
});
