import { expectTypeOf } from 'expect-type';
import { concatMap, delay, firstValueFrom, map, of, timer } from 'rxjs';
import { type CloseInfo, type Connection, fragments, message, sendTo } from 'sluice';
import { type ConnectionPair, connectionPair } from 'sluice/testing';
import { portOf } from '../../src/testing/connection-pair.js';
import { marbles } from '../support/marbles.js';

const MANY = 20_000;

describe('a pair of connections', () => {
  it('carries messages both ways at once, through the real protocol', () =>
    marbles(({ cold, expectObservable }) => {
      const { client, server } = connectionPair();
      server.messages$.pipe(sendTo(server)).subscribe();
      cold('-a-b-').subscribe((text) => client.send.next(text));
      expectObservable(client.messages$).toBe('-a-b-');
      expectObservable(timer(9).pipe(map(() => [client.bytesSent, server.bytesSent]))).toBe('---------(x|)', {
        x: [14, 6],
      });
    }));

  it('delivers before send returns, without a scheduler at work', () => {
    const { client, server } = connectionPair();
    const seen: unknown[] = [];
    server.messages$.subscribe((each) => seen.push(each));
    client.send.next('a');
    client.send.next(Buffer.from([1, 2]));
    client.send.next(message('b', { binary: true }));
    client.send.next(fragments(['c', 'd']));
    expect(seen).toEqual(['a', Buffer.from([1, 2]), Buffer.from('b'), 'cd']);
    for (const conn of [client, server]) conn.terminate();
  });

  it('closes in one frame, cleanly, with the order of an end', () =>
    marbles(({ scheduler, expectObservable }) => {
      const { client, server } = connectionPair();
      scheduler.schedule(() => server.close(3000, 'why'), 2);
      const how = { code: 3000, reason: 'why', wasClean: true } as const;
      expectObservable(client.messages$).toBe('--|');
      expectObservable(client.close$).toBe('--(c|)', { c: { ...how, initiator: 'peer' } });
      expectObservable(server.messages$).toBe('--|');
      expectObservable(server.close$).toBe('--(c|)', { c: { ...how, reason: '', initiator: 'local' } });
    }));

  it('tells the peer of a reset when one end is terminated', () =>
    marbles(({ flush }) => {
      const { client, server } = connectionPair();
      const infos: CloseInfo[] = [];
      for (const conn of [client, server]) conn.close$.subscribe((info) => infos.push(info));
      client.terminate();
      flush();
      expect(infos).toEqual([
        { code: 1006, reason: '', wasClean: false, initiator: 'local' },
        expect.objectContaining({
          code: 1006,
          initiator: 'peer',
          error: expect.objectContaining({ code: 'ECONNRESET' }),
        }),
      ]);
    }));

  it('echoes without growing the stack', () => {
    const { client, server } = connectionPair();
    let count = 0;
    let depth = 0;
    let deepest = 0;
    server.messages$.pipe(sendTo(server)).subscribe();
    client.messages$.subscribe((each) => {
      deepest = Math.max(deepest, ++depth);
      if (++count < MANY) client.send.next(each);
      depth--;
    });
    client.send.next('a');
    expect([count, deepest]).toEqual([MANY, 1]);
  });

  it('holds back what nobody wants, up to the marks of both ends, and lets it flow again', () =>
    marbles(({ scheduler, expectObservable, flush }) => {
      const { client, server } = connectionPair({ socketBuffer: 1000, client: { highWaterMark: 1000 } });
      expectObservable(client.send.ready$).toBe('f----t', { t: true, f: false });
      let count = 0;
      for (let i = 0; i < 300; i++) client.send.next('x'.repeat(1000));
      expect(server.stats.inboxBytes).toBeGreaterThan(65_536);
      expect(client.bufferedAmount).toBeGreaterThan(200_000);
      scheduler.schedule(() => server.messages$.subscribe(() => count++), 5);
      flush();
      expect([count, client.bufferedAmount]).toEqual([300, 0]);
    }));

  it('has the limits of its options, and their errors', () =>
    marbles(({ flush }) => {
      const { client, server } = connectionPair({ server: { maxPayload: 10 } });
      const codes: number[] = [];
      client.close$.subscribe(({ code }) => codes.push(code));
      server.ignoreMessages();
      client.send.next('x'.repeat(11));
      flush();
      expect(codes).toEqual([1009]);
      expect(() => connectionPair({ client: { maxPayload: 0 } })).toThrow(RangeError);
    }));

  it('has virtual timers within run, and a heartbeat only if asked for', () =>
    marbles(({ scheduler, flush }) => {
      const pings: number[] = [];
      const { client, server } = connectionPair({ client: { heartbeat: { interval: 1_000, timeout: 500 } } });
      for (const conn of [client, server]) conn.ignoreMessages();
      server.pings$.subscribe(() => pings.push(scheduler.now()));
      scheduler.schedule(() => client.close(), 60_000);
      flush();
      expect(pings.length).toBeGreaterThanOrEqual(59);
      expect(scheduler.now()).toBe(60_000);
    }));

  it('serves handlers that take their time', () =>
    marbles(({ cold, expectObservable }) => {
      const { client, server } = connectionPair();
      server.messages$
        .pipe(
          concatMap((each) => of(each).pipe(delay(2))),
          sendTo(server),
        )
        .subscribe();
      cold('-(ab)').subscribe((text) => client.send.next(text));
      expectObservable(client.messages$).toBe('---a-b');
    }));

  it('has the facts of its options, and their types', () => {
    const pair = connectionPair({ data: { user: 'a' }, url: '/room', protocol: 'chat' });
    expectTypeOf(pair).toEqualTypeOf<ConnectionPair<{ user: string }>>();
    expectTypeOf(pair.server).toEqualTypeOf<Connection<{ user: string }>>();
    expect({ user: pair.server.data.user, url: pair.client.url, protocol: pair.server.protocol }).toEqual({
      user: 'a',
      url: '/room',
      protocol: 'chat',
    });
    expect([pair.client.protocol, pair.client.data]).toEqual(['chat', undefined]);
  });

  it.each([
    [{}, { server_no_context_takeover: true, client_no_context_takeover: true }],
    [
      { client: { perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false } } },
      { server_no_context_takeover: true, client_no_context_takeover: true },
    ],
    [
      {
        client: { perMessageDeflate: { serverNoContextTakeover: false, serverMaxWindowBits: 12 } },
        server: { perMessageDeflate: { serverNoContextTakeover: false, clientMaxWindowBits: 10 } },
      },
      { client_no_context_takeover: true, server_max_window_bits: 12, client_max_window_bits: 10 },
    ],
  ])('agrees to permessage-deflate as its options say: %j', (options, parameters) => {
    const { client, server } = connectionPair(options);
    const extensions = { 'permessage-deflate': [parameters] };
    expect([client.extensions, server.extensions]).toEqual([extensions, extensions]);
    const seen: unknown[] = [];
    for (const conn of [client, server]) conn.messages$.subscribe((each) => seen.push(each));
    for (let i = 0; i < 3; i++) for (const conn of [client, server]) conn.send.next('abc'.repeat(1000));
    expect(seen).toEqual(Array.from({ length: 6 }, () => 'abc'.repeat(1000)));
    for (const conn of [client, server]) expect(conn.bytesSent).toBeLessThan(300);
    for (const conn of [client, server]) conn.terminate();
  });

  it.each(['client', 'server'])('agrees to nothing where the %s does not want it', (end) => {
    const { client, server } = connectionPair({ [end]: { perMessageDeflate: false } });
    expect([client.extensions, server.extensions]).toEqual([{}, {}]);
    server.ignoreMessages();
    client.send.next('a'.repeat(2000));
    expect(client.bytesSent).toBeGreaterThan(2000);
    for (const conn of [client, server]) conn.terminate();
  });

  it('compresses long messages before send returns too, in order', () =>
    marbles(({ cold, expectObservable }) => {
      const { client, server } = connectionPair();
      const values = { a: 'a'.repeat(300_000), b: 'b', c: Buffer.alloc(200_000, 'c') };
      server.messages$.pipe(sendTo(server)).subscribe();
      cold('-(abc)-a', values).subscribe((each) => client.send.next(each));
      expectObservable(client.messages$).toBe('-(abc)-a', values);
    }));

  it('works outside of virtual time as well', async () => {
    const { client, server } = connectionPair();
    of('a', 'b').subscribe(server.send);
    const seen: unknown[] = [];
    for await (const each of client) seen.push(each);
    expect(seen).toEqual(['a', 'b']);
    for (const conn of [client, server]) expect(await firstValueFrom(conn.close$)).toMatchObject({ code: 1000 });
  });
});

describe('the end of the network of a connection', () => {
  it('is known for both ends of a pair, and nothing else', () => {
    const { client } = connectionPair();
    expect(portOf('reset', client)).toBeDefined();
    expect(() => portOf('reset', {})).toThrow(
      expect.objectContaining({ code: 'NOT_A_PAIR', message: expect.stringMatching(/^reset /) }),
    );
  });
});
