import { once } from 'node:events';
import { serve } from 'sluice';
import { WebSocket } from 'ws';
import type { Connection } from '../../src/connection/connection.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';

const SIZE = 65_536;
const COUNT = 3_200;
const MARK = 65_536;
const READ = 65_536;

/** More would mean that what was sent (200 MiB) is kept somewhere. In bytes. */
const FLAT = 96 * 1_048_576;

guardProcess();
const ends = endAfterEach();

describe('a fast client of `ws` and a server that takes its time', () => {
  it('lose and reorder nothing of 200 MiB, and keep next to nothing of it', async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const { port, subscription, connections } = await run(server);
    ends(() => subscription.unsubscribe());
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    ends(() => client.terminate());
    await once(client, 'open');
    const connection = connections[0] as Connection;
    const watch = watchMemory(connection);
    const sent = sendAll(client);
    const order = new Order();

    // One message a few turns of the event loop, as slow as the loop allows without a clock.
    for await (const message of connection) {
      order.take(message);
      watch.look();
      for (let i = 0; i < 3; i++) await turn();
      if (order.count === 200) break;
    }

    // Nobody at all: the client comes to a standstill.
    await standstill(client, connection);
    expect(connection.stats.messagesReceived).toBeLessThan(210);
    expect(client.bufferedAmount).toBeGreaterThan(0);
    watch.look();

    await new Promise<void>((resolve) => {
      const taking = connection.messages$.subscribe((message) => {
        order.take(message);
        watch.look();
        if (order.count < 1_700) return;
        taking.unsubscribe();
        resolve();
      });
    });
    await standstill(client, connection);
    watch.look();

    await new Promise<void>((resolve) => {
      connection.messages$.subscribe((message) => {
        order.take(message);
        watch.look();
        if (order.count === COUNT) resolve();
      });
    });
    await sent;
    expect([order.mistakes, order.count]).toEqual([0, COUNT]);
    expect(watch.inboxBytes).toBeLessThanOrEqual(MARK + SIZE + 128 + READ);
    expect(watch.arrayBuffers).toBeLessThan(FLAT);
    expect(watch.rss).toBeLessThan(FLAT);
  });
});

/** Checks that messages come in the order in which {@link sendAll} sends them. */
class Order {
  count = 0;
  mistakes = 0;

  take(message: unknown): void {
    const bytes = message as Buffer;
    const isNext =
      bytes.length === SIZE && bytes.readUInt32BE(0) === this.count && bytes[SIZE - 1] === this.count % 256;
    if (!isNext) this.mistakes++;
    this.count++;
  }
}

/** Sends numbered messages, as fast as the socket takes them. */
async function sendAll(client: WebSocket): Promise<void> {
  for (let i = 0; i < COUNT; i++) {
    const message = Buffer.alloc(SIZE, i % 256);
    message.writeUInt32BE(i, 0);
    await new Promise<void>((resolve, reject) => {
      const sent = (error?: Error | null): void => (error == null ? resolve() : reject(error));
      if (client.bufferedAmount < 4 * SIZE) {
        client.send(message);
        resolve();
      } else client.send(message, sent);
    });
  }
}

/** Waits until nothing moves any more between the two. */
async function standstill(client: WebSocket, connection: Connection): Promise<void> {
  let still = 0;
  let seen = -1;
  while (still < 200) {
    await turn();
    const now = connection.bytesReceived + client.bufferedAmount;
    still = now === seen ? still + 1 : 0;
    seen = now;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface MemoryWatch {
  /** The most that was seen since the beginning. In bytes. */
  inboxBytes: number;
  arrayBuffers: number;
  rss: number;
  look(): void;
}

function watchMemory(connection: Connection): MemoryWatch {
  const before = process.memoryUsage();
  let looks = 0;
  return {
    inboxBytes: 0,
    arrayBuffers: 0,
    rss: 0,
    look() {
      this.inboxBytes = Math.max(this.inboxBytes, connection.stats.inboxBytes);
      if (looks++ % 20 !== 0) return;
      const { arrayBuffers, rss } = process.memoryUsage();
      this.arrayBuffers = Math.max(this.arrayBuffers, arrayBuffers - before.arrayBuffers);
      this.rss = Math.max(this.rss, rss - before.rss);
    },
  };
}
