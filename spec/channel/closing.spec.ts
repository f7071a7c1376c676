import { VirtualTimeScheduler } from 'rxjs';
import type { CloseInfo } from '../../src/connection/connection.js';
import { ConnectionClosedError, ProtocolError } from '../../src/protocol/errors.js';
import { checkedClosePayload } from '../../src/protocol/message/close-payload.js';
import { hex } from '../support/bits.js';
import { close, closeOf, frame, ping, text } from '../support/frames.js';
import { marbles } from '../support/marbles.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import type { PeerPort } from '../support/peer-port.js';
import { roles } from '../support/vectors.js';

const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
const forbiddenCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

describe('the peer closes first (RFC 6455 §5.5.1)', () => {
  it.each(codes)('code %i is answered with itself', (code) => {
    const { port, peer, closeInfos } = ended((each) => each.peer(close(code, 'why')));
    peer(text('late'));
    expect(closeFrames(port)).toEqual([code.toString(16).padStart(4, '0')]);
    expect(closeInfos).toEqual([{ code, reason: 'why', wasClean: true, initiator: 'peer' }]);
  });

  it('no code is answered with none, and is recorded as 1005', () => {
    const { port, closeInfos } = ended((each) => each.peer(closeOf()));
    expect(closeFrames(port)).toEqual(['']);
    expect(closeInfos).toEqual([{ code: 1005, reason: '', wasClean: true, initiator: 'peer' }]);
  });

  it('a reason may have 123 bytes', () => {
    const reason = `${'é'.repeat(61)}x`;
    const { closeInfos } = ended((each) => each.peer(close(1000, reason)));
    expect(closeInfos[0]?.reason).toBe(reason);
  });

  it('what was sent before goes first, and nothing behind the reply', () => {
    const { connection, port, peer, closeInfos } = memoryConnection();
    port.block();
    for (const message of ['a', 'b']) connection.send.next(message);
    peer(close(1000));
    expect(connection.trySend('c')).toBe('closed');
    expect([port.hasEnded, closeInfos]).toEqual([false, []]);
    port.drain();
    expect(written(port)).toEqual(['1 a', '1 b', '8 03e8']);
    port.drain();
    expect(port.hasEnded).toBe(true);
  });

  it('a close() after that changes nothing', () => {
    const { connection, port } = ended((each) => {
      each.peer(close(3000));
      each.connection.close(4000);
    });
    expect(closeFrames(port)).toEqual(['0bb8']);
    expect(connection.readyState).toBe(3);
  });
});

describe('we close first (RFC 6455 §7.1.2)', () => {
  it.each(codes)('code %i is sent, and the answer recorded', (code) => {
    const { port, closeInfos } = ended((each) => {
      each.connection.close(code, 'why');
      each.peer(close(code));
    });
    expect(closeFrames(port)).toEqual([`${code.toString(16).padStart(4, '0')}${Buffer.from('why').toString('hex')}`]);
    expect(closeInfos).toEqual([{ code, reason: '', wasClean: true, initiator: 'local' }]);
  });

  it('is 1000 without a reason by default', () => {
    const { connection, port } = memoryConnection();
    connection.close();
    expect([closeFrames(port), connection.readyState]).toEqual([['03e8'], 2]);
  });

  it('the record has the code of the peer', () => {
    const { closeInfos } = ended((each) => {
      each.connection.close(1000);
      each.peer(close(4001, 'other'));
    });
    expect(closeInfos).toEqual([{ code: 4001, reason: 'other', wasClean: true, initiator: 'local' }]);
  });

  it('a Close frame of the peer that was on its way counts as the answer', () => {
    const { port, closeInfos } = ended((each) => {
      each.port.pause();
      each.peer(close(3000));
      each.connection.close(3001);
      each.port.resume();
    });
    expect(closeFrames(port)).toEqual(['0bb9']);
    expect(closeInfos).toEqual([{ code: 3000, reason: '', wasClean: true, initiator: 'local' }]);
  });

  it('a Close frame of the peer that was here, but not parsed for want of demand, finds ours sent', () => {
    const { port, closeInfos } = ended((each) => {
      each.peer(text('x'.repeat(70_000)), close(3000));
      expect(each.connection.readyState).toBe(1);
      each.connection.close(3001);
    });
    expect(closeFrames(port)).toEqual(['0bb9']);
    expect(closeInfos).toEqual([{ code: 3000, reason: '', wasClean: true, initiator: 'local' }]);
  });

  it('what was sent before goes first; later sends are closed, and later closes without effect', () => {
    const { connection, port } = memoryConnection();
    port.block();
    for (const message of ['a', 'b']) connection.send.next(message);
    connection.close(3001);
    connection.close(3002);
    connection.send.next('c');
    expect(connection.trySend('d')).toBe('closed');
    port.drain();
    expect(written(port)).toEqual(['1 a', '1 b', '8 0bb9']);
  });

  it('messages that come before the answer are delivered with demand', () => {
    const seen: unknown[] = [];
    ended((each) => {
      each.connection.messages$.subscribe((message) => seen.push(message));
      each.connection.close();
      each.peer(text('a'), text('b'), close(1000), text('c'));
    });
    expect(seen).toEqual(['a', 'b']);
  });

  it('and discarded without; what waited before stays for a later subscriber', () => {
    const { connection } = ended((each) => {
      each.peer(text('a'));
      each.connection.close();
      each.peer(text('b'), close(1000));
    });
    expect(sequence(connection)).toEqual(['a', 'end']);
  });

  it('the peer is read until its Close frame, however much comes before it and nobody wants', () => {
    const { connection, closeInfos, port } = ended((each) => {
      each.connection.pause();
      each.connection.messages$.subscribe();
      for (let i = 0; i < 20; i++) each.peer(text('x'.repeat(10_000)));
      expect(each.port.isPaused).toBe(true);
      each.connection.close();
      each.peer(close(1000));
    });
    expect({
      waiting: port.waiting,
      hasReceivedMuch: connection.stats.bytesReceived > 200_000,
      closeInfos: closeInfos.length,
    }).toEqual({ waiting: 0, hasReceivedMuch: true, closeInfos: 1 });
  });

  it('is given up after closeTimeout when the peer never answers', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, port, closeInfos } = memoryConnection({ scheduler, closeTimeout: 5_000 });
      connection.close(3000);
      scheduler.schedule(() => expect(port.wasTerminated).toBe(false), 4_999);
      flush();
      expect(port.wasTerminated).toBe(true);
      expect(closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local' }]);
    });
  });

  it('with an error is recorded with it, whether or not the peer answers', () => {
    const error = new Error('out of order');
    marbles(({ scheduler, flush }) => {
      const { connection, closeInfos } = memoryConnection({ scheduler });
      connection.send.error(error);
      flush();
      expect(closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local', error }]);
    });
    const { closeInfos } = ended((each) => {
      each.connection.send.error(error);
      each.peer(close(1011));
    });
    expect(closeInfos).toEqual([{ code: 1011, reason: '', wasClean: true, initiator: 'local', error }]);
  });

  it('with a ProtocolError says its closeCode and as much of its message as fits', () => {
    const { connection, port } = memoryConnection();
    connection.send.error(new ProtocolError('UTF8_INVALID', 1007, 'é'.repeat(70)));
    expect(closeFrames(port)).toEqual([`03ef${Buffer.from('é'.repeat(61)).toString('hex')}`]);
  });

  it('is given up after closeTimeout when the peer answers and never ends, and stays clean', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, port, closeInfos, peer } = memoryConnection({ scheduler, role: 'client' });
      connection.close();
      peer(close(1000));
      flush();
      expect([scheduler.now(), port.wasTerminated]).toEqual([10_000, true]);
      expect(closeInfos).toEqual([{ code: 1000, reason: '', wasClean: true, initiator: 'local' }]);
    });
  });
});

describe('a code or reason that may not be sent (RFC 6455 §7.4)', () => {
  it.each([
    ...forbiddenCodes.map((code) => [code, '', RangeError, `${code}`] as const),
    [1000.5, '', RangeError, '1000.5'],
    [Number.NaN, '', RangeError, 'NaN'],
    ['1000', '', TypeError, '"1000"'],
    [1000, 'x'.repeat(124), RangeError, '124'],
    [1000, 'é'.repeat(62), RangeError, '124'],
    [1000, new Float32Array(1), TypeError, 'a Float32Array'],
  ] as const)('throws for %p and %p, and nothing is sent', (code, reason, type, found) => {
    const { connection, port } = memoryConnection();
    const attempt = (): void => connection.close(code as number, reason as string);
    expect(attempt).toThrow(type);
    expect(attempt).toThrow(found);
    expect([port.writes, connection.readyState]).toEqual([[], 1]);
    expect(connection.trySend('still open')).toBe('sent');
  });

  it('names what is allowed', () => {
    expect(() => checkedClosePayload(1005, '')).toThrow('1000 to 1003, 1007 to 1014 or 3000 to 4999');
  });

  it('is not a lone surrogate: that is replaced', () => {
    expect(checkedClosePayload(1000, 'a\ud800')).toEqual(hex('03e8 61 efbfbd'));
  });
});

describe('the end of the transport (RFC 6455 §7.1.1)', () => {
  it.each([
    ['the peer', (each: MemoryConnection) => each.peer(close(1000))],
    [
      'us',
      (each: MemoryConnection) => {
        each.connection.close();
        each.peer(close(1000));
      },
    ],
  ])('is the server first after a closing handshake by %s, while the client waits', (_, act) => {
    const [server, client] = [memoryConnection(), memoryConnection({ role: 'client' })];
    for (const each of [server, client]) act(each);
    expect([server.port.hasEnded, client.port.hasEnded]).toEqual([true, false]);
    client.port.finish();
    expect(client.port.hasEnded).toBe(true);
    client.turn();
    expect(client.closeInfos).toEqual([expect.objectContaining({ code: 1000, wasClean: true })]);
  });

  it('is not before the Close frame has left', () => {
    const { connection, port, peer } = memoryConnection();
    port.block();
    connection.close();
    peer(close(1000));
    expect(port.hasEnded).toBe(false);
    port.drain();
    expect(port.hasEnded).toBe(true);
  });

  it.each(roles)('without a Close frame is 1006, and is answered with ours (as %s)', (role) => {
    const each = memoryConnection({ role });
    each.peer(text('a'));
    each.port.finish();
    expect(each.port.hasEnded).toBe(true);
    each.turn();
    const error = expect.objectContaining({ name: 'ConnectionClosedError', code: 1006 }) as Error;
    expect(each.closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'peer', error }]);
    expect(sequence(each.connection)).toEqual(['a', 'end']);
  });

  it('lets ready$ go on until the connection is closed', () => {
    const { connection, port, turn } = memoryConnection();
    const states: number[] = [];
    connection.send.ready$.subscribe({ complete: () => states.push(connection.readyState) });
    port.block();
    connection.send.next('a');
    port.finish();
    expect([connection.readyState, states]).toEqual([2, []]);
    port.drain();
    turn();
    expect(states).toEqual([3]);
  });

  it('drops a message that is not complete', () => {
    const { connection, closeInfos } = ended((each) => each.peer(text('a'), text('b', { fin: false })));
    expect(sequence(connection)).toEqual(['a', 'end']);
    expect(closeInfos).toHaveLength(1);
  });

  it('is recorded with an error that has all but a stack, which other errors have as before', () => {
    const { closeInfos } = ended((each) => each.port.finish());
    const error = closeInfos[0]?.error;
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({
      message: 'connection lost without a close frame',
      code: 1006,
      reason: '',
      wasClean: false,
    });
    expect(error?.stack).not.toContain('\n');
    expect(new Error('other').stack).toContain('\n');
  });

  it('in the place of an answer to our Close frame is 1006 by us', () => {
    const { closeInfos } = ended((each) => each.connection.close());
    expect(closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local' }]);
  });

  it('is forced after two seconds when the peer has ended its side, but takes nothing any more', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, port, closeInfos } = memoryConnection({ scheduler });
      port.block();
      connection.send.next('a');
      port.finish();
      flush();
      expect({ now: scheduler.now(), wasTerminated: port.wasTerminated, closeInfos: closeInfos.length }).toEqual({
        now: 2_000,
        wasTerminated: true,
        closeInfos: 1,
      });
    });
  });
});

describe('a reset', () => {
  it('is finished behind messages$, though what was held is more than fits in a turn of the loop', () => {
    const { connection, peer, port, turn } = memoryConnection();
    const hold = connection.hold();
    peer(...Array.from({ length: 100 }, (_, i) => text(`${i}`)));
    const clock = jest.spyOn(performance, 'now');
    let now = 0;
    clock.mockImplementation(() => {
      now += 11;
      return now;
    });
    const log: string[] = [];
    connection.messages$.subscribe({ complete: () => log.push('messages$') });
    connection.onFinished({ finished: () => log.push('finished') });
    connection.close$.subscribe(() => hold.unsubscribe());
    port.reset();
    expect(log).toEqual([]);
    for (let turns = 0; turns < 100; turns++) turn();
    clock.mockRestore();
    expect(log).toEqual(['messages$', 'finished']);
  });

  const record: CloseInfo = { code: 1006, reason: '', wasClean: false, initiator: 'peer', error: reset };

  it.each<[string, (each: MemoryConnection) => void, Partial<CloseInfo>]>([
    ['while nothing happens', () => {}, record],
    ['in the middle of a frame', ({ port }) => port.receive(hex('81 7e 01')), record],
    ['in the middle of a message', ({ peer }) => peer(text('a', { fin: false })), record],
    ['while what was sent waits', sendBlocked, record],
    ['while reading is stopped', ({ peer }) => peer(text('x'.repeat(100_000)), text('y')), record],
    ['after our Close frame', ({ connection }) => connection.close(), { ...record, initiator: 'local' }],
    [
      'after the Close frame of the peer',
      ({ peer }) => peer(close(1000)),
      { code: 1000, reason: '', wasClean: true, initiator: 'peer' },
    ],
    [
      'after the FIN of the peer',
      ({ port }) => port.finish(),
      { ...record, error: expect.objectContaining({ name: 'ConnectionClosedError', code: 1006 }) as Error },
    ],
    [
      'after a failure',
      ({ peer }) => peer(frame(3)),
      expect.objectContaining({ code: 1002, initiator: 'local' }) as Partial<CloseInfo>,
    ],
  ])('%s ends it once', (_, before, expected) => {
    const each = memoryConnection({ role: 'client' });
    before(each);
    each.port.reset(reset);
    each.turn();
    each.port.reset(reset);
    expect(each.closeInfos).toEqual([expected]);
    expect(each.connection.readyState).toBe(3);
  });

  it('does not begin to close again when the Close frame that came before it is parsed later', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, closeInfos, peer, port } = memoryConnection({ scheduler });
    peer(text('x'.repeat(70_000)), text('b'), close(1000));
    port.reset(reset);
    expect(sequence(connection)).toEqual(['x'.repeat(70_000), 'b', 'end']);
    expect({ readyState: connection.readyState, closeInfos, actions: scheduler.actions }).toEqual({
      readyState: 3,
      closeInfos: [record],
      actions: [],
    });
  });
});

describe('what is left of a connection that nobody wants any more', () => {
  it('is not waited for: connect() is told as soon as the subscriber and the hold are gone', () => {
    marbles(({ scheduler, flush }) => {
      const { connection, peer, port } = memoryConnection({ scheduler });
      const times: number[] = [];
      connection.onFinished({ finished: () => times.push(scheduler.now()) });
      const hold = connection.hold();
      const subscription = connection.messages$.subscribe();
      peer(text('a'), close(1000));
      port.finish();
      scheduler.schedule(() => {
        subscription.unsubscribe();
        hold.unsubscribe();
      }, 50);
      flush();
      expect(times).toEqual([50]);
    });
  });
});

describe('terminate()', () => {
  it('ends the transport at once, and drops what waits', () => {
    const { connection, port, closeInfos, peer } = memoryConnection();
    peer(text('a'));
    connection.terminate();
    expect([port.wasTerminated, connection.readyState]).toEqual([true, 3]);
    expect(closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local' }]);
    expect(sequence(connection)).toEqual(['end']);
  });

  it('once or twice, and close() after it, are the same', () => {
    const { connection, port, closeInfos, turn } = memoryConnection();
    connection.terminate();
    connection.terminate();
    connection.close();
    turn();
    connection.close(4000);
    expect([closeInfos.length, port.frames]).toEqual([1, []]);
  });

  it('ends a closing handshake that hangs, without a timer left', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, closeInfos } = memoryConnection({ scheduler });
    connection.close();
    connection.terminate();
    expect([closeInfos.length, scheduler.actions.filter(({ delay }) => (delay ?? 0) > 0)]).toEqual([1, []]);
  });

  it('inside close(), from what that parses, leaves no timer either', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, closeInfos, peer } = memoryConnection({ scheduler });
    peer(text('x'.repeat(70_000)), ping());
    connection.pings$.subscribe(() => connection.terminate());
    connection.close();
    expect([closeInfos.length, scheduler.actions.filter(({ delay }) => (delay ?? 0) > 0)]).toEqual([1, []]);
  });
});

describe('a fault of the peer (RFC 6455 §7.1.7)', () => {
  it.each<[string, Parameters<MemoryConnection['peer']>[0], number, string]>([
    ['a Close frame of one byte', closeOf('x'), 1002, 'CLOSE_PAYLOAD_TOO_SHORT'],
    ['a reason that is no UTF-8', close(1000, hex('ff')), 1007, 'UTF8_INVALID'],
    ['a reserved opcode', frame(3), 1002, 'RESERVED_OPCODE'],
    ['a message over the limit', text('x'.repeat(101)), 1009, 'MESSAGE_TOO_LONG'],
    ...forbiddenCodes.map((code) => [`close code ${code}`, close(code), 1002, 'CLOSE_CODE_INVALID'] as const),
  ] as never)('%s is answered with a Close frame that says so', (_, fault, code, cause) => {
    const { port, closeInfos, connection } = ended((each) => each.peer(text('a'), fault, text('b')), {
      maxPayload: 100,
    });
    const { error, ...record } = closeInfos[0] as CloseInfo;
    expect(record).toEqual({ code, reason: error?.message, wasClean: false, initiator: 'local' });
    expect(error).toMatchObject({ name: 'ProtocolError', code: cause, closeCode: code });
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(record.reason)]);
    expect(closeFrames(port)).toEqual([payload.toString('hex')]);
    expect(sequence(connection)).toEqual(['a', 'end']);
  });

  it('is answered before what waits to be sent', () => {
    const { connection, port, peer } = memoryConnection();
    port.block();
    for (const message of ['a', 'b', 'c']) connection.send.next(message);
    peer(frame(3));
    port.drain();
    expect(written(port).map((each) => each.slice(0, 6))).toEqual(['1 a', '8 03ea']);
  });

  it('after our Close frame gets no second one, and the first one is not lost', () => {
    const { connection, port, peer, closeInfos, turn } = memoryConnection();
    port.block();
    connection.send.next('a');
    connection.close(3000);
    peer(frame(3));
    expect(port.hasEnded).toBe(false);
    port.drain();
    port.drain();
    expect([written(port), port.hasEnded]).toEqual([['1 a', '8 0bb8'], true]);
    port.finish();
    turn();
    expect(closeInfos).toEqual([expect.objectContaining({ code: 1002, initiator: 'local', wasClean: false })]);
  });

  it('lets what the peer sends meanwhile pass unseen, whether or not anybody wants messages', () => {
    const each = memoryConnection();
    each.peer(frame(3));
    for (let i = 0; i < 16; i++) each.port.receive(Buffer.alloc(1_000_000));
    expect({
      wasTerminated: each.port.wasTerminated,
      waiting: each.port.waiting,
      inboxBytes: each.connection.stats.inboxBytes,
    }).toEqual({ wasTerminated: false, waiting: 0, inboxBytes: 0 });
    each.port.finish();
    each.turn();
    expect(each.closeInfos).toHaveLength(1);
  });

  it('is not listened to for more than 16 MiB', () => {
    const { port, peer, closeInfos, turn } = memoryConnection();
    peer(frame(3));
    port.receive(Buffer.alloc(16_777_216));
    expect(port.wasTerminated).toBe(false);
    port.receive(Buffer.alloc(1));
    expect(port.wasTerminated).toBe(true);
    turn();
    expect(closeInfos).toEqual([expect.objectContaining({ code: 1002 })]);
  });

  it('is not listened to for longer than two seconds', () => {
    marbles(({ scheduler, flush }) => {
      const { port, peer, closeInfos } = memoryConnection({ scheduler });
      peer(frame(3));
      scheduler.schedule(() => expect(port.wasTerminated).toBe(false), 1_999);
      flush();
      expect([scheduler.now(), port.wasTerminated]).toEqual([2_000, true]);
      expect(closeInfos).toEqual([expect.objectContaining({ code: 1002, wasClean: false })]);
    });
  });
});

/** A connection that `act` closes or breaks, and whose peer then ends the transport. */
function ended(
  act: (each: MemoryConnection) => void,
  options: Parameters<typeof memoryConnection>[0] = {},
): MemoryConnection {
  const each = memoryConnection(options);
  act(each);
  each.turn();
  each.port.finish();
  each.turn();
  expect(each.port.isClosed).toBe(true);
  return each;
}

function closeFrames(port: PeerPort): string[] {
  return port.frames.filter(({ opcode }) => opcode === 0x8).map(({ payload }) => payload.toString('hex'));
}

function written(port: PeerPort): string[] {
  return port.frames.map(({ opcode, payload }) => `${opcode} ${payload.toString(opcode === 0x8 ? 'hex' : 'utf8')}`);
}

function sendBlocked({ connection, port }: MemoryConnection): void {
  port.block();
  for (const message of ['a', 'b']) connection.send.next(message);
}

/** What a subscriber gets that comes now. */
function sequence(connection: MemoryConnection['connection']): unknown[] {
  const seen: unknown[] = [];
  connection.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('end') });
  return seen;
}

describe('a write fails', () => {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });

  it('nothing can be sent, and what has arrived is delivered, however late it is wanted', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, port, peer, closeInfos } = memoryConnection({ scheduler, highWaterMark: 10 });
    const hold = connection.hold();
    const seen: unknown[] = [];
    connection.messages$.subscribe((message) => seen.push(message));
    peer(text('first message'));
    peer(text('second message'), close(4000, 'bye'));
    port.break(broken);
    port.break(broken);
    expect({ tried: connection.trySend('x'), state: connection.readyState }).toEqual({ tried: 'closed', state: 2 });
    scheduler.flush();
    expect(closeInfos).toEqual([]);
    hold.unsubscribe();
    scheduler.flush();
    expect(seen).toEqual(['first message', 'second message']);
    expect(closeInfos).toEqual([{ code: 4000, reason: 'bye', wasClean: true, initiator: 'peer' }]);
    expect(port.wasTerminated).toBe(true);
  });

  it('the record is 1006 with its error where no Close frame has arrived', () => {
    const { port, closeInfos } = ended((each) => {
      each.port.break(broken);
      each.port.finish();
    });
    expect(port.hasEnded).toBe(true);
    expect(closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'peer', error: broken }]);
  });

  it('a transport that never ends is given up after a while, counted only while it is read', () => {
    const scheduler = new VirtualTimeScheduler();
    const { connection, port, peer, closeInfos } = memoryConnection({ scheduler, highWaterMark: 10 });
    connection.messages$.subscribe();
    port.break(broken);
    const hold = connection.hold();
    peer(text('a message that fills the inbox'));
    scheduler.maxFrames = 60_000;
    scheduler.flush();
    expect(closeInfos).toEqual([]);
    hold.unsubscribe();
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    scheduler.flush();
    expect(closeInfos).toMatchObject([{ code: 1006, error: broken }]);
  });

  it('after our Close frame the answer is still read', () => {
    const { closeInfos } = ended((each) => {
      each.connection.close(3000);
      each.port.break(broken);
      each.peer(close(3000));
    });
    expect(closeInfos).toEqual([{ code: 3000, reason: '', wasClean: true, initiator: 'peer' }]);
  });

  it("after the peer's Close frame all is over", () => {
    const { closeInfos } = ended((each) => {
      each.port.block();
      each.connection.send.next('a');
      each.peer(close(3000));
      each.port.break(broken);
    });
    expect(closeInfos).toEqual([{ code: 3000, reason: '', wasClean: true, initiator: 'peer' }]);
  });

  it('a close() reads on to the end, whether or not anybody wants it', () => {
    const { connection, port, peer, closeInfos, turn } = memoryConnection({ highWaterMark: 10 });
    connection.hold();
    peer(text('a message that nobody wants'), text('another one'));
    port.break(broken);
    connection.close(3000);
    connection.close(3001);
    peer(close(4000));
    turn();
    expect(closeInfos).toEqual([{ code: 4000, reason: '', wasClean: true, initiator: 'peer' }]);
  });
});
