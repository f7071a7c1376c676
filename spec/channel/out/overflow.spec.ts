import { firstValueFrom, Subject } from 'rxjs';
import { type Connection, fragments, type Overflow, type SendResult, serve } from 'sluice';
import { flushAll } from '../../../src/channel/flush-queue.js';
import type { OverflowPolicy } from '../../../src/connection/send-result.js';
import { BackpressureError } from '../../../src/protocol/errors.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { endAfterEach } from '../../support/end-after-each.js';
import { memoryConnection } from '../../support/memory-connection.js';
import { outboxOf, sentTexts } from '../../support/outbox.js';
import { guardProcess } from '../../support/process-guard.js';
import { handshake, RawClient } from '../../support/raw-client.js';
import { readFrames } from '../../support/read-frames.js';
import { run } from '../../support/running-server.js';

guardProcess();
const ends = endAfterEach();

const policies: readonly OverflowPolicy[] = ['terminate', 'drop-newest', 'drop-oldest'];
const MIB = 1_048_576;

/** An outbox whose peer has stopped reading behind one message of 8 bytes, and room for three more. */
function stalled(overflow: OverflowPolicy) {
  const under = outboxOf({ room: 0, maxBufferedAmount: 40, overflow });
  under.outbox.send('first!');
  flushAll();
  return under;
}

describe('above maxBufferedAmount', () => {
  it("gives up with 'terminate', before anything more is kept", () => {
    const { outbox, overflows } = stalled('terminate');
    for (let i = 0; i < 4; i++) expect(outbox.send(`item ${i}`)).toBe('buffered');
    expect(outbox.bufferedAmount).toBe(40);
    expect(outbox.send('')).toBe('closed');
    expect(overflows).toEqual([new BackpressureError('maxBufferedAmount', 40, 42)]);
    expect(overflows[0]).toMatchObject({ limit: 'maxBufferedAmount', configured: 40, observed: 42 });
  });

  it('counts what very many messages cost beside their bytes', () => {
    const { outbox, overflows } = outboxOf({ room: 0, maxBufferedAmount: MIB });
    const part = Buffer.alloc(5000);
    while (outbox.send(part) !== 'closed');
    expect(outbox.messagesSent).toBeGreaterThan(190);
    // 209 of them have room by their bytes.
    expect(outbox.messagesSent).toBeLessThan(205);
    expect(overflows[0]!.observed).toBeGreaterThan(MIB);
  });

  it("keeps the oldest with 'drop-newest'", () => {
    const { outbox, port } = stalled('drop-newest');
    const results = Array.from({ length: 7 }, (_, i) => outbox.send(`item ${i}`));
    expect(results).toEqual([...Array(4).fill('buffered'), ...Array(3).fill('dropped')]);
    expect([outbox.messagesSent, outbox.messagesDropped]).toEqual([5, 3]);
    port.read();
    expect(sentTexts(port)).toEqual(['first!', 'item 0', 'item 1', 'item 2', 'item 3']);
  });

  it("keeps the newest with 'drop-oldest', but for what is being written", () => {
    const { outbox, port } = stalled('drop-oldest');
    const results = Array.from({ length: 7 }, (_, i) => outbox.send(`item ${i}`));
    expect(results).toEqual(Array(7).fill('buffered'));
    expect([outbox.messagesSent, outbox.messagesDropped]).toEqual([8, 3]);
    expect(outbox.bufferedAmount).toBe(40);
    port.read();
    expect(sentTexts(port)).toEqual(['first!', 'item 3', 'item 4', 'item 5', 'item 6']);
  });

  it("drops nothing for an item that has no room anyway, with 'drop-oldest'", () => {
    const { outbox, port } = stalled('drop-oldest');
    outbox.send('item 0');
    expect(outbox.send('x'.repeat(31))).toBe('dropped');
    expect(outbox.messagesDropped).toBe(1);
    port.read();
    expect(sentTexts(port)).toEqual(['first!', 'item 0']);
  });

  it.each(policies)('lets one item pass that is larger, when it is alone (%s)', (overflow) => {
    const { outbox, port, overflows } = outboxOf({ maxBufferedAmount: 40, overflow });
    expect(outbox.send('x'.repeat(100))).toBe('sent');
    expect(outbox.send(Buffer.alloc(100_000))).toBe('sent');
    expect(outbox.send('small')).toBe('sent');
    expect(outbox.send('y'.repeat(100))).toBe('sent');
    flushAll();
    expect(port.frames.length).toBe(4);
    expect(overflows).toEqual([]);
  });

  it.each(policies)('offers what waits to the kernel before it decides (%s)', (overflow) => {
    const { outbox, port, overflows } = outboxOf({ maxBufferedAmount: 40, overflow });
    for (let i = 0; i < 1000; i++) expect(outbox.send(`item ${i}`)).toBe('sent');
    flushAll();
    expect(port.frames.length).toBe(1000);
    expect(overflows).toEqual([]);
  });

  it.each(policies)('never drops control frames (%s)', (overflow) => {
    const { outbox, port } = stalled(overflow);
    for (let i = 0; i < 4; i++) outbox.send(`item ${i}`);
    for (let i = 0; i < 10; i++) outbox.control(Opcode.ping, Buffer.from(`${i}`));
    outbox.pong(Buffer.from('pong'));
    port.read();
    expect(sentTexts(port).filter((name) => name === 'ping' || name === 'pong').length).toBe(11);
  });

  it('counts a masked frame with its mask', () => {
    const { outbox } = outboxOf({ role: 'client', room: 0, maxBufferedAmount: 20, overflow: 'drop-newest' });
    outbox.send('first!');
    flushAll();
    expect([outbox.send('abc'), outbox.send('ab')]).toEqual(['dropped', 'buffered']);
    expect(outbox.bufferedAmount).toBe(20);
  });

  it('gives up when parts come unasked', () => {
    const { outbox, port, overflows } = outboxOf({ room: 0, maxBufferedAmount: 1000, overflow: 'drop-oldest' });
    const parts = new Subject<string>();
    outbox.send(fragments(parts));
    parts.next('x'.repeat(2000));
    flushAll();
    expect(port.pending).toBe(2004);
    for (let i = 0; i < 4; i++) parts.next('x'.repeat(200));
    expect(overflows).toEqual([]);
    parts.next('x'.repeat(200));
    expect(overflows.length).toBe(1);
    expect(parts.observed).toBe(false);
  });
});

it('is told in close$, when the connection is given up', () => {
  const { connection, port, closeInfos } = memoryConnection({ maxBufferedAmount: 100 });
  port.block();
  connection.send.next('x'.repeat(80));
  expect(connection.trySend('y'.repeat(80))).toBe('closed');
  const error = new BackpressureError('maxBufferedAmount', 100, 164);
  expect(closeInfos).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local', error }]);
  expect(port.wasTerminated).toBe(true);
  expect(connection.stats).toMatchObject({ messagesSent: 1, messagesDropped: 0 });
});

it('takes 20 MiB in one tick when the kernel does', () => {
  const { outbox, port, overflows } = outboxOf({ room: 6 * MIB });
  const item = Buffer.alloc(65_536 - 10);
  for (let i = 0; i < 320; i++) outbox.send(item);
  expect(overflows).toEqual([]);
  port.read();
  expect(port.frames.length).toBe(320);
});

describe('a client that never reads', () => {
  /** A client that has opened and stopped reading, and the server's connection to it. */
  async function stalledClient(overflow: Overflow): Promise<{ client: RawClient; connection: Connection }> {
    const server = await run(serve({ port: 0, host: '127.0.0.1', overflow, closeTimeout: 100 }));
    ends(() => server.subscription.unsubscribe());
    const client = await RawClient.connect(server.port);
    ends(() => client.close());
    client.write(handshake());
    await client.response();
    client.socket.pause();
    return { client, connection: server.connections[0]! };
  }

  /** Sends 512 MiB in 8192 numbered messages, and gives each result. Fails as soon as too much waits. */
  async function flood(connection: Connection): Promise<SendResult[]> {
    const results: SendResult[] = [];
    for (let i = 0; i < 8192; i++) {
      const item = Buffer.allocUnsafe(65_536 - 4);
      item.writeUInt32BE(i);
      results.push(connection.trySend(item));
      if (connection.bufferedAmount > 16 * MIB) throw new Error(`${connection.bufferedAmount} bytes wait`);
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return results;
  }

  /** The numbers of the messages that come, until `last` has. */
  async function numbers(client: RawClient, count: number): Promise<number[]> {
    client.socket.resume();
    return readFrames(await client.bytes(count * 65_536)).map(({ payload }) => payload.readUInt32BE());
  }

  it.each(['terminate', 'close'] as const)("is given up with '%s', which mean the same", async (overflow) => {
    const { connection } = await stalledClient(overflow);
    const results = await flood(connection);
    expect(results.at(-1)).toBe('closed');
    const accepted = results.indexOf('closed');
    expect(accepted * 65_536).toBeGreaterThanOrEqual(16 * MIB);
    const { code, error } = await firstValueFrom(connection.close$);
    expect([code, error]).toEqual([1006, expect.any(BackpressureError)]);
  });

  it("gets the first messages with 'drop-newest', without a gap before the first that was dropped", async () => {
    const { client, connection } = await stalledClient('drop-newest');
    const results = await flood(connection);
    const accepted = [...results.keys()].filter((i) => results[i] !== 'dropped');
    expect(connection.stats.messagesDropped).toBe(8192 - accepted.length);
    expect(connection.stats.messagesDropped).toBeGreaterThan(7000);
    expect(await numbers(client, accepted.length)).toEqual(accepted);
  });

  it("gets the last messages with 'drop-oldest', behind those that were on their way", async () => {
    const { client, connection } = await stalledClient('drop-oldest');
    const results = await flood(connection);
    expect(results.every((result) => result === 'sent' || result === 'buffered')).toBe(true);
    const { messagesDropped } = connection.stats;
    expect(messagesDropped).toBeGreaterThan(7000);
    const found = await numbers(client, 8192 - messagesDropped);
    expect(found.every((number, at) => at === 0 || number > found[at - 1]!)).toBe(true);
    const gap = found.findIndex((number, at) => at > 0 && number !== found[at - 1]! + 1);
    expect(found[0]).toBe(0);
    expect(found.slice(gap)).toEqual(
      Array.from({ length: found.length - gap }, (_, i) => 8192 - (found.length - gap) + i),
    );
    expect((found.length - gap) * 65_536).toBeGreaterThan(15 * MIB);
  });
});
