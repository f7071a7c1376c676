import { expectTypeOf } from 'expect-type';
import { concatMap, firstValueFrom, NEVER, type Observable, of, range, take, throwError } from 'rxjs';
import { type Connection, demandMap, gate, handleConnections, type Outgoing, sendTo } from 'sluice';
import { type TestConnection, testConnection } from 'sluice/testing';
import { marbles } from '../support/marbles.js';

const bool = { t: true, f: false };
const peer = (code: number) => ({ code, reason: '', wasClean: true, initiator: 'peer' }) as const;

describe('the messages of a test connection', () => {
  it('go to the application, and what it does is shown', () =>
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const messages$ = hot('-a-b-|');
      const conn = testConnection({ messages$ });
      conn.messages$.pipe(sendTo(conn)).subscribe();
      expectObservable(conn.sent$).toBe('-a-b-|');
      expectObservable(conn.demand$).toBe('t----|', bool);
      expectSubscriptions(messages$.subscriptions).toBe('^----!');
    }));

  it('wait without demand, in order, and so does their end', () =>
    marbles(({ hot, expectObservable }) => {
      const conn = testConnection({ messages$: hot('-a-b-|') });
      expectObservable(conn.messages$, '-------^').toBe('-------(ab|)');
      expectObservable(conn.close$).toBe('-----(c|)', { c: peer(1000) });
    }));

  it('wait while they are held: demand$ shows it', () =>
    marbles(({ hot, expectObservable, scheduler }) => {
      const conn = testConnection({ messages$: hot('-a-b-c-') });
      conn.messages$.pipe(sendTo(conn)).subscribe();
      scheduler.schedule(() => conn.pause(), 2);
      scheduler.schedule(() => conn.resume(), 5);
      expectObservable(conn.sent$).toBe('-a---(bc)');
      expectObservable(conn.demand$).toBe('t-f--t', bool);
    }));

  it('are subscribed to once, when it is made, however many want them', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const messages$ = cold('-a-b-');
      const conn = testConnection({ messages$ });
      expectObservable(conn.messages$, '^-!').toBe('-a-');
      expectObservable(conn.messages$, '^').toBe(' -a-b-');
      expectSubscriptions(messages$.subscriptions).toBe('^');
    }));

  it('may all be there at once, however many they are', () => {
    const conn = testConnection<number>({ messages$: range(0, 200_000) });
    let count = 0;
    conn.messages$.pipe(take(1)).subscribe(() => count++);
    expect(count).toBe(1);
    conn.messages$.subscribe(() => count++);
    expect(count).toBe(200_000);
  });

  it('hold with demandMap and gate', () =>
    marbles(({ hot, cold, expectObservable }) => {
      const conn = testConnection({ messages$: hot('-ab---') });
      expectObservable(conn.messages$.pipe(demandMap((x) => cold('----x-|', { x })))).toBe('-----a-----b');
      expectObservable(conn.demand$).toBe('tf-----(tf)--t', bool);
      const gated = testConnection({ messages$: hot('-ab') });
      expectObservable(gated.messages$.pipe(gate(hot('---t', bool)))).toBe('---(ab)');
    }));

  it('are lost with the connection when they error', () =>
    marbles(({ cold, expectObservable }) => {
      const error = new Error('read ECONNRESET');
      const conn = testConnection({ messages$: cold('-a-#', undefined, error) });
      expectObservable(conn.messages$).toBe('-a-|');
      const lost = { code: 1006, reason: '', wasClean: false, initiator: 'peer', error };
      expectObservable(conn.close$).toBe('---(c|)', { c: lost });
    }));

  it('are iterated over', async () => {
    const seen: unknown[] = [];
    for await (const message of testConnection({ messages$: of('a', 'b') })) seen.push(message);
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('the end of a test connection', () => {
  it.each([
    [4000, peer(4000)],
    ['c', peer(1000)],
    [
      { code: 1001, reason: 'away' },
      { ...peer(1001), reason: 'away' },
    ],
    [{ code: 1006 }, { ...peer(1006), wasClean: false }],
  ])('by the peer is what close$ says: %p', (how, info) =>
    marbles(({ hot, expectObservable }) => {
      const conn = testConnection({ messages$: hot('-a-|'), close$: hot('----c', { c: how }) });
      expectObservable(conn.messages$).toBe('-a--|');
      expectObservable(conn.close$).toBe('----(c|)', { c: info });
      expectObservable(conn.sent$).toBe('----|');
      expectObservable(conn.closed$).toBe('----|');
      expectObservable(conn.send).toBe('----|');
      expectObservable(conn.send.ready$).toBe('t---|', bool);
    }),
  );

  it('by the application is shown in closed$, and answered in the same frame', () =>
    marbles(({ scheduler, expectObservable }) => {
      const conn = testConnection();
      scheduler.schedule(() => {
        conn.close(3000, 'why');
        expect([conn.readyState, conn.trySend('a')]).toEqual([2, 'closed']);
      }, 2);
      expectObservable(conn.closed$).toBe('--(c|)', { c: { code: 3000, reason: 'why' } });
      const info = { code: 3000, reason: 'why', wasClean: true, initiator: 'local' };
      expectObservable(conn.close$).toBe('--(c|)', { c: info });
    }));

  it('is an end at once by terminate, and drops what waits', () =>
    marbles(({ expectObservable }) => {
      const conn = testConnection({ messages$: of('a', 'b'), close$: NEVER });
      conn.terminate();
      conn.terminate();
      expect([conn.readyState, conn.stats.inboxBytes]).toEqual([3, 0]);
      expectObservable(conn.messages$).toBe('|');
      expectObservable(conn.closed$).toBe('(c|)', { c: { code: 1006, reason: '' } });
    }));

  it('may have a reason that is an error of send', () =>
    marbles(({ expectObservable }) => {
      const conn = testConnection();
      const error = Object.assign(new Error('full'), { code: 1013, reason: 'x'.repeat(200) });
      throwError(() => error).subscribe(conn.send);
      expectObservable(conn.closed$).toBe('(c|)', { c: { code: 1013, reason: 'x'.repeat(123) } });
    }));

  it('takes only what a real one takes', () => {
    expect(() => testConnection().close(1006)).toThrow(RangeError);
    expect(() => testConnection().ping('x'.repeat(126))).toThrow(RangeError);
    expect(() => testConnection().pong('x'.repeat(126))).toThrow(RangeError);
  });

  it('ends a handler as that of a real one', () =>
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const conn = testConnection({ messages$: hot('-a-|') });
      const work$ = cold('------------');
      const handled$ = of(conn).pipe(handleConnections(() => work$, { closeTimeout: 5 }));
      expectObservable(handled$).toBe('--------|');
      expectSubscriptions(work$.subscriptions).toBe('^-------!');
    }));

  it('drops what is held for longer than ten seconds', () =>
    marbles(({ hot, expectObservable }) => {
      const conn = testConnection({ messages$: hot('-a-|') });
      conn.hold();
      expectObservable(conn.messages$).toBe('3ms 10s |');
      expectObservable(conn.close$).toBe('---(c|)', { c: peer(1000) });
    }));

  it('is reached by disposing of it', async () => {
    const conn = testConnection();
    await conn[Symbol.asyncDispose]();
    expect(await firstValueFrom(conn.closed$)).toEqual({ code: 1000, reason: '' });
  });
});

describe('sending on a test connection', () => {
  it('is shown at once, and handed over when flushed$ says so', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const conn = testConnection({ flushed$: hot('----x---x') });
      cold('-a-b-c').subscribe((text) => conn.send.next(text));
      expectObservable(conn.sent$).toBe('-a-b-c');
      expectObservable(conn.send).toBe('----(ab)c');
      expectObservable(conn.flush(), '--^').toBe('----(u|)', { u: undefined });
    }));

  it('is paced by ready$', () =>
    marbles(({ hot, cold, expectObservable }) => {
      const conn = testConnection({ ready$: hot('-f--f-t', bool) });
      expectObservable(conn.send.ready$).toBe('tf----t', bool);
      const sent$ = cold('--x').pipe(concatMap(() => conn.sendFrom(['a', 'b'])));
      expectObservable(sent$).toBe('------2', { 2: 2 });
      expectObservable(conn.sent$).toBe('------(ab)');
    }));

  it('is paced by what is not flushed, at the mark', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const conn = testConnection({ flushed$: hot('----x'), highWaterMark: 3 });
      cold('-a-b').subscribe(() => conn.send.next('xx'));
      expectObservable(conn.send.ready$).toBe('t--ft', bool);
    }));

  it('tells what became of it', () => {
    const conn = testConnection({ flushed$: NEVER });
    expect({ a: conn.trySend('a'), b: conn.trySend('b'), bufferedAmount: conn.bufferedAmount }).toEqual({
      a: 'sent',
      b: 'buffered',
      bufferedAmount: 2,
    });
    expect(conn.stats).toMatchObject({ messagesSent: 2, bytesSent: 0, messagesDropped: 0 });
  });
});

describe('pings of a test connection', () => {
  it('come from the peer, and are answered by its pongs', () =>
    marbles(({ hot, expectObservable }) => {
      const conn = testConnection({ pings$: hot('-p'), pongs$: hot('---q-q') });
      expectObservable(conn.pings$).toBe('-p', { p: Buffer.from('p') });
      expectObservable(conn.ping(), '--^').toBe('---(x|)', { x: 1 });
    }));

  it('are answered at once without pongs$', () =>
    marbles(({ expectObservable, scheduler }) => {
      const conn = testConnection();
      expectObservable(conn.ping()).toBe('(x|)', { x: 0 });
      scheduler.schedule(() => expect(conn.latency).toBe(0), 1);
    }));
});

describe('the facts of a test connection', () => {
  it('are those of its inputs, with their types', () => {
    const conn = testConnection({ data: { user: 'a' }, url: '/room', protocol: 'chat' });
    expect({ user: conn.data.user, url: conn.url, protocol: conn.protocol, readyState: conn.readyState }).toEqual({
      user: 'a',
      url: '/room',
      protocol: 'chat',
      readyState: 1,
    });
    expectTypeOf(conn).toExtend<Connection<{ user: string }>>();
    expectTypeOf(testConnection()).toEqualTypeOf<TestConnection<undefined, string | Uint8Array, Outgoing>>();
    expectTypeOf(testConnection<1, 2>().sent$).toEqualTypeOf<Observable<2>>();
  });

  it('make every input optional', () =>
    marbles(({ expectObservable }) => {
      const conn = testConnection();
      expectObservable(conn.messages$).toBe('');
      expectObservable(conn.close$).toBe('');
    }));
});
