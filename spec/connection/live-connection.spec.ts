import { Observable } from 'rxjs';
import { connectionOver, type FrameFacts } from '../../src/channel/open.js';
import { connectionSettings } from '../../src/channel/settings.js';
import { close, ping, pong, text } from '../support/frames.js';
import { marbles } from '../support/marbles.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import { PeerPort } from '../support/peer-port.js';

describe('ping()', () => {
  it('sends when it is subscribed to, emits the round trip, and completes', () => {
    marbles(({ scheduler, expectObservable }) => {
      const { connection, port, peer } = memoryConnection({ scheduler });
      const trip$ = connection.ping('hello');
      expect(port.frames).toEqual([]);
      scheduler.schedule(() => peer(pong('hello')), 7);
      expectObservable(trip$).toBe('-------(a|)', { a: 7 });
    });
  });

  it('is cold: each subscription is a ping', () => {
    const { connection, port } = memoryConnection();
    const trip$ = connection.ping();
    trip$.subscribe();
    trip$.subscribe();
    const [first, second] = port.frames;
    expect([first?.opcode, second?.opcode]).toEqual([0x9, 0x9]);
    expect(first?.payload).not.toEqual(second?.payload);
  });

  it('answers in the order of the pings, and a later pong answers the earlier ones', () => {
    const { connection, port, peer } = memoryConnection();
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) connection.ping().subscribe({ complete: () => log.push(name) });
    peer(pong(port.frames[1]?.payload));
    expect(log).toEqual(['a', 'b']);
    peer(pong(port.frames[2]?.payload));
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('is forgotten when it is unsubscribed', () => {
    const { connection, peer } = memoryConnection();
    let trips = 0;
    connection
      .ping('a')
      .subscribe(() => trips++)
      .unsubscribe();
    peer(pong('a'));
    expect([trips, connection.latency]).toEqual([0, undefined]);
  });

  it.each<[string, (each: MemoryConnection) => void, object]>([
    ['is lost', ({ port }) => port.reset(), { code: 1006, wasClean: false, reason: '' }],
    ['is closed', ({ peer, port }) => [peer(close(3000, 'bye')), port.reset()], { code: 3000, wasClean: true }],
    ['is terminated', ({ connection }) => connection.terminate(), { code: 1006, wasClean: false }],
  ])('errors when the connection %s first, and at once after that', (_, end, expected) => {
    const each = memoryConnection();
    const errors: unknown[] = [];
    each.connection.ping().subscribe({ error: (error) => errors.push(error) });
    end(each);
    each.connection.ping().subscribe({ error: (error) => errors.push(error) });
    expect(errors).toEqual(Array(2).fill(expect.objectContaining({ name: 'ConnectionClosedError', ...expected })));
  });

  it('sends nothing behind our Close frame, and errors at the end', () => {
    const { connection, port } = memoryConnection();
    connection.close();
    const errors: unknown[] = [];
    connection.ping().subscribe({ error: (error) => errors.push(error) });
    connection.pong('x');
    expect([port.frames.length, errors]).toEqual([1, []]);
    port.reset();
    expect(errors).toHaveLength(1);
  });

  it.each([
    [50, TypeError, 'got 50'],
    [Buffer.alloc(126), RangeError, '126'],
    ['x'.repeat(126), RangeError, '126'],
  ])('of %p throws at the call, and so does pong()', (data, type, found) => {
    const { connection, port } = memoryConnection();
    for (const call of [() => connection.ping(data as string), () => connection.pong(data as string)]) {
      expect(call).toThrow(type);
      expect(call).toThrow(found);
    }
    expect(port.frames).toEqual([]);
  });
});

describe('pong()', () => {
  it('sends at once, empty by default, and nothing after the end', () => {
    const { connection, port } = memoryConnection();
    connection.pong();
    connection.pong('a');
    port.reset();
    connection.pong('b');
    expect(port.frames.map(({ opcode, payload }) => [opcode, String(payload)])).toEqual([
      [0xa, ''],
      [0xa, 'a'],
    ]);
  });
});

describe('stats', () => {
  it('count what passed in both directions', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, peer, port } = memoryConnection({ scheduler, highWaterMark: 100 });
      peer(text('abc'), ping('d'), pong(), text('ef'));
      connection.send.next('four');
      scheduler.schedule(() => {}, 12);
      flush();
      expect(connection.stats).toEqual({
        messagesReceived: 1,
        messagesSent: 1,
        messagesDropped: 0,
        pingsReceived: 0,
        pongsReceived: 0,
        bytesReceived: 9 + 7 + 6 + 8,
        bytesSent: 6,
        inboxBytes: 3 + 128 + 7 + 6 + 8,
        uptime: 12,
      });
      connection.ignoreMessages();
      expect(connection.stats).toMatchObject({
        messagesReceived: 2,
        pingsReceived: 1,
        pongsReceived: 1,
        inboxBytes: 0,
      });
      expect([connection.bytesReceived, connection.bytesSent]).toEqual([30, 9]);
      expect(port.frames).toHaveLength(2);
    });
  });

  it('do not change once they were taken', () => {
    const { connection, peer } = memoryConnection();
    const { stats } = connection;
    peer(text('a'));
    expect(stats.messagesReceived).toBe(0);
  });
});

describe('the facts of a connection', () => {
  it('are those of its handshake', () => {
    const facts: FrameFacts<{ user: string }> = {
      role: 'client',
      data: { user: 'ann' },
      url: 'ws://127.0.0.1/a',
      protocol: 'chat',
      extensions: [],
      protocolVersion: 8,
      remoteAddress: '127.0.0.1',
    };
    const connection = connectionOver(new PeerPort(() => {}), facts, connectionSettings({}, 'client'));
    const { role: _, extensions, ...rest } = facts;
    expect(connection).toMatchObject({ ...rest, request: undefined, response: undefined, readyState: 1 });
    expect([extensions, { ...connection.extensions }]).toEqual([[], {}]);
    expect(connection.supports).toEqual({
      binary: true,
      ping: true,
      fragments: true,
      backpressure: true,
      compression: false,
    });
    expect({
      latency: connection.latency,
      bufferedAmount: connection.bufferedAmount,
      bytesReceived: connection.bytesReceived,
    }).toEqual({ latency: undefined, bufferedAmount: 0, bytesReceived: 0 });
  });

  it('tell whether messages may be compressed', () => {
    const takeover = { serverNoContextTakeover: false, clientNoContextTakeover: false };
    const deflate = { ...takeover, serverMaxWindowBits: 15, clientMaxWindowBits: 15 };
    const { connection } = memoryConnection({ deflate, perMessageDeflate: true });
    expect(connection.supports).toMatchObject({ compression: true, backpressure: true });
  });

  it('show nothing of how its server keeps account of it', () => {
    const { connection } = memoryConnection();
    expect(Object.keys(connection)).toEqual([]);
  });

  it('are Observables where they go on', () => {
    const { connection } = memoryConnection();
    const { messages$, pings$, pongs$, close$, send } = connection;
    for (const each$ of [messages$, pings$, pongs$, close$, send]) expect(each$).toBeInstanceOf(Observable);
    expect(connection.messages$).toBe(messages$);
  });

  it('tell the state as the numbers of the browsers', () => {
    const { connection, port } = memoryConnection();
    const states: number[] = [connection.readyState];
    connection.close();
    states.push(connection.readyState);
    port.reset();
    states.push(connection.readyState);
    expect(states).toEqual([1, 2, 3]);
  });
});

describe('flush()', () => {
  it('emits when all that was sent so far has left', () => {
    const { connection, port } = memoryConnection();
    port.block();
    connection.send.next('a');
    const log: string[] = [];
    connection.flush().subscribe({ next: () => log.push('flushed'), complete: () => log.push('complete') });
    expect(log).toEqual([]);
    port.drain();
    expect(log).toEqual(['flushed', 'complete']);
  });

  it('only completes when the connection ends first, and after that', () => {
    const { connection, port } = memoryConnection();
    port.block();
    connection.send.next('a');
    const log: string[] = [];
    const observer = { next: () => log.push('flushed'), complete: () => log.push('complete') };
    connection.flush().subscribe(observer);
    port.reset();
    connection.flush().subscribe(observer);
    expect(log).toEqual(['complete', 'complete']);
  });
});
