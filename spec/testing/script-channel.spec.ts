import { EMPTY, NEVER, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { ConnectionClosedError, message } from 'sluice';
import { testConnection } from 'sluice/testing';
import { finishedSymbol, interceptSymbol, reportSymbol } from '../../src/connection/hooks.js';
import { sizeOf } from '../../src/testing/script-channel.js';
import { marbles } from '../support/marbles.js';

describe('the connection behind testConnection', () => {
  it('carries what operators look for', () =>
    marbles(({ hot, expectObservable, scheduler }) => {
      const conn = testConnection({ messages$: hot('-a|') });
      const hold = conn.hold();
      conn.messages$.subscribe();
      const info = { code: 1000, reason: '', wasClean: true, initiator: 'peer' };
      const finished = new Subject();
      Reflect.get(conn, finishedSymbol).call(conn, { finished: (value: unknown) => finished.next(value) });
      expectObservable(finished).toBe('-----c', { c: info });
      scheduler.schedule(() => hold.unsubscribe(), 5);
    }));

  it('shows messages to those who intercept, and reports', () => {
    const conn = testConnection<string, string>({ messages$: of('a', 'b') });
    const seen: unknown[] = [];
    Reflect.get(conn, interceptSymbol).call(conn, (message: string) => message === 'a');
    conn.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a', 'b']);
    expect(() => Reflect.get(conn, reportSymbol).call(conn, new Error('a'))).not.toThrow();
  });

  it('counts what was received and sent, and what waits', () =>
    marbles(({ hot, scheduler, flush }) => {
      const conn = testConnection<string, string>({
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
      const conn = testConnection<string, number>({ messages$: NEVER });
      const counts: number[] = [];
      conn.sendFrom(Array.from({ length: 1200 }, (_, index) => index)).subscribe((count) => counts.push(count));
      flush();
      expect(counts).toEqual([1200]);
    }));

  it('takes a pong as any connection does, and shows nothing of it', () => {
    const conn = testConnection({ messages$: NEVER });
    expect(() => conn.pong()).not.toThrow();
    expect(() => conn.pong('x'.repeat(126))).toThrow(RangeError);
  });

  it('ends once, though it is terminated and its inputs end too', () =>
    marbles(({ hot, expectObservable, scheduler }) => {
      const conn = testConnection({ messages$: hot('---|'), close$: hot('---c') });
      expectObservable(conn.close$).toBe('--(c|)', {
        c: { code: 1006, reason: '', wasClean: false, initiator: 'local' },
      });
      expectObservable(conn.closed$).toBe('--(c|)', { c: { code: 1006, reason: '' } });
      scheduler.schedule(() => conn.terminate(), 2);
      scheduler.schedule(() => conn.terminate(), 4);
    }));
});

describe('the inbox of a test connection', () => {
  const inputs = (messages$: Subject<string>) => ({ messages$, highWaterMark: 200 });

  it('keeps up to the mark, and leaves the rest unread', () => {
    const messages$ = new Subject<string>();
    const conn = testConnection<string, string>(inputs(messages$));
    for (const each of ['a', 'b', 'c', 'd']) messages$.next(each);
    expect(conn.stats).toMatchObject({ messagesReceived: 4, bytesReceived: 4, inboxBytes: 2 * 129 });
    const seen: string[] = [];
    conn.messages$.subscribe((each) => seen.push(each));
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
  });

  it('tells of each change of demand, and not of its end', () => {
    const messages$ = new Subject<string>();
    const conn = testConnection<string, string>(inputs(messages$));
    const demand: boolean[] = [];
    conn.demand$.subscribe((each) => demand.push(each));
    const first = conn.messages$.subscribe();
    conn.messages$.subscribe().unsubscribe();
    first.unsubscribe();
    conn.messages$.subscribe();
    messages$.complete();
    expect(demand).toEqual([true, false, true]);
  });

  it('takes a message that comes while one is delivered behind it', () => {
    const messages$ = new Subject<string>();
    const conn = testConnection<string, string>(inputs(messages$));
    const seen: string[] = [];
    for (const name of ['1', '2']) {
      conn.messages$.subscribe((each) => {
        seen.push(`${name} ${each}`);
        if (each === 'a' && name === '1') messages$.next('b');
      });
    }
    messages$.next('a');
    expect(seen).toEqual(['1 a', '2 a', '1 b', '2 b']);
  });

  it('is settled once, when what can be delivered is', () => {
    const messages$ = new Subject<string>();
    const conn = testConnection<string, string>(inputs(messages$));
    const closed = jest.fn();
    conn.close$.subscribe(closed);
    messages$.next('a');
    conn.messages$.subscribe(() => {
      messages$.complete();
      expect(closed).not.toHaveBeenCalled();
    });
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('waits for a hold, and no longer than ten seconds', () => {
    const scheduler = new VirtualTimeScheduler();
    const messages$ = new Subject<string>();
    const conn = testConnection<string, string>({ ...inputs(messages$), scheduler });
    const log: unknown[] = [];
    Reflect.get(conn, finishedSymbol).call(conn, { finished: () => log.push('done') });
    const subscription = conn.messages$.subscribe({ complete: () => log.push('complete') });
    conn.hold();
    messages$.next('a');
    messages$.complete();
    expect(log).toEqual([]);
    scheduler.flush();
    expect({ log, now: scheduler.now(), closed: subscription.closed }).toEqual({
      log: ['complete', 'done'],
      now: 10_000,
      closed: true,
    });
  });

  it('forgets what was not read when it is terminated', () => {
    const messages$ = new Subject<string>();
    const conn = testConnection<string, string>(inputs(messages$));
    for (const each of ['a', 'b', 'c', 'd']) messages$.next(each);
    conn.terminate();
    const seen: string[] = [];
    conn.messages$.subscribe((each) => seen.push(each));
    expect(seen).toEqual([]);
  });
});

describe('the way out of a test connection', () => {
  it('tells of each item when it is flushed, and keeps what is sent meanwhile', () => {
    const flushed$ = new Subject<void>();
    const conn = testConnection<string, string>({ flushed$, highWaterMark: 10 });
    const log: string[] = [];
    conn.send.subscribe((item) => (item === 'a' ? conn.send.next('b') : log.push(item)));
    conn.send.next('a');
    conn.flush().subscribe(() => log.push('mark'));
    expect({ waits: conn.bufferedAmount, log }).toEqual({ waits: 1, log: [] });
    flushed$.next();
    expect({ waits: conn.bufferedAmount, log }).toEqual({ waits: 1, log: ['mark'] });
    flushed$.next();
    const { bufferedAmount: waits, bytesSent } = conn;
    expect({ waits, bytesSent, log }).toEqual({ waits: 0, bytesSent: 2, log: ['mark', 'b'] });
  });

  it('is handed over at once without flushed$', () => {
    const conn = testConnection<string, string>();
    const handed = jest.fn();
    conn.send.subscribe(handed);
    conn.send.next('abc');
    conn.flush().subscribe(handed);
    expect(handed).toHaveBeenCalledTimes(2);
    expect(conn.stats).toMatchObject({ messagesSent: 1, messagesDropped: 0, bytesSent: 3 });
  });

  it('lets go of its inputs at the end', () => {
    const inputs = { ready$: new Subject<boolean>(), flushed$: new Subject<void>(), highWaterMark: 1 };
    const conn = testConnection(inputs);
    const complete = jest.fn();
    conn.send.ready$.subscribe({ complete });
    conn.terminate();
    expect({ ready: inputs.ready$.observed, flushed: inputs.flushed$.observed }).toEqual({
      ready: false,
      flushed: false,
    });
    expect(complete).toHaveBeenCalledTimes(1);
    expect(testConnection({ ...inputs, ready$: EMPTY }).send.isReady).toBe(true);
  });

  it('takes what goes to many connections as it is', () => {
    const conn = testConnection<string, string>();
    const sent: unknown[] = [];
    conn.sent$.subscribe((each) => sent.push(each));
    const share = Reflect.get(conn, Symbol.for('sluice.share')) as (shared: { value: string }) => unknown;
    expect(share.call(conn, { value: 'a' })).toBe('sent');
    expect(sent).toEqual(['a']);
  });

  it.each([
    ['é', 2],
    [Buffer.alloc(3), 3],
    [new ArrayBuffer(4), 4],
    [new Blob(['abcde']), 5],
    [message('abcdef'), 6],
    [{ typed: 'value' }, 0],
    [undefined, 0],
  ])('counts %p', (value, size) => {
    expect(sizeOf(value)).toBe(size);
  });
});

describe('a ping of a test connection', () => {
  const info = { code: 1001, reason: 'away', wasClean: true, initiator: 'peer' } as const;

  it('is answered by the next pong, after the time that it took', () =>
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const pongs$ = hot('-p--p-p');
      const conn = testConnection({ pongs$ });
      expectObservable(conn.ping(), '--^').toBe('----(x|)', { x: 2 });
      expectSubscriptions(pongs$.subscriptions).toBe('^');
    }));

  it('errors with the end of the connection', () =>
    marbles(({ hot, expectObservable }) => {
      const error = new ConnectionClosedError(info);
      const conn = testConnection({ pongs$: NEVER, close$: hot('--c', { c: info }) });
      expectObservable(conn.ping()).toBe('--#', undefined, error);
      expectObservable(testConnection({ close$: of(info) }).ping()).toBe('#', undefined, error);
    }));

  it('is forgotten when it is unsubscribed', () =>
    marbles(({ hot, expectObservable, scheduler, flush }) => {
      const conn = testConnection({ pongs$: hot('---p') });
      expectObservable(conn.ping(), '^-!').toBe('---');
      let latency: number | undefined;
      scheduler.schedule(() => {
        latency = conn.latency;
      }, 4);
      flush();
      expect(latency).toBeUndefined();
    }));
});
