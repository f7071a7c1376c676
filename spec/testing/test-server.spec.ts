import { concat, EMPTY, firstValueFrom, map, NEVER, of, Subscription } from 'rxjs';
import { type Connection, handleConnections, json, sendTo, withCodec } from 'sluice';
import { connectionPair, stallReads, testConnection, testServer } from 'sluice/testing';
import { marbles } from '../support/marbles.js';

describe('a test server', () => {
  it('emits connections when they come, and runs what an application makes of them', () =>
    marbles(({ hot, expectObservable }) => {
      const a = testConnection({ messages$: hot('-x-x-|') });
      const b = testConnection({ messages$: hot('----y-|') });
      const server = testServer(hot('a--b', { a, b }));
      server.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
      expectObservable(a.sent$).toBe('-x-x-|');
      expectObservable(b.sent$).toBe('----y-|');
      expectObservable(b.demand$).toBe('---t--|', { t: true });
    }));

  it('closes with 1001 when the last of its subscribers has left', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const conn = testConnection();
      const source$ = cold('-a', { a: conn });
      const server = testServer(source$);
      expectObservable(server, '^--!').toBe('-a', { a: conn });
      expectObservable(server, '--^--!').toBe('--');
      expectSubscriptions(source$.subscriptions).toBe('^----!');
      expectObservable(conn.closed$).toBe('-----(c|)', { c: { code: 1001, reason: '' } });
    }));

  it('completes and errors with its source, and is cold again', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold<never>('-|');
      const server = testServer(source$);
      expectObservable(server).toBe('-|');
      expectObservable(server, '--^').toBe('---|');
      expectSubscriptions(source$.subscriptions).toBe(['^!', '--^!']);
      expectObservable(testServer(cold<never>('--#'))).toBe('--#');
    }));

  it('has a listening$ and an address while it is subscribed to', () =>
    marbles(({ expectObservable, scheduler }) => {
      const server = testServer(NEVER);
      const address = { address: '127.0.0.1', family: 'IPv4', port: 8080 };
      expectObservable(server.listening$).toBe('--a--|', { a: address });
      expect(server.address()).toBeNull();
      const subscription = new Subscription();
      scheduler.schedule(() => subscription.add(server.subscribe()), 2);
      scheduler.schedule(() => expect(server.address()).toEqual(address), 3);
      scheduler.schedule(() => subscription.unsubscribe(), 5);
    }));

  it('ends gracefully: completes, closes its connections, and says when they are gone', () =>
    marbles(({ hot, scheduler, expectObservable }) => {
      const a = testConnection();
      const b = testConnection();
      const server = testServer(hot('-(ab)', { a, b }));
      expectObservable(server).toBe('-(ab)-----|', { a, b });
      const log: unknown[] = [];
      scheduler.schedule(() => {
        log.push(server.connections.size);
        server.close({ code: 1012, reason: 'restart' }).subscribe((result) => log.push(result, scheduler.now()));
      }, 10);
      scheduler.schedule(() => expect(log).toEqual([2, { remaining: 0 }, 10]), 11);
      for (const conn of [a, b]) {
        expectObservable(conn.closed$).toBe('----------(c|)', { c: { code: 1012, reason: 'restart' } });
      }
    }));

  it('terminates those that do not close in time', () =>
    marbles(({ scheduler, flush }) => {
      const { client, server: end } = connectionPair();
      stallReads(client);
      const server = testServer(concat(of(end), NEVER));
      server.subscribe();
      const log: unknown[] = [];
      server.close({ timeout: 50 }).subscribe((result) => log.push(result, scheduler.now()));
      flush();
      expect([log, end.readyState]).toEqual([[{ remaining: 1 }, 50], 3]);
    }));

  it('spreads the closing evenly', () =>
    marbles(({ scheduler, flush }) => {
      const conns = Array.from({ length: 20 }, () => testConnection());
      const server = testServer(concat(of(...conns), NEVER));
      server.subscribe();
      const times = new Set<number>();
      for (const conn of conns) conn.closed$.subscribe(() => times.add(scheduler.now()));
      server.close({ jitter: 1_000 });
      flush();
      expect([...times]).toEqual(conns.map((_, index) => index * 50));
    }));

  it('has nothing to wait for without connections', async () => {
    const server = testServer(NEVER);
    server.subscribe();
    expect(await firstValueFrom(server.close())).toEqual({ remaining: 0 });
  });

  it('is disposed of', async () => {
    const conn = testConnection();
    const server = testServer(concat(of(conn), NEVER));
    server.subscribe();
    await server[Symbol.asyncDispose]();
    expect(server.address()).toBeNull();
  });

  it('takes connections of any kind', () => {
    const typed = of<Connection<undefined>>(testConnection()).pipe(map(withCodec(json<{ a: 1 }>())));
    const seen: unknown[] = [];
    testServer(typed).subscribe((conn) => seen.push(conn.data));
    testServer(EMPTY).subscribe();
    expect(seen).toEqual([undefined]);
  });
});
