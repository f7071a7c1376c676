import { VirtualTimeScheduler } from 'rxjs';
import { hex } from '../support/bits.js';
import { close, continuation, ping, pong, text } from '../support/frames.js';
import { marbles } from '../support/marbles.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

describe('the order of an end', () => {
  it('is: the state and send, then messages, pings and pongs, then close$, then the rest', () => {
    const { log, port } = logged();
    port.reset();
    expect(log).toEqual([
      'ready$ complete',
      'send complete (state 3)',
      'messages$ complete',
      'pings$ complete',
      'pongs$ complete',
      'close$ 1006',
      'close$ complete',
      'finished 1006',
    ]);
  });

  it('gives the subscribers of messages$ what waits before close$', () => {
    const { log, port, connection, peer } = logged();
    const hold = connection.hold();
    peer(text('a'), text('b'));
    connection.send.subscribe({ complete: () => hold.unsubscribe() });
    port.reset();
    expect(log.slice(2, 5)).toEqual(['messages$ a', 'messages$ b', 'messages$ complete']);
  });

  it('does not let close$ wait for a hold, but what comes last', () => {
    const { log, port, connection, peer } = logged();
    const hold = connection.hold();
    peer(text('a'));
    port.reset();
    expect(log.slice(2)).toEqual(['pings$ complete', 'pongs$ complete', 'close$ 1006', 'close$ complete']);
    hold.unsubscribe();
    expect(log.slice(6)).toEqual(['messages$ a', 'messages$ complete', 'finished 1006']);
  });

  it('waits for a hold no longer than closeTimeout, then drops what is kept back', () => {
    marbles(({ scheduler, flush }) => {
      const { log, port, connection, peer } = logged({ scheduler, closeTimeout: 5_000, highWaterMark: 200 });
      const hold = connection.hold();
      peer(text('a'), text('b'), text('c'));
      port.reset();
      scheduler.schedule(() => expect(log).toHaveLength(6), 4_999);
      flush();
      expect([scheduler.now(), log.slice(6)]).toEqual([5_000, ['messages$ complete', 'finished 1006']]);
      hold.unsubscribe();
      expect(sequence(connection)).toEqual(['end']);
    });
  });

  it('waits for nothing without a subscriber and a hold; a later subscriber gets what is left, then the end', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, port, peer, closeInfos } = memoryConnection({ scheduler, highWaterMark: 200 });
    const finished: number[] = [];
    connection.onFinished({ finished: ({ code }) => finished.push(code) });
    peer(text('a'), text('b'), text('c'));
    port.reset();
    expect({ finished, closeInfos: closeInfos.length, actions: scheduler.actions }).toEqual({
      finished: [1006],
      closeInfos: 1,
      actions: [],
    });
    expect(sequence(connection)).toEqual(['a', 'b', 'c', 'end']);
    expect(sequence(connection)).toEqual(['end']);
  });

  it('replays close$, and completes everything for those who come late', () => {
    const { connection, port, peer } = memoryConnection();
    peer(close(3000, 'bye'));
    port.finish();
    port.reset();
    const late: unknown[] = [];
    const complete = (name: string) => ({
      next: (value: unknown) => late.push([name, value]),
      complete: () => late.push(name),
    });
    connection.close$.subscribe(complete('close$'));
    for (const name of ['messages$', 'pings$', 'pongs$'] as const) connection[name].subscribe(complete(name));
    connection.send.subscribe(complete('send'));
    connection.send.ready$.subscribe(complete('ready$'));
    expect(late).toEqual([
      ['close$', { code: 3000, reason: 'bye', wasClean: true, initiator: 'peer' }],
      ...['close$', 'messages$', 'pings$', 'pongs$', 'send', 'ready$'],
    ]);
  });

  it('survives whatever its observers do', () => {
    const { connection, port, closeInfos } = memoryConnection();
    const act = (): void => {
      connection.send.next('x');
      connection.close();
      connection.terminate();
      connection.hold().unsubscribe();
      connection.messages$.subscribe().unsubscribe();
    };
    connection.send.ready$.subscribe({ complete: act });
    connection.send.subscribe({ complete: act });
    connection.messages$.subscribe({ complete: act });
    connection.pings$.subscribe({ complete: act });
    connection.close$.subscribe({ next: act, complete: act });
    connection.onFinished({ finished: act });
    port.reset();
    expect([closeInfos.length, port.frames]).toEqual([1, []]);
  });
});

describe('the heartbeat of a connection', () => {
  it.each([
    [0, 15_000],
    [0.5, 22_500],
    [1, 30_000],
  ])(
    'pings from a random point of the second half of the interval on, and is answered by any byte: %d',
    (random, first) => {
      marbles(({ scheduler, flush }) => {
        const { port, connection } = memoryConnection({ scheduler, heartbeat: {}, random });
        scheduler.schedule(() => expect(port.frames).toEqual([]), first - 1);
        scheduler.schedule(() => expect(port.frames.map(({ opcode }) => opcode)).toEqual([0x9]), first + 1);
        scheduler.schedule(() => port.receive(hex('81')), first + 29_999);
        scheduler.schedule(() => expect(port.frames).toHaveLength(2), first + 30_001);
        scheduler.schedule(() => connection.terminate(), first + 31_000);
        flush();
      });
    },
  );

  it('gives a silent peer up after interval and timeout', () => {
    marbles(({ scheduler, flush }) => {
      const { port, closeInfos } = memoryConnection({
        scheduler,
        heartbeat: { interval: 1_000, timeout: 300 },
        random: 1,
      });
      flush();
      expect([scheduler.now(), port.wasTerminated]).toEqual([1_300, true]);
      expect(closeInfos).toEqual([
        {
          code: 1006,
          reason: '',
          wasClean: false,
          initiator: 'local',
          error: expect.objectContaining({
            code: 'HEARTBEAT_TIMEOUT',
            message: 'no byte came for 300 ms after a ping',
          }) as Error,
        },
      ]);
    });
  });

  it('measures the latency', () => {
    marbles(({ scheduler, flush }) => {
      const { port, connection, peer } = memoryConnection({ scheduler, heartbeat: {}, random: 0 });
      scheduler.schedule(() => peer(pong(port.frames[0]?.payload)), 15_042);
      scheduler.schedule(() => connection.terminate(), 15_043);
      flush();
      expect(connection.latency).toBe(42);
    });
  });

  it('stands still while nobody wants messages, and the peer is not given up', () => {
    marbles(({ scheduler, flush }) => {
      const { port, connection, peer } = memoryConnection({ scheduler, heartbeat: {}, highWaterMark: 1 });
      peer(text('a'));
      expect(port.isPaused).toBe(true);
      scheduler.schedule(() => expect(port.frames).toEqual([]), 600_000);
      scheduler.schedule(() => connection.terminate(), 600_001);
      flush();
    });
  });

  it('ends with the closing handshake', () => {
    marbles(({ scheduler, flush }) => {
      const { port, connection } = memoryConnection({
        scheduler,
        heartbeat: { interval: 100, timeout: 100 },
        closeTimeout: 5_000,
      });
      connection.close();
      flush();
      expect([port.frames.length, scheduler.now()]).toEqual([1, 5_000]);
    });
  });
});

describe('pausedTimeout', () => {
  it('terminates a connection whose messages nobody wants', () => {
    marbles(({ scheduler, flush }) => {
      const { port, peer, closeInfos, connection } = memoryConnection({
        scheduler,
        pausedTimeout: 7_000,
        highWaterMark: 1,
      });
      peer(text('a'));
      flush();
      expect([scheduler.now(), port.wasTerminated]).toEqual([7_000, true]);
      expect(closeInfos).toEqual([
        expect.objectContaining({
          code: 1006,
          initiator: 'local',
          error: expect.objectContaining({ code: 'PAUSED_TIMEOUT' }) as Error,
        }),
      ]);
      expect(sequence(connection)).toEqual(['a', 'end']);
    });
  });

  it('begins anew with each pause, and does not run while the peer is read', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, peer, closeInfos } = memoryConnection({ scheduler, pausedTimeout: 7_000, highWaterMark: 1 });
      for (let i = 0; i < 10; i++) {
        scheduler.schedule(() => peer(text('a')), i * 6_999);
        scheduler.schedule(() => connection.messages$.subscribe().unsubscribe(), (i + 1) * 6_999 - 1);
      }
      scheduler.schedule(() => expect(closeInfos).toEqual([]), 200_000);
      scheduler.schedule(() => connection.terminate(), 200_001);
      flush();
    });
  });
});

describe('messageTimeout', () => {
  it('fails a message that drips with 1008', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, peer, closeInfos, port } = memoryConnection({ scheduler });
      peer(text('a', { fin: false }));
      for (let second = 1; second < 70; second++)
        scheduler.schedule(() => peer(continuation('b', { fin: false })), second * 1_000);
      scheduler.schedule(() => port.finish(), 60_500);
      flush();
      expect(closeInfos).toEqual([
        expect.objectContaining({
          code: 1008,
          initiator: 'local',
          error: expect.objectContaining({ code: 'MESSAGE_TOO_SLOW' }) as Error,
        }),
      ]);
      expect(port.frames.map(({ opcode, payload }) => [opcode, payload.readUInt16BE(0)])).toEqual([[0x8, 1008]]);
      expect(sequence(connection)).toEqual(['end']);
    });
  });

  it('fails a header that does not go on, too', () => {
    marbles(({ scheduler, flush }) => {
      const { port, closeInfos } = memoryConnection({ scheduler, messageTimeout: 1_000 });
      port.receive(hex('81'));
      scheduler.schedule(() => port.finish(), 1_001);
      flush();
      expect(closeInfos).toEqual([expect.objectContaining({ code: 1008 })]);
    });
  });

  it('lets a slow upload pass that keeps above 8 KiB a second', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, peer, closeInfos } = memoryConnection({ scheduler, maxPayload: 2_000_000 });
      const sizes: number[] = [];
      connection.messages$.subscribe((message) => sizes.push(message.length));
      peer(text('x', { fin: false }));
      for (let second = 1; second < 200; second++)
        scheduler.schedule(() => peer(continuation('x'.repeat(8_200), { fin: false })), second * 1_000);
      scheduler.schedule(() => peer(continuation('x')), 200_000);
      scheduler.schedule(() => connection.terminate(), 200_001);
      flush();
      expect([sizes, closeInfos.length]).toEqual([[2 + 199 * 8_200], 1]);
    });
  });

  it('stands still while reading is stopped', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, port, peer, closeInfos } = memoryConnection({ scheduler, highWaterMark: 1 });
      connection.messages$.subscribe();
      peer(text('a', { fin: false }));
      scheduler.schedule(() => {
        connection.pause();
        peer(continuation('b'), text('c', { fin: false }));
        expect(port.isPaused).toBe(true);
      }, 30_000);
      scheduler.schedule(() => {
        expect(closeInfos).toEqual([]);
        connection.resume();
      }, 500_000);
      scheduler.schedule(() => {
        peer(continuation('d'));
        connection.terminate();
      }, 559_999);
      flush();
      expect(closeInfos).toEqual([expect.objectContaining({ code: 1006, initiator: 'local' })]);
      expect(closeInfos[0]).not.toHaveProperty('error');
    });
  });
});

describe('no timer is left', () => {
  it.each<[string, (each: MemoryConnection) => void]>([
    ['in the middle of a message', ({ peer }) => peer(text('a', { fin: false }))],
    ['in a pause', ({ peer }) => peer(text('x'.repeat(70_000)), text('b', { fin: false }))],
    ['in a pause, after close()', pauseAndClose],
    ['after a Close frame', ({ peer }) => peer(close(1000))],
    ['after a fault', ({ port }) => port.receive(hex('83 00'))],
    ['after a FIN', ({ port }) => port.finish()],
    ['after a ping', ({ connection }) => connection.ping().subscribe({ error: () => {} })],
  ])('by a loss %s', (_, before) => {
    const scheduler = new VirtualTimeScheduler();
    const each = memoryConnection({ scheduler, pausedTimeout: 1_000, heartbeat: {} });
    before(each);
    expect(scheduler.actions.length).toBeGreaterThan(0);
    each.port.reset(reset);
    each.connection.messages$.subscribe();
    expect(later(scheduler)).toEqual([]);
  });

  it('by an overflow in the middle of a chunk', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, port, closeInfos, peer } = memoryConnection({ scheduler, maxBufferedAmount: 10 });
    connection.messages$.subscribe(() => connection.send.next('far too much'));
    port.block();
    connection.send.next('first');
    peer(text('a'), text('b', { fin: false }));
    expect(closeInfos).toEqual([expect.objectContaining({ error: expect.objectContaining({ code: 'BUFFER_FULL' }) })]);
    expect(later(scheduler)).toEqual([]);
  });
});

describe('control frames of the peer', () => {
  it('are told with their payloads, and complete with the connection', () => {
    const { connection, peer, port } = memoryConnection();
    const log: string[] = [];
    connection.pings$.subscribe({ next: (data) => log.push(`ping ${data}`), complete: () => log.push('no pings') });
    connection.pongs$.subscribe({ next: (data) => log.push(`pong ${data}`), complete: () => log.push('no pongs') });
    peer(ping('a'), pong('b'), ping());
    port.reset();
    expect(log).toEqual(['ping a', 'pong b', 'ping ', 'no pings', 'no pongs']);
  });

  it('are not answered with autoPong: false', () => {
    const { connection, peer, port } = memoryConnection({ autoPong: false });
    const seen: string[] = [];
    connection.pings$.subscribe((data) => seen.push(String(data)));
    peer(ping('a'));
    expect([seen, port.frames]).toEqual([['a'], []]);
    connection.pong('a');
    expect(port.frames.map(({ opcode, payload }) => [opcode, String(payload)])).toEqual([[0xa, 'a']]);
  });
});

function pauseAndClose({ connection, peer }: MemoryConnection): void {
  peer(text('x'.repeat(70_000)), text('b', { fin: false }));
  connection.close();
}

/** What is scheduled behind the present turn. */
function later(scheduler: VirtualTimeScheduler): number[] {
  return scheduler.actions.map(({ delay }) => delay ?? 0).filter((delay) => delay > scheduler.now());
}

/** A connection all of whose Observables are written down. */
function logged(options: Parameters<typeof memoryConnection>[0] = {}): MemoryConnection & { log: string[] } {
  const each = memoryConnection(options);
  const { connection } = each;
  const log: string[] = [];
  connection.onFinished({ finished: ({ code }) => log.push(`finished ${code}`) });
  connection.close$.subscribe({
    next: ({ code }) => log.push(`close$ ${code}`),
    complete: () => log.push('close$ complete'),
  });
  connection.pongs$.subscribe({ complete: () => log.push('pongs$ complete') });
  connection.pings$.subscribe({ complete: () => log.push('pings$ complete') });
  connection.messages$.subscribe({
    next: (message) => log.push(`messages$ ${message}`),
    complete: () => log.push('messages$ complete'),
  });
  connection.send.subscribe({ complete: () => log.push(`send complete (state ${connection.readyState})`) });
  connection.send.ready$.subscribe({ complete: () => log.push('ready$ complete') });
  return { ...each, log };
}

function sequence(connection: MemoryConnection['connection']): unknown[] {
  const seen: unknown[] = [];
  connection.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('end') });
  return seen;
}
