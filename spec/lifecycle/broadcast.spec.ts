import { firstValueFrom } from 'rxjs';
import {
  BackpressureError,
  type BroadcastResult,
  broadcastTo,
  type Connection,
  type ServeOptions,
  serve,
} from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const ends = endAfterEach();

/** Messages of 32 KiB: 32 MiB, far more than the kernel keeps for a peer that does not read. */
const COUNT = 1024;
const SIZE = 32_768;
/** A frame of that size: the header has four bytes. */
const FRAME = SIZE + 4;
const MARK = 1_048_576;

interface Audience {
  /** Two that read, and one that has stopped to. */
  readonly readers: readonly RawClient[];
  readonly stalled: RawClient;
  /** Their connections, in that order. */
  readonly connections: readonly [Connection, Connection, Connection];
}

async function audience(overflow: NonNullable<ServeOptions['overflow']>): Promise<Audience> {
  const options = { port: 0, host: '127.0.0.1', maxBufferedAmount: MARK, closeTimeout: 100 } as const;
  const server = await run(serve({ ...options, overflow }));
  ends(() => server.subscription.unsubscribe());
  const open = async (): Promise<RawClient> => {
    const raw = await RawClient.connect(server.port);
    ends(() => raw.close());
    raw.write(handshake());
    await raw.response();
    return raw;
  };
  const readers = [await open(), await open()];
  const stalled = await open();
  stalled.socket.pause();
  return { readers, stalled, connections: [...server.connections] as [Connection, Connection, Connection] };
}

/** Sends all messages to all, each one when the readers have taken those before. Gives what became of each. */
async function broadcastAll(connections: readonly [Connection, Connection, Connection]): Promise<BroadcastResult[]> {
  const results: BroadcastResult[] = [];
  const [first, second] = connections;
  for (let number = 0; number < COUNT; number++) {
    results.push(broadcastTo(connections, messageOf(number)));
    await until(() => first.bufferedAmount + second.bufferedAmount === 0);
  }
  return results;
}

function messageOf(number: number): Buffer {
  const message = Buffer.alloc(SIZE);
  message.writeUInt32BE(number);
  return message;
}

/** The numbers of the next `count` messages. Reads on when the socket had stopped. */
async function numbers(raw: RawClient, count: number): Promise<number[]> {
  raw.socket.resume();
  const bytes = await raw.bytes(count * FRAME);
  expect(raw.received).toHaveLength(0);
  return Array.from({ length: count }, (_, at) => bytes.readUInt32BE(at * FRAME + 4));
}

const all = Array.from({ length: COUNT }, (_, number) => number);

describe('a broadcast to three, of whom one never reads', () => {
  it("gives the others everything, and gives that one up with 'close'", async () => {
    const { readers, stalled, connections } = await audience('close');
    const received = readers.map((raw) => numbers(raw, COUNT));
    const results = await broadcastAll(connections);
    expect(await Promise.all(received)).toEqual([all, all]);
    const { code, initiator, error } = await firstValueFrom(connections[2].close$);
    expect({ code, initiator, error }).toEqual({
      code: 1006,
      initiator: 'local',
      error: expect.any(BackpressureError),
    });
    expect(results.at(-1)).toEqual({ sent: 2, buffered: 0, dropped: 0, closed: 1 });
    expect(connections.map(({ readyState }) => readyState)).toEqual([1, 1, 3]);
    stalled.socket.resume();
    await stalled.ended();
    expect(stalled.received.length).toBeLessThan((COUNT / 2) * FRAME);
  });

  it("gives the others everything, and that one the first messages with 'drop-newest'", async () => {
    const { readers, stalled, connections } = await audience('drop-newest');
    const received = readers.map((raw) => numbers(raw, COUNT));
    const results = await broadcastAll(connections);
    expect(await Promise.all(received)).toEqual([all, all]);
    const kept = all.filter((number) => results[number]?.dropped === 0);
    expect(kept.length).toBeLessThan(COUNT / 2);
    expect(connections.map(({ stats }) => stats.messagesDropped)).toEqual([0, 0, COUNT - kept.length]);
    expect(connections[2].bufferedAmount).toBeLessThanOrEqual(MARK);
    expect(await numbers(stalled, kept.length)).toEqual(kept);
  });

  it("gives the others everything, and that one the last messages with 'drop-oldest'", async () => {
    const { readers, stalled, connections } = await audience('drop-oldest');
    const received = readers.map((raw) => numbers(raw, COUNT));
    const results = await broadcastAll(connections);
    expect(await Promise.all(received)).toEqual([all, all]);
    expect(results.every(({ sent, buffered }) => sent + buffered === 3)).toBe(true);
    const { messagesDropped } = connections[2].stats;
    expect(messagesDropped).toBeGreaterThan(COUNT / 2);
    const found = await numbers(stalled, COUNT - messagesDropped);
    const gap = found.findIndex((number, at) => number !== at);
    expect(gap).toBeGreaterThan(0);
    expect(found.slice(gap)).toEqual(all.slice(COUNT - (found.length - gap)));
  });
});
