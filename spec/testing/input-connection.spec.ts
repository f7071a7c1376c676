import { NEVER, of, Subject } from 'rxjs';
import { finishedSymbol, interceptSymbol, reportSymbol } from '../../src/connection/hooks.js';
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
    Reflect.get(conn, interceptSymbol).call(conn, (message: string) => message === 'a');
    conn.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a', 'b']);
    expect(() => Reflect.get(conn, reportSymbol).call(conn, new Error('a'))).not.toThrow();
  });

  it('counts what was received and sent, and what waits', () =>
    marbles(({ hot, scheduler, flush }) => {
      const conn = new InputConnection<undefined, string, string>({
        messages$: hot('-a--', { a: 'four' }),
        flushed$: hot('---f-'),
      });
      conn.messages$.subscribe();
      conn.send.next('five5');
      const seen: number[][] = [];
      for (const frame of [0, 2, 4]) {
        const look = (): void => void seen.push([conn.bytesReceived, conn.bytesSent, conn.send.bufferedAmount]);
        scheduler.schedule(look, frame);
      }
      flush();
      expect(seen).toEqual([
        [0, 0, 5],
        [4, 0, 5],
        [4, 5, 0],
      ]);
    }));

  it('sends any number of values of an iterable, in later turns too', () =>
    marbles(({ flush }) => {
      const conn = new InputConnection<undefined, string, number>({ messages$: NEVER });
      const counts: number[] = [];
      conn.sendFrom(Array.from({ length: 1200 }, (_, index) => index)).subscribe((count) => counts.push(count));
      flush();
      expect(counts).toEqual([1200]);
    }));

  it('takes a pong as any connection does, and shows nothing of it', () => {
    const conn = new InputConnection({ messages$: NEVER });
    expect(() => conn.pong()).not.toThrow();
    expect(() => conn.pong('x'.repeat(126))).toThrow(RangeError);
  });

  it('ends once, though it is terminated and its inputs end too', () =>
    marbles(({ hot, expectObservable, scheduler }) => {
      const conn = new InputConnection({ messages$: hot('---|'), close$: hot('---c') });
      expectObservable(conn.close$).toBe('--(c|)', {
        c: { code: 1006, reason: '', wasClean: false, initiator: 'local' },
      });
      expectObservable(conn.closed$).toBe('--(c|)', { c: { code: 1006, reason: '' } });
      scheduler.schedule(() => conn.terminate(), 2);
      scheduler.schedule(() => conn.terminate(), 4);
    }));
});
