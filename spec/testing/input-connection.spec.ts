import { of, Subject } from 'rxjs';
import { finishedSymbol, interceptSymbol, reportSymbol } from '../../src/protocol/connection-symbols.js';
import { InputConnection } from '../../src/testing/input-connection.js';
import { marbles } from '../support/marbles.js';

describe('the connection behind testConnection', () => {
  it('carries what operators look for', () =>
    marbles(({ hot, expectObservable, scheduler }) => {
      const conn = new InputConnection({ messages$: hot('-a|') });
      const hold = conn.hold();
      conn.messages$.subscribe();
      const info = { code: 1000, reason: '', wasClean: true, initiator: 'peer' };
      const finished = new Subject();
      Reflect.get(conn, finishedSymbol).call(conn, { told: (value: unknown) => finished.next(value) });
      expectObservable(finished).toBe('-----c', { c: info });
      scheduler.schedule(() => hold.unsubscribe(), 5);
    }));

  it('shows messages to those who intercept, and reports', () => {
    const conn = new InputConnection<undefined, string, string>({ messages$: of('a', 'b') });
    const seen: unknown[] = [];
    Reflect.get(conn, interceptSymbol).call(conn, (message: string) => message === 'a', false);
    conn.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a', 'b']);
    expect(() => Reflect.get(conn, reportSymbol).call(conn, new Error('a'))).not.toThrow();
  });
});
