import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expectTypeOf } from 'expect-type';
import {
  EMPTY,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  of,
  Subject,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { type Connection, connect, handleConnections, link, reconnect, sendTo, serve, UsageError } from 'sluice';
import { testConnect, testConnection } from 'sluice/testing';
import { noise } from '../support/compressible.js';
import { endAfterEach } from '../support/end-after-each.js';
import { binary, close, closeOf, frame, text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { marbleConnection } from '../support/marble-connection.js';
import { marbles } from '../support/marbles.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, rawServer } from '../support/raw-server.js';
import { until } from '../support/until.js';

const LOCAL = { port: 0, host: '127.0.0.1' } as const;

/** Both ends of a proxy over memory: a server's connection, and a client's. */
function ends(): [MemoryConnection, MemoryConnection] {
  return [memoryConnection({ role: 'server' }), memoryConnection({ role: 'client' })];
}

/** The text of all messages that were sent, in order. */
function textsSent({ port }: MemoryConnection): string[] {
  return port.frames.filter(({ opcode }) => opcode <= 2).map(({ payload }) => payload.toString());
}

/** The code and reason of the Close frame that was sent. */
function closeSent({ port }: MemoryConnection): [number, string] | undefined {
  const found = port.frames.find(({ opcode }) => opcode === 8);
  if (found === undefined) return undefined;
  return [found.payload.readUInt16BE(), found.payload.toString('utf8', 2)];
}

describe('link', () => {
  guardProcess();

  it('passes text and binary messages on, both ways, and what waited first', () => {
    const [a, b] = ends();
    a.peer(text('waited'));
    link(a.connection, b.connection).subscribe();
    a.peer(text('to b'), binary(Buffer.from([0xff])));
    b.peer(text('to a'));
    expect(b.port.frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
      [1, 'waited'],
      [1, 'to b'],
      [2, '\xff'],
    ]);
    expect(textsSent(a)).toEqual(['to a']);
  });

  it('leaves pings to each connection', () => {
    const [a, b] = ends();
    link(a.connection, b.connection).subscribe();
    a.peer(frame(9, 'p'));
    expect(a.port.frames.map(({ opcode }) => opcode)).toEqual([10]);
    expect(b.port.frames).toEqual([]);
  });

  it.each(['to b', 'to a'])('pauses one while the other does not take more (%s)', (direction) => {
    const [a, b] = ends();
    const [fast, slow] = direction === 'to b' ? [a, b] : [b, a];
    link(a.connection, b.connection).subscribe();
    slow.port.block();
    const block = 'x'.repeat(50_000);
    for (const name of ['1', '2', '3', '4', '5']) fast.peer(text(name + block));
    // Two are above the mark of what may wait to be sent, two more above that of what is read ahead.
    expect(slow.connection.bufferedAmount).toBeLessThan(2 * 50_100);
    expect(fast.connection.stats.inboxBytes).toBeLessThanOrEqual(65_536 + 50_200);
    expect(fast.port.isPaused).toBe(true);
    expect(slow.port.isPaused).toBe(false);
    slow.port.drain();
    for (let turn = 0; turn < 10; turn++) fast.turn();
    expect(textsSent(slow).map((message) => message[0])).toEqual(['1', '2', '3', '4', '5']);
    expect(fast.port.isPaused).toBe(false);
  });

  describe('the end of one', () => {
    const endings: readonly [string, (from: MemoryConnection) => void, [number, string]][] = [
      ['1000', (from) => from.peer(close(1000, 'done')), [1000, 'done']],
      ['a code of the application with its reason', (from) => from.peer(close(4001, 'moved')), [4001, 'moved']],
      ['1011', (from) => from.peer(close(1011)), [1011, '']],
      ['a close without a code as 1000', (from) => from.peer(closeOf()), [1000, '']],
      ['a reset as 1014', (from) => from.port.reset(), [1014, '']],
      ['a lost peer as 1014', (from) => from.port.finish(), [1014, '']],
    ];

    it.each(endings)('is passed on: %s', (_, end, expected) => {
      for (const [from, to] of [ends(), ends().reverse()] as [MemoryConnection, MemoryConnection][]) {
        link(from.connection, to.connection).subscribe();
        end(from);
        // The server ends the transport first, a client's peer does it for us.
        from.port.finish();
        from.turn();
        expect(closeSent(to)).toEqual(expected);
      }
    });

    it('is passed on with the code of our failure when the peer broke the protocol', () => {
      const [a, b] = ends();
      link(a.connection, b.connection).subscribe();
      a.peer(frame(3));
      a.port.finish();
      a.turn();
      expect(closeSent(a)?.[0]).toBe(1002);
      expect(closeSent(b)?.[0]).toBe(1002);
    });

    it('comes after its messages, however long the other does not take them', () => {
      const [a, b] = ends();
      link(a.connection, b.connection).subscribe();
      b.port.block();
      a.peer(text('x'.repeat(70_000)), text('last'), close(4001, 'bye'));
      a.port.finish();
      a.turn();
      expect(a.closeInfos.map(({ code }) => code)).toEqual([4001]);
      expect(closeSent(b)).toBeUndefined();
      b.port.drain();
      expect(textsSent(b).at(-1)).toBe('last');
      expect(closeSent(b)).toEqual([4001, 'bye']);
    });

    it('before the link closes the other at once', () => {
      const [a, b] = ends();
      a.peer(text('left'), close(4002));
      a.port.finish();
      a.turn();
      let isComplete = false;
      link(a.connection, b.connection).subscribe({ complete: () => (isComplete = true) });
      expect(textsSent(b)).toEqual(['left']);
      expect(closeSent(b)).toEqual([4002, '']);
      expect(isComplete).toBe(false);
    });
  });

  it('completes when both have ended, and never errors', () => {
    const [a, b] = ends();
    const log: string[] = [];
    link(a.connection, b.connection).subscribe({
      error: () => log.push('error'),
      complete: () => log.push('complete'),
    });
    a.port.reset();
    expect(log).toEqual([]);
    b.port.reset();
    expect(log).toEqual(['complete']);
  });

  it('closes both with 1001 when it is unsubscribed', () => {
    const [a, b] = ends();
    link(a.connection, b.connection).subscribe().unsubscribe();
    expect([closeSent(a), closeSent(b)]).toEqual([
      [1001, ''],
      [1001, ''],
    ]);
  });

  it('does nothing before it is subscribed', () => {
    const [a, b] = ends();
    link(a.connection, b.connection);
    a.peer(text('waits'));
    expect(b.port.frames).toEqual([]);
    expect(a.connection.stats.inboxBytes).toBeGreaterThan(0);
  });

  it('holds a connection by its interface, whatever its messages$ carries', () => {
    const [a, b] = ends();
    const loud = Object.create(a.connection, {
      messages$: { value: a.connection.messages$.pipe(map((message) => `${message}!`)) },
      send: { value: a.connection.send },
      hold: { value: () => a.connection.hold() },
      close$: { value: a.connection.close$ },
      close: { value: (...args: [number, string]) => a.connection.close(...args) },
    }) as Connection;
    link(loud, b.connection).subscribe();
    a.peer(text('hi'));
    expect(textsSent(b)).toEqual(['hi!']);
  });

  it('emits never, and links what one receives only to what the other sends', () => {
    const plain = {} as Connection;
    const numbers = {} as Connection<unknown, number, number>;
    expectTypeOf<ReturnType<typeof link<string, string, string, string>>>().toEqualTypeOf<Observable<never>>();
    expectTypeOf(() => link(plain, plain)).returns.toEqualTypeOf<Observable<never>>();
    expectTypeOf(() => link(numbers, numbers)).returns.toEqualTypeOf<Observable<never>>();
    // @ts-expect-error: numbers cannot be sent as they are.
    expectTypeOf(() => link(numbers, plain)).returns.toEqualTypeOf<Observable<never>>();
  });
});

describe('link to a connection that has to be dialed', () => {
  guardProcess();
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:9000'), { code: 'ECONNREFUSED' });
  const unreachable = { code: 1014, reason: 'the upstream cannot be reached' };

  it('holds what comes while it dials, passes it on in order, and passes on the end', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const a = testConnection({ messages$: hot<string>('-m--n-----o--|') });
      const b = testConnection({ messages$: hot<string>('-------r-----') });
      const dial$ = cold('                                ------b------', { b });
      expectObservable(link(a, dial$)).toBe('             -------------|');
      expectObservable(b.sent$).toBe('                    ------(mn)o--|');
      expectObservable(a.sent$).toBe('                    -------r-----|');
      expectObservable(b.closed$).toBe('                  -------------(c|)', { c: { code: 1000, reason: '' } });
    }));

  it('holds for other subscribers too, so that the upstream misses nothing', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const a = testConnection({ messages$: hot<string>('-mn---') });
      const b = testConnection();
      const seen$ = a.messages$.pipe(tap(() => {}));
      expectObservable(merge(seen$, link(a, cold('---b', { b })))).toBe('---(mn)');
      expectObservable(b.sent$).toBe('---(mn)');
    }));

  it('closes with 1014 and a reason that says nothing of the upstream when the dial fails, and completes', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const a = testConnection({ messages$: hot<string>('-m--') });
      expectObservable(link(a, cold<Connection>('--#', {}, refused))).toBe('--|');
      expectObservable(a.closed$).toBe('--(c|)', { c: unreachable });
      expectObservable(a.sent$).toBe('--|');
    }));

  it('closes with 1014 when the dial completes without a connection', () =>
    marbles(({ expectObservable }) => {
      const a = testConnection();
      expectObservable(link(a, EMPTY)).toBe('|');
      expectObservable(a.closed$).toBe('(c|)', { c: unreachable });
    }));

  it('completes when a connection is lost: 1014 goes to the other, and no error comes out', () =>
    marbles(({ hot, expectObservable }) => {
      const a = testConnection();
      const b = testConnection({ messages$: hot<string>('--#') });
      expectObservable(link(a, testConnect([b]))).toBe('--|');
      expectObservable(a.closed$).toBe('--(c|)', { c: { code: 1014, reason: '' } });
    }));

  it('aborts the dial when the client leaves, and completes', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      for (const leaving of ['---|', '---#']) {
        const a = testConnection({ messages$: hot<string>(leaving) });
        const dial$ = cold<Connection>('-----');
        expectObservable(link(a, dial$)).toBe('---|');
        expectSubscriptions(dial$.subscriptions).toBe('^--!');
      }
    }));

  it('does not dial for a client that has left', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = testConnection({ messages$: EMPTY });
      const dial$ = cold<Connection>('-----');
      expectObservable(link(a, dial$)).toBe('|');
      expectSubscriptions(dial$.subscriptions).toBe([]);
    }));

  it('goes on for a client that has left messages behind, and passes them on', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const a = testConnection({ messages$: hot<string>('-m-|') });
      const b = testConnection();
      expectObservable(link(a, cold('-----b', { b }))).toBe('-----|');
      expectObservable(b.sent$).toBe('-----(m|)');
    }));

  it('aborts the dial when it is unsubscribed, and closes with 1001', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = testConnection();
      const dial$ = cold<Connection>('-----');
      expectObservable(link(a, dial$), '^-!').toBe('---');
      expectObservable(a.closed$).toBe('--(c|)', { c: { code: 1001, reason: '' } });
      expectSubscriptions(dial$.subscriptions).toBe('^-!');
    }));

  it('closes both with 1001 when it is unsubscribed after that, the one that it dialed too', () =>
    marbles(({ expectObservable }) => {
      const [a, b] = [testConnection(), testConnection()];
      expectObservable(link(a, testConnect([b])), '^-!').toBe('---');
      expectObservable(a.closed$).toBe('--(c|)', { c: { code: 1001, reason: '' } });
      expectObservable(b.closed$).toBe('--(c|)', { c: { code: 1001, reason: '' } });
    }));

  it('dials as often as the dial itself says, and never again once it had a connection', () =>
    marbles((helpers) => {
      const { hot, expectObservable, scheduler } = helpers;
      // Its peer never answers a close frame, so there is time for one more dial.
      const a = marbleConnection(helpers, '-');
      const b = testConnection({ messages$: hot<string>('----------#') });
      const dial = testConnect([refused, refused, b, testConnection()]);
      const dial$ = dial.pipe(reconnect({ initial: 2, random: () => 1, scheduler }));
      expectObservable(link(a.connection, dial$)).toBe('---------- 10s |');
      expectObservable(dial.dialed$).toBe('0-1---2', [0, 1, 2]);
    }));

  it('takes the first connection, and leaves another one to the dial', () =>
    marbles(({ cold, expectObservable }) => {
      const [a, b, c] = [testConnection(), testConnection(), testConnection({ messages$: NEVER })];
      expectObservable(link(a, cold('bc', { b, c })), '^--!').toBe('---');
      expectObservable(c.closed$).toBe('');
      expectObservable(c.demand$).toBe('');
    }));

  it.each([
    { mistake: new TypeError('place is undefined') },
    { mistake: new UsageError('NOT_HOLDABLE', 'it cannot be held') },
  ])(
    'errors with a mistake of the application ($mistake.name), and leaves the connection to what hears of it',
    ({ mistake }) =>
      marbles(({ expectObservable }) => {
        const a = testConnection();
        expectObservable(
          link(
            a,
            throwError(() => mistake),
          ),
        ).toBe('#', {}, mistake);
        expectObservable(a.closed$).toBe('');
      }),
  );

  it('does not dial before it is subscribed, and takes an Observable that emits at once', () => {
    const [a, b] = ends();
    a.peer(text('waited'));
    const linked$ = link(a.connection, of(b.connection));
    expect(textsSent(b)).toEqual([]);
    linked$.subscribe();
    expect(textsSent(b)).toEqual(['waited']);
  });

  it('types the dialed connection as the one that is there', () => {
    const plain = {} as Connection;
    const numbers = {} as Connection<unknown, number, number>;
    expectTypeOf(() => link(plain, connect('ws://localhost'))).returns.toEqualTypeOf<Observable<never>>();
    expectTypeOf(() => link(numbers, of(numbers))).returns.toEqualTypeOf<Observable<never>>();
    // @ts-expect-error: numbers cannot be sent as they are.
    expectTypeOf(() => link(numbers, connect('ws://localhost'))).returns.toEqualTypeOf<Observable<never>>();
  });
});

describe('link between sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  /** A proxy to `upstream`, and the connections that it links. */
  async function proxy(upstream: string): Promise<{ url: string; linked$: Observable<[Connection, Connection]> }> {
    const linked$ = new Subject<[Connection, Connection]>();
    const url = await loopback.serve(serve(LOCAL), (server) =>
      server.pipe(
        handleConnections(
          (a) =>
            connect(upstream).pipe(
              tap((b) => linked$.next([a, b])),
              mergeMap((b) => link(a, b)),
            ),
          { onError: () => {} },
        ),
      ),
    );
    return { url, linked$ };
  }

  it('keeps a fast sender at the pace of a slow reader, in bounded memory, and loses nothing', async () => {
    const count = 1024;
    // What compresses would not fill anything.
    const size = 65_536;
    const random = noise(size);
    const received$ = new Subject<number>();
    let reader: Connection | undefined;
    const upstream = await loopback.serve(serve(LOCAL), (server) =>
      server.pipe(
        mergeMap((conn, index) => {
          if (index > 0) return conn.messages$.pipe(sendTo(conn));
          conn.pause();
          reader = conn;
          return conn.messages$.pipe(tap((message) => received$.next((message as Buffer).readUInt32BE())));
        }),
      ),
    );
    const { url, linked$ } = await proxy(upstream);
    const linked = firstValueFrom(linked$);
    const client = await loopback.connect(url);
    const [a, b] = await linked;
    let pulled = 0;
    const most = { read: 0, unsent: 0 };
    const measure = (): void => {
      most.read = Math.max(most.read, a.stats.inboxBytes);
      most.unsent = Math.max(most.unsent, b.bufferedAmount);
    };
    function* blocks(): Generator<Buffer> {
      for (; pulled < count; pulled++) {
        measure();
        const block = Buffer.from(random);
        block.writeUInt32BE(pulled);
        yield block;
      }
    }
    const sent = firstValueFrom(client.sendFrom(blocks()));
    // Another client has all the time meanwhile; the first gets no further than what the kernel holds on the way.
    const other = await loopback.connect(url);
    for (let i = 0; i < 500; i++) {
      const echoed = firstValueFrom(other.messages$);
      other.send.next(`${i}`);
      expect(await echoed).toBe(`${i}`);
    }
    expect(pulled).toBeLessThan(count);
    const received = firstValueFrom(received$.pipe(tap(measure), take(count), toArray()));
    reader?.resume();
    expect(await received).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(await sent).toBe(count);
    // A mark, one message, and one unparsed read.
    expect(most.read).toBeLessThanOrEqual(65_536 + size + 65_536 + 256);
    // A mark, and what one read brings before the gate is shut.
    expect(most.unsent).toBeLessThanOrEqual(65_536 + 2 * size + 256);
  });

  it('passes messages and codes on, both ways', async () => {
    const upstream = await loopback.serve(serve(LOCAL), (server) =>
      server.pipe(
        mergeMap((conn) =>
          conn.messages$.pipe(
            tap((message) => message === 'go away' && conn.close(4001, 'as you like')),
            sendTo(conn),
          ),
        ),
      ),
    );
    const { url } = await proxy(upstream);
    const client = await loopback.connect(url);
    client.send.next('echo');
    expect(await firstValueFrom(client.messages$)).toBe('echo');
    client.send.next('go away');
    expect(await firstValueFrom(client.close$)).toMatchObject({ code: 4001, reason: 'as you like', wasClean: true });
  });

  it('tells the upstream with which code the client went', async () => {
    const closed$ = new Subject<number>();
    const upstream = await loopback.serve(serve(LOCAL), (server) =>
      server.pipe(
        mergeMap((conn) => conn.close$),
        tap(({ code }) => closed$.next(code)),
      ),
    );
    const { url, linked$ } = await proxy(upstream);
    for (const [leave, code] of [
      [(conn: Connection) => conn.close(4002), 4002],
      [(conn: Connection) => conn.terminate(), 1014],
    ] as const) {
      const linked = firstValueFrom(linked$);
      const closed = firstValueFrom(closed$);
      const client = await loopback.connect(url);
      await linked;
      leave(client);
      expect(await closed).toBe(code);
    }
  });

  describe('in one line', () => {
    const onEnd = endAfterEach();
    afterEach(closeRawServers);

    /** What the process prints as an error, and what is reported of connections, from now on. */
    function listen(): { printed: unknown[]; reported: { code?: unknown }[] } {
      const printed: unknown[] = [];
      const reported: { code?: unknown }[] = [];
      const spy = jest.spyOn(console, 'error').mockImplementation((...parts) => void printed.push(parts));
      const note = (message: unknown): number => reported.push((message as { error: { code?: unknown } }).error);
      subscribe('sluice:connection-error', note);
      onEnd(() => unsubscribe('sluice:connection-error', note));
      onEnd(() => spy.mockRestore());
      return { printed, reported };
    }

    const gateway = (upstream: string): Promise<string> =>
      loopback.serve(serve(LOCAL), (server) => server.pipe(handleConnections((a) => link(a, connect(upstream)))));

    it('passes on what was sent during the dial, and prints nothing when either end is lost', async () => {
      const { printed, reported } = listen();
      const peers$ = new Subject<Connection>();
      const upstream = await loopback.serve(serve(LOCAL), (server) =>
        server.pipe(
          tap((conn) => peers$.next(conn)),
          mergeMap((conn) => conn.messages$.pipe(sendTo(conn))),
        ),
      );
      const url = await gateway(upstream);
      const first = firstValueFrom(peers$);
      const client = await loopback.connect(url);
      client.send.next('early');
      expect(await firstValueFrom(client.messages$)).toBe('early');
      (await first).terminate();
      expect(await firstValueFrom(client.close$)).toMatchObject({ code: 1014, reason: '', wasClean: true });
      const second = firstValueFrom(peers$);
      const other = await loopback.connect(url);
      const peer = await second;
      other.terminate();
      expect(await firstValueFrom(peer.close$)).toMatchObject({ code: 1014, wasClean: true });
      expect({ printed, reported }).toEqual({ printed: [], reported: [] });
    });

    it('closes with 1014 when nothing listens there, or something else, prints nothing, and reports why', async () => {
      const { printed, reported } = listen();
      const closedPort = await rawServer(() => {});
      await closedPort.close();
      const noWebSocket = await rawServer(async (peer) => {
        await peer.request();
        peer.socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      });
      for (const upstream of [closedPort.url, noWebSocket.url]) {
        const client = await loopback.connect(await gateway(upstream));
        expect(await firstValueFrom(client.close$)).toMatchObject({
          code: 1014,
          reason: 'the upstream cannot be reached',
          wasClean: true,
        });
      }
      expect(printed).toEqual([]);
      expect(reported.map(({ code }) => code)).toEqual(['ECONNREFUSED', 'UNEXPECTED_STATUS']);
    });

    it('aborts a dial that is under way when the client leaves, and when the server stops', async () => {
      const { printed, reported } = listen();
      const mute = await rawServer(() => {});
      const servers: { close(): unknown }[] = [];
      const url = await loopback.serve(serve(LOCAL), (server) => {
        servers.push(server);
        return server.pipe(handleConnections((a) => link(a, connect(mute.url))));
      });
      const leaving = await loopback.connect(url);
      await until(() => mute.peers.length === 1);
      leaving.close();
      await mute.peers[0]?.ended;
      const staying = await loopback.connect(url);
      await until(() => mute.peers.length === 2);
      servers[0]?.close();
      expect(await firstValueFrom(staying.close$)).toMatchObject({ code: 1001 });
      await mute.peers[1]?.ended;
      expect({ printed, reported }).toEqual({ printed: [], reported: [] });
    });
  });
});
