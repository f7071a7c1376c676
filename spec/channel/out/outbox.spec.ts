import { of, Subject } from 'rxjs';
import { flushAll } from '../../../src/channel/flush-queue.js';
import { Compressor } from '../../../src/channel/out/deflating.js';
import type { Outbox } from '../../../src/channel/out/outbox.js';
import { fragments } from '../../../src/connection/outgoing.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { FAILURE, outboxOf, sentTexts } from '../../support/outbox.js';

const roles = ['server', 'client'] as const;

describe('the order', () => {
  it('is that of sending, while the peer reads and while it does not', () => {
    const { outbox, port } = outboxOf({ room: 10 });
    outbox.send('one');
    outbox.send('two');
    flushAll();
    outbox.send('three');
    flushAll();
    outbox.send(Buffer.from('four'));
    outbox.send('five');
    port.read();
    outbox.send('six');
    flushAll();
    expect(sentTexts(port)).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });

  it('is kept behind a message in parts, with control frames between the parts', () => {
    const { outbox, port } = outboxOf();
    const parts = new Subject<string>();
    outbox.send('before');
    outbox.send(fragments(parts));
    outbox.send('behind');
    parts.next('part');
    outbox.control(Opcode.ping, Buffer.from('!'));
    parts.next('of it');
    parts.complete();
    outbox.send('last');
    flushAll();
    expect(port.frames.map(({ fin, opcode, payload }) => [fin, opcode, payload.toString()])).toEqual([
      [true, 1, 'before'],
      [false, 1, 'part'],
      [true, 9, '!'],
      [false, 0, 'of it'],
      [true, 0, ''],
      [true, 1, 'behind'],
      [true, 1, 'last'],
    ]);
  });

  it('puts control frames before the messages that wait', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    outbox.send('written');
    flushAll();
    outbox.send('waiting');
    outbox.control(Opcode.ping, Buffer.alloc(0));
    port.read();
    expect(sentTexts(port)).toEqual(['written', 'ping', 'waiting']);
  });

  it('goes on with a message in parts that began behind more than one write', () => {
    const { outbox, port } = outboxOf();
    const first = new Subject<string>();
    outbox.send(fragments(first));
    for (let i = 0; i < 30; i++) outbox.send('x'.repeat(4000));
    outbox.send(fragments(['a', 'b']));
    outbox.send('last');
    first.complete();
    flushAll();
    expect(sentTexts(port).slice(-4)).toEqual(['a', 'continuation', 'continuation', 'last']);
    expect(outbox.bufferedAmount).toBe(0);
  });

  it('is kept for who sends a message in parts, and another, when told that there is room', () => {
    const { outbox, port } = outboxOf({ highWaterMark: 1000, room: 1500 });
    const parts = new Subject<string>();
    for (let i = 0; i < 4; i++) outbox.send('x'.repeat(999));
    outbox.signal.ready$.subscribe((ready) => {
      if (!ready || outbox.messagesSent > 4) return;
      outbox.send(fragments(parts));
      outbox.send('behind');
    });
    port.read();
    parts.next('part');
    parts.complete();
    flushAll();
    expect(sentTexts(port).slice(4)).toEqual(['part', 'continuation', 'behind']);
  });
});

describe('the Close frame (RFC 6455 §5.5.1)', () => {
  it('goes behind all that was sent, and nothing follows it', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    outbox.send('one');
    flushAll();
    outbox.send('two');
    outbox.close(Buffer.from('03e8', 'hex'), () => {});
    expect(outbox.send('three')).toBe('closed');
    port.read();
    expect(outbox.send('four')).toBe('closed');
    flushAll();
    expect(sentTexts(port)).toEqual(['one', 'two', 'close']);
  });

  it('is not followed by the item whose sending made room, when somebody closes meanwhile', () => {
    const { outbox, port } = outboxOf({ maxBufferedAmount: 100 });
    outbox.send('x'.repeat(20), () => outbox.close(FAILURE, () => {}));
    expect(outbox.send('y'.repeat(90))).toBe('closed');
    flushAll();
    expect(sentTexts(port)).toEqual(['x'.repeat(20), 'close']);
  });

  it('is the last frame however many connections fill a slab while it is given', () => {
    const closing = outboxOf();
    const others = Array.from({ length: 30 }, () => outboxOf());
    closing.outbox.send('x', () => closing.outbox.close(FAILURE, () => {}));
    for (const { outbox } of others) outbox.send('y'.repeat(4000));
    closing.outbox.send('z'.repeat(4000));
    flushAll();
    expect(closing.port.frames.at(-1)!.opcode).toBe(8);
  });
});

describe('a message in parts that cannot be finished (RFC 6455 §5.4)', () => {
  it('is followed by the Close frame, at once and by nothing else', () => {
    const { outbox, port, failures } = outboxOf();
    const parts = new Subject<string>();
    outbox.send(fragments(parts));
    outbox.send('behind');
    parts.next('part');
    parts.error(new Error('broken'));
    flushAll();
    expect(failures.map(({ code }) => code)).toEqual(['FRAGMENTS_FAILED']);
    expect(sentTexts(port)).toEqual(['part', 'close']);
    expect(port.frames.at(-1)!.payload).toEqual(FAILURE);
    expect(outbox.bufferedAmount).toBe(0);
  });

  it('lets a Close frame that waited already go, its own', () => {
    const { outbox, port } = outboxOf();
    const parts = new Subject<string>();
    outbox.send(fragments(parts));
    parts.next('part');
    const handed = jest.fn();
    outbox.close(Buffer.from('03e8', 'hex'), handed);
    parts.error(new Error('broken'));
    flushAll();
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
    expect(port.frames.at(-1)!.payload.toString('hex')).toBe('03e8');
    expect(handed).toHaveBeenCalledTimes(1);
  });

  it('is given up when the peer closes and nobody knows its end; once it has begun nothing but the Close frame may follow', () => {
    for (const hasBegun of [true, false]) {
      const { outbox, port } = outboxOf();
      const handed: string[] = [];
      const parts = new Subject<string>();
      outbox.send(fragments(parts), () => handed.push('parts'));
      if (hasBegun) parts.next('part');
      outbox.send('behind', () => handed.push('behind'));
      outbox.giveUpEndless();
      outbox.close(FAILURE, () => {});
      flushAll();
      expect(sentTexts(port)).toEqual(hasBegun ? ['part', 'close'] : ['behind', 'close']);
      expect({ dropped: outbox.messagesDropped, handed }).toEqual(
        hasBegun ? { dropped: 2, handed: [] } : { dropped: 1, handed: ['behind'] },
      );
      expect(parts.observed).toBe(false);
    }
  });

  it('is given up before its turn when the peer closes, and all around it is sent', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    outbox.send('one');
    flushAll();
    outbox.send('two');
    outbox.send(fragments(new Subject<string>()));
    outbox.send(fragments(['known', 'end']));
    outbox.send('behind');
    outbox.close(FAILURE, () => {});
    outbox.giveUpEndless();
    port.read();
    expect(sentTexts(port)).toEqual(['one', 'two', 'known', 'continuation', 'continuation', 'behind', 'close']);
    expect(outbox.messagesDropped).toBe(1);
  });
});

describe('what was accepted and is not sent', () => {
  it('counts as dropped when everything stops, but for the Close frame and what was written', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    outbox.send('written');
    flushAll();
    for (const text of ['one', 'two', 'x'.repeat(5_000)]) outbox.send(text);
    outbox.send(fragments(['three']));
    outbox.close(FAILURE, () => {});
    outbox.stop();
    outbox.stop();
    expect(outbox.messagesDropped).toBe(4);
    port.read();
    expect(sentTexts(port)).toEqual(['written']);
  });

  it('counts a message in parts once, however much of it was written', () => {
    const { outbox } = outboxOf();
    const parts = new Subject<string>();
    outbox.send(fragments(parts));
    parts.next('part');
    flushAll();
    outbox.send('behind');
    outbox.fail(FAILURE, () => {});
    outbox.stop();
    expect(outbox.messagesDropped).toBe(2);
  });

  it.each<[string, (outbox: Outbox) => void]>([
    ['everything stops', (outbox) => outbox.stop()],
    ['the peer closes', (outbox) => outbox.giveUpEndless()],
  ])('does not count a message in parts when %s at the moment at which its last frame is written', (_, end) => {
    const { outbox, port } = outboxOf({ highWaterMark: 20 });
    // 12 bytes and 8 do not exceed the mark, and the last frame does: so all are written, and this is told, before it was given.
    outbox.send('0123456789', () => end(outbox));
    outbox.send(fragments(of('abcdef')));
    expect({ sent: sentTexts(port), dropped: outbox.messagesDropped }).toEqual({
      sent: ['0123456789', 'abcdef', 'continuation'],
      dropped: 0,
    });
    outbox.stop();
  });

  it('does not count what is in the batch of this tick, and is written when the peer has ended its side', () => {
    const { outbox, port } = outboxOf();
    outbox.send('echo');
    outbox.finish();
    expect(sentTexts(port)).toEqual(['echo']);
    expect(outbox.messagesDropped).toBe(0);
  });
});

describe('a producer that is never late', () => {
  it('rests when its share of the turn is over, and goes on in a later one', () => {
    const { outbox, port } = outboxOf();
    const seen: boolean[] = [];
    outbox.signal.ready$.subscribe((isReady) => seen.push(isReady));
    let sent = 0;
    const produce = (): void => {
      while (outbox.isReady) {
        outbox.send('x'.repeat(1_000));
        if (++sent === 1_000) port.isOver = true;
      }
    };
    produce();
    expect({ seen, isSlow: outbox.isSlow, deferred: port.deferred.length }).toEqual({
      seen: [true, false],
      isSlow: false,
      deferred: 1,
    });
    expect(sent).toBeLessThan(1_100);
    port.isOver = false;
    port.turn();
    expect(seen).toEqual([true, false, true]);
    outbox.stop();
    outbox.signal.end();
  });

  it.each(['drop-newest', 'drop-oldest'] as const)('rests though it only has messages dropped (%s)', (overflow) => {
    const { outbox, port } = outboxOf({ room: 0, overflow, highWaterMark: 65_536, maxBufferedAmount: 1_000 });
    port.isOver = true;
    for (const size of [400, 400]) outbox.send('x'.repeat(size));
    flushAll();
    let sent = 0;
    while (outbox.isReady && sent < 1_000) {
      outbox.send('x'.repeat(400));
      sent++;
    }
    expect({ isReady: outbox.isReady, dropped: outbox.messagesDropped > 0 }).toEqual({ isReady: false, dropped: true });
    outbox.stop();
  });

  it('is not asked to rest while it does little in a turn', () => {
    const { outbox, port } = outboxOf();
    port.isOver = true;
    const send = (count: number): void => {
      for (let i = 0; i < count; i++) {
        outbox.send('x');
        flushAll();
      }
    };
    send(15);
    expect({ isReady: outbox.isReady, looks: port.looks }).toEqual({ isReady: true, looks: 0 });
    send(32);
    expect({ isReady: outbox.isReady, looks: port.looks }).toEqual({ isReady: true, looks: 2 });
    send(1);
    expect({ isReady: outbox.isReady, looks: port.looks }).toEqual({ isReady: false, looks: 3 });
  });

  it('is never asked to rest for what it does in many turns, though the others use them', () => {
    const { outbox, port } = outboxOf();
    port.isOver = true;
    for (let i = 0; i < 1_000; i++) {
      if (i % 32 === 0) port.turn();
      outbox.send('x');
      flushAll();
    }
    expect(outbox.isReady).toBe(true);
    expect(port.looks).toBeGreaterThan(10);
  });

  it('keeps the order of what it sends while it rests, and of what waits', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    const texts = Array.from({ length: 3_000 }, (_, i) => `${i} ${'x'.repeat(4_000)}`);
    for (const text of texts) {
      outbox.send(text);
      flushAll();
    }
    port.isOver = true;
    port.read();
    outbox.send('last');
    expect(port.frames.length).toBeLessThan(3_000);
    while (port.deferred.length > 0) port.turn();
    flushAll();
    expect(sentTexts(port)).toEqual([...texts, 'last']);
  });

  it('rests after work that writes little: messages that are compressed to next to nothing', () => {
    const parameters = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
    };
    const deflater = new MessageDeflater(parameters, 'server', { threshold: 10, level: 6, memLevel: 8 });
    const { outbox, port } = outboxOf({ compressor: new Compressor(deflater, undefined) });
    port.isOver = true;
    let sent = 0;
    while (outbox.isReady && sent < 1_000) {
      outbox.send('x'.repeat(60_000));
      sent++;
    }
    expect(sent).toBe(3);
  });
});

describe('what is told when it is handed over', () => {
  it.each(roles)('is told once and in order, never before it has left (as %s)', (role) => {
    const { outbox, port } = outboxOf({ room: 20, role });
    const told: string[] = [];
    const send = (text: string): void => {
      outbox.send(text, () => told.push(`${text} of ${sentTexts(port).join()}`));
    };
    send('one');
    flushAll();
    send('two two two two');
    flushAll();
    send('three');
    expect(told).toEqual(['one of one']);
    port.read();
    expect(told).toEqual([
      'one of one',
      'two two two two of one,two two two two',
      'three of one,two two two two,three',
    ]);
  });

  it('waits for a flush that was asked for behind control frames', () => {
    const { outbox, port } = outboxOf({ room: 3 });
    const handed = jest.fn();
    outbox.send('written');
    flushAll();
    outbox.control(Opcode.ping, Buffer.alloc(125));
    outbox.whenHanded(handed);
    port.read(6);
    expect(sentTexts(port)).toEqual(['written']);
    expect(handed).not.toHaveBeenCalled();
    port.read();
    expect(handed).toHaveBeenCalledTimes(1);
  });

  it('waits for a flush that was asked for behind parts that wait', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    const parts = new Subject<Buffer>();
    const handed = jest.fn();
    outbox.send(fragments(parts));
    for (let i = 0; i < 5; i++) parts.next(Buffer.alloc(200_000));
    parts.complete();
    outbox.whenHanded(handed);
    port.read(200_010);
    expect(handed).not.toHaveBeenCalled();
    port.read();
    expect(handed).toHaveBeenCalledTimes(1);
    expect(port.frames.length).toBe(6);
  });

  it('is told at once when nothing waits, though others have written to the transport', () => {
    const { outbox, port } = outboxOf({ room: 0 });
    port.write([Buffer.from('HTTP/1.1 101')]);
    const handed = jest.fn();
    outbox.whenHanded(handed);
    expect(handed).toHaveBeenCalledTimes(1);
    expect(outbox.bufferedAmount).toBe(0);
  });
});

describe('bufferedAmount', () => {
  it.each([
    ['server', 0],
    ['client', 4],
  ] as const)('is exact, with headers and control frames (as %s)', (role, mask) => {
    const { outbox, port } = outboxOf({ room: 0, role });
    outbox.send('abc');
    expect(outbox.bufferedAmount).toBe(5 + mask);
    flushAll();
    outbox.send(Buffer.alloc(126));
    outbox.send(Buffer.alloc(70_000));
    outbox.send('\u20ac');
    expect(outbox.bufferedAmount).toBe(5 + 130 + 70_010 + 5 + 4 * mask);
    outbox.control(Opcode.ping, Buffer.alloc(7));
    outbox.pong(Buffer.alloc(3));
    expect(outbox.bufferedAmount).toBe(5 + 130 + 70_010 + 5 + 9 + 5 + 6 * mask);
    outbox.send(new Blob([Buffer.alloc(1000)]));
    expect(outbox.bufferedAmount).toBe(5 + 130 + 70_010 + 5 + 9 + 5 + 6 * mask + 1000);
    port.read(5 + mask);
    expect(port.taken).toBe(5 + mask);
    outbox.stop();
  });
});

describe('ready$', () => {
  it('may be answered with the end: a message in parts whose turn it is does not begin then', () => {
    const { outbox, port } = outboxOf({ room: 0, highWaterMark: 100 });
    const parts$ = new Subject<string>();
    outbox.send('x'.repeat(300));
    flushAll();
    outbox.send(fragments(parts$));
    outbox.signal.ready$.subscribe((ready) => {
      if (ready) outbox.stop();
    });
    port.read();
    expect([parts$.observed, outbox.bufferedAmount]).toEqual([false, 0]);
  });

  it('follows what waits', () => {
    const { outbox, port } = outboxOf({ room: 0, highWaterMark: 1000 });
    const seen: boolean[] = [];
    outbox.signal.ready$.subscribe((ready) => seen.push(ready));
    outbox.send(Buffer.alloc(498));
    flushAll();
    outbox.send(Buffer.alloc(494));
    expect(seen).toEqual([true]);
    outbox.send('');
    expect(seen).toEqual([true, false]);
    port.read(502);
    expect(outbox.bufferedAmount).toBe(500);
    expect(seen).toEqual([true, false]);
    port.read();
    expect(seen).toEqual([true, false, true]);
    outbox.stop();
    expect(outbox.signal.isReady).toBe(true);
    outbox.signal.end();
    expect(outbox.signal.isReady).toBe(false);
  });
});
