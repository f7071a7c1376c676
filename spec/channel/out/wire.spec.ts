import { serve } from 'sluice';
import { flushAll } from '../../../src/channel/flush-queue.js';
import type { LaneLimits } from '../../../src/channel/out/shared-lane.js';
import { Wire } from '../../../src/channel/out/wire.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { SharedFrame } from '../../../src/protocol/frame/shared-frame.js';
import { endAfterEach } from '../../support/end-after-each.js';
import { ping, text, wire } from '../../support/frames.js';
import { KernelPort } from '../../support/kernel-port.js';
import { guardProcess } from '../../support/process-guard.js';
import { handshake, RawClient } from '../../support/raw-client.js';
import { run } from '../../support/running-server.js';
import { until } from '../../support/until.js';

guardProcess();
const ends = endAfterEach();

function wireOver(port: KernelPort, highWaterMark = 65_536, lane: LaneLimits = { limit: 0, plainBelow: 0 }): Wire {
  const made = new Wire(port, { highWaterMark, maskKey: undefined, lane }, { written: () => {} });
  port.open({ bytes: () => {}, ended: () => {}, broken: () => {}, closed: () => {}, drained: () => made.drained() });
  return made;
}

describe('what is written', () => {
  it('is all of one tick in one write', () => {
    const port = new KernelPort();
    const made = wireOver(port);
    for (let i = 0; i < 100; i++) made.message(`${i}`);
    made.frame(0x82, Buffer.alloc(20_000));
    made.control(Opcode.ping, Buffer.alloc(0));
    expect(made.size).toBe(90 * 4 + 10 * 3 + 20_004 + 2);
    expect(made.isIdle).toBe(false);
    flushAll();
    expect(port.writes.length).toBe(1);
    expect(port.frames.length).toBe(102);
    expect(made.isIdle).toBe(true);
    expect(made.bytesSent).toBe(port.taken);
  });

  it('is written earlier when there is more than the mark', () => {
    const port = new KernelPort();
    const made = wireOver(port, 1000);
    for (let i = 0; i < 21; i++) made.message('x'.repeat(98));
    expect(port.writes.map(({ length }) => length)).toEqual([1100]);
    flushAll();
    expect(port.writes.length).toBe(2);
  });

  it('is one write at a time', () => {
    const port = new KernelPort(0);
    const made = wireOver(port);
    made.message('a');
    made.write();
    expect([made.isBlocked, made.size]).toEqual([true, 3]);
    made.control(Opcode.ping, Buffer.from('!'));
    made.write();
    flushAll();
    expect(made.size).toBe(3 + 3);
    port.read();
    made.write();
    expect(port.writes.length).toBe(2);
  });

  it('is nothing more after the end', () => {
    const port = new KernelPort();
    const made = wireOver(port);
    const reached = jest.fn();
    made.message('a', reached);
    made.stop();
    made.control(Opcode.ping, Buffer.alloc(0));
    made.pong(Buffer.alloc(0));
    flushAll();
    expect(port.writes).toEqual([]);
    expect(reached).not.toHaveBeenCalled();
  });
});

describe('what goes to many', () => {
  const frame = new SharedFrame(0x81, Buffer.from('to all'));

  function wireWithLane(port: KernelPort): Wire {
    const made = wireOver(port, 65_536, { limit: 1000, plainBelow: 1000 });
    made.ownLane().open(0);
    return made;
  }

  it('leaves with the tick, and counts', () => {
    const port = new KernelPort();
    const made = wireWithLane(port);
    expect([made.lane.takes(frame, 6), made.lane.takes(frame, 6)]).toEqual([true, true]);
    expect([made.size, made.isIdle, port.writes]).toEqual([16, false, []]);
    flushAll();
    expect([made.size, made.isIdle, made.bytesSent, port.taken, port.writes.length]).toEqual([0, true, 16, 16, 1]);
    made.message('alone');
    flushAll();
    expect([made.bytesSent, port.taken]).toEqual([23, 23]);
  });

  it('has left before anybody is told so', () => {
    const port = new KernelPort();
    const made = wireWithLane(port);
    const told: number[] = [];
    made.lane.takes(frame, 6);
    made.mark(() => told.push(port.taken));
    expect(made.lane.takes(frame, 6)).toBe(false);
    flushAll();
    expect(told).toEqual([8]);
  });

  it('blocks when it does not leave at once, until it has left', () => {
    const port = new KernelPort(0);
    const made = wireWithLane(port);
    made.lane.takes(frame, 6);
    flushAll();
    made.control(Opcode.ping, Buffer.alloc(0));
    made.write();
    expect([made.isBlocked, made.size, made.bytesSent, port.writes]).toEqual([true, 8 + 2, 8, []]);
    port.read();
    made.write();
    expect([made.isBlocked, made.size]).toEqual([false, 0]);
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([1, 9]);
  });

  it('leaves by reference when there is nothing else', () => {
    const port = new KernelPort();
    const writes = jest.spyOn(port, 'write');
    const made = wireWithLane(port);
    made.shared(frame);
    flushAll();
    expect(writes.mock.calls).toEqual([[frame.pieces]]);
    expect(writes.mock.calls[0]?.[0]).toBe(frame.pieces);
  });

  it('lets nothing in behind a message of its own', () => {
    const port = new KernelPort();
    const made = wireWithLane(port);
    made.shared(frame);
    made.message('to one');
    expect(made.lane.takes(frame, 6)).toBe(false);
    made.stop();
    flushAll();
    expect({ size: made.size, writes: port.writes }).toEqual({ size: 0, writes: [] });
  });

  it('is in one write with what else one tick sends, in order', () => {
    const port = new KernelPort();
    const made = wireWithLane(port);
    made.lane.takes(frame, 6);
    made.message('to one');
    made.shared(frame);
    made.lane.takes(frame, 6);
    made.control(Opcode.ping, Buffer.from('?'));
    flushAll();
    expect(port.frames.map(({ payload }) => payload.toString())).toEqual(['to all', 'to one', 'to all', 'to all', '?']);
    expect([port.writes.length, made.bytesSent]).toEqual([1, port.taken]);
  });
});

describe('answers to pings (RFC 6455 §5.5.3)', () => {
  it('are written each 4 KiB, so that they do not gather within a chunk', () => {
    const port = new KernelPort();
    const made = wireOver(port);
    for (let i = 0; i < 1000; i++) made.pong(Buffer.alloc(125));
    expect(Math.max(...port.writes.map(({ length }) => length))).toBeLessThan(4096 + 127);
    flushAll();
    expect(port.frames.length).toBe(1000);
  });

  it('are bounded while the peer does not read, and end with the latest', () => {
    const port = new KernelPort(10_000);
    const made = wireOver(port);
    for (let i = 0; i < 100_000; i++) made.pong(Buffer.from(`${i}`.padStart(123)));
    expect(made.size).toBeLessThan(4 * 4096);
    port.read();
    made.write();
    const numbers = port.frames.map(({ payload }) => Number(payload.toString()));
    expect(numbers.at(-1)).toBe(99_999);
    expect(numbers.slice(0, -1)).toEqual([...Array(numbers.length - 1).keys()]);
  });
});

describe('a failure (RFC 6455 §7.1.7)', () => {
  it('puts the Close frame in the place of the control frames that wait', () => {
    const port = new KernelPort(0);
    const made = wireOver(port);
    const reached = jest.fn();
    made.message('a');
    made.write();
    made.control(Opcode.ping, Buffer.alloc(0));
    made.fail(Buffer.from('03ea', 'hex'), reached);
    port.read();
    expect(reached).not.toHaveBeenCalled();
    made.write();
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
    expect(reached).toHaveBeenCalledTimes(1);
  });
});

describe('over TCP', () => {
  /** A client, and the connection to it with each write of its socket. */
  async function connected() {
    const server = await run(serve({ port: 0, host: '127.0.0.1', closeTimeout: 100 }));
    ends(() => server.subscription.unsubscribe());
    const client = await RawClient.connect(server.port);
    ends(() => client.close());
    client.write(handshake());
    await client.response();
    const connection = server.connections[0]!;
    const writes = jest.spyOn(connection.request!.socket, 'write');
    return { client, connection, writes };
  }

  const sixteen = Array.from({ length: 16 }, (_, i) => `message ${i}`);

  async function received(client: RawClient, count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) found.push((await client.frame()).payload.toString());
    return found;
  }

  it('is one write for all that one tick sends', async () => {
    const { client, connection, writes } = await connected();
    for (const message of sixteen) connection.send.next(message);
    expect(writes).not.toHaveBeenCalled();
    expect(await received(client, 16)).toEqual(sixteen);
    expect(writes).toHaveBeenCalledTimes(1);
  });

  it('is one write for all that answers one chunk, at its end and not later', async () => {
    const { client, connection, writes } = await connected();
    const atEnd: number[] = [];
    connection.messages$.subscribe((message) => {
      connection.send.next(message);
      process.nextTick(() => atEnd.push(writes.mock.calls.length));
    });
    client.write(
      wire(
        'server',
        sixteen.map((message) => text(message)),
      ),
    );
    expect(await received(client, 16)).toEqual(sixteen);
    expect(writes).toHaveBeenCalledTimes(1);
    expect(atEnd).toEqual(Array(16).fill(1));
  });

  it('is one write for what a for await loop answers', async () => {
    const { client, connection, writes } = await connected();
    const loop = (async () => {
      for await (const message of connection) connection.send.next(message);
    })();
    client.write(
      wire(
        'server',
        sixteen.map((message) => text(message)),
      ),
    );
    expect(await received(client, 16)).toEqual(sixteen);
    expect(writes).toHaveBeenCalledTimes(1);
    await client.close();
    await loop;
  });

  it('answers every ping of a peer that reads, in order', async () => {
    const { client, connection } = await connected();
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    const bytes = wire(
      'server',
      numbers.map((number) => ping(number)),
    );
    for (let at = 0; at < bytes.length; at += 20_000) await client.send(bytes.subarray(at, at + 20_000));
    await until(() => connection.stats.pingsReceived === numbers.length && connection.bufferedAmount === 0);
    connection.send.next('last');
    expect(await received(client, numbers.length + 1)).toEqual([...numbers, 'last']);
  });

  it('keeps little of the answers to a peer that never reads, and gives it the latest', async () => {
    const { client, connection } = await connected();
    client.socket.pause();
    let most = 0;
    const total = 150_000;
    let count = 0;
    connection.pings$.subscribe(() => {
      count++;
      most = Math.max(most, connection.bufferedAmount);
    });
    const chunk = wire(
      'server',
      Array.from({ length: 1000 }, () => ping('x'.repeat(125))),
    );
    for (let i = 0; i < total / 1000; i++) await client.send(chunk);
    await client.send(wire('server', [ping('latest')]));
    await until(() => count === total + 1);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(65_536);
    client.socket.resume();
    let pongs = 0;
    while ((await client.frame()).payload.toString() !== 'latest') pongs++;
    expect(pongs).toBeLessThan(total);
  });

  it('takes any number of pongs without an answer', async () => {
    const { client, connection, writes } = await connected();
    const pongs = Buffer.alloc(60_000, Buffer.from('8a8000000000', 'hex'));
    for (let i = 0; i < 10; i++) await client.send(pongs);
    await until(() => connection.stats.pongsReceived === 100_000);
    expect(writes).not.toHaveBeenCalled();
    expect(connection.stats.inboxBytes).toBe(0);
  });
});

describe('what a heartbeat asks', () => {
  it('is how many bytes of messages were given: of no control frame, waiting or not', () => {
    const port = new KernelPort(10);
    const made = wireOver(port);
    made.control(Opcode.ping, Buffer.from('1'));
    made.pong(Buffer.from('22'));
    expect(made.messageBytes).toBe(0);
    made.message('abc');
    expect(made.messageBytes).toBe(5);
    flushAll();
    expect({ blocked: made.isBlocked, bytes: made.messageBytes, waiting: made.isControlWaiting }).toEqual({
      blocked: true,
      bytes: 5,
      waiting: false,
    });
    made.control(Opcode.ping, Buffer.from('333'));
    made.pong(Buffer.from('4'));
    expect({ bytes: made.messageBytes, waiting: made.isControlWaiting }).toEqual({ bytes: 5, waiting: true });
    port.read();
    made.write();
    expect({ bytes: made.messageBytes, waiting: made.isControlWaiting }).toEqual({ bytes: 5, waiting: false });
  });

  it('counts messages that go to many too', () => {
    const port = new KernelPort();
    const made = wireOver(port, 65_536, { limit: 1_000, plainBelow: 1_000 });
    const frame = new SharedFrame(0x81, Buffer.from('abc'));
    made.ownLane().open(0);
    expect(made.lane.takes(frame, 3)).toBe(true);
    expect(made.messageBytes).toBe(5);
    flushAll();
    expect(made.messageBytes).toBe(5);
  });

  it('is what the kernel has taken, only while a write is outstanding', () => {
    const port = new KernelPort(10);
    const made = wireOver(port);
    made.message('abc');
    flushAll();
    expect(made.taken).toBeUndefined();
    made.message(Buffer.alloc(100));
    flushAll();
    expect(made.taken).toBe(5);
    port.read();
    expect(made.taken).toBeUndefined();
  });
});
