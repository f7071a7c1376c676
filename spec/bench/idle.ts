/** Memory of the server per connection that is open and silent. */
import { setTimeout as delay } from 'node:timers/promises';
import { openFileLimit, residentBytes } from '../support/process-figures.js';
import type { LoadGenerator } from './load.js';
import type { BenchOptions } from './options.js';
import { type Compression, compressedBytes, compressedConnections, idleConnections } from './profiles.js';
import { type RunningServer, type ServerName, startServer } from './servers.js';

/** One server, in one round. */
export interface IdleSample {
  readonly server: ServerName;
  readonly bytesPerConnection: number;
}

const settleMillis = 1500;

/** Measures each server in a process of its own for each round. @throws Error when not enough files may be open. */
export async function measureIdle(
  load: LoadGenerator,
  { servers, rounds }: Pick<BenchOptions, 'servers' | 'rounds'>,
): Promise<IdleSample[]> {
  if (openFileLimit() < idleConnections + 100) {
    throw new Error(`${idleConnections} connections need a higher limit of open files: ulimit -n 20000`);
  }
  const samples: IdleSample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const name of servers) {
      const server = await startServer(name);
      try {
        const hold: Hold = (connections) => load.hold(server.port, connections);
        samples.push({ server: name, bytesPerConnection: await bytesPerConnection(server, hold, idleConnections) });
      } finally {
        await server.stop();
      }
    }
  }
  return samples;
}

/** Memory after each connection has echoed one compressed message: one server, in one round. */
export interface CompressedSample extends IdleSample {
  readonly compression: Compression;
}

/** What the servers are warmed up with. */
const compressedTraffic = {
  name: 'traffic',
  bytes: compressedBytes,
  kind: 'text',
  connections: 64,
  inFlight: 16,
  compression: 'message',
} as const;

/** Measures each server, with and without context, in a process of its own for each round. */
export async function measureCompressedMemory(
  load: LoadGenerator,
  { servers, rounds }: Pick<BenchOptions, 'servers' | 'rounds'>,
): Promise<CompressedSample[]> {
  const samples: CompressedSample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const compression of ['message', 'context'] as const) {
      for (const name of servers) {
        const server = await startServer(name, { bytes: compressedBytes, kind: 'text', compression });
        try {
          const hold: Hold = (connections) => load.echoOnce(server.port, connections, compressedBytes);
          // The young generation of the heap grows with traffic, whoever makes it: that is not the cost of a connection either.
          await load.echo(server.port, compressedTraffic, 1);
          const bytes = await bytesPerConnection(server, hold, compressedConnections);
          samples.push({ server: name, compression, bytesPerConnection: bytes });
        } finally {
          await server.stop();
        }
      }
    }
  }
  return samples;
}

/** Opens connections and does with them what is measured; resolves to the function that cuts them. */
type Hold = (connections: number) => Promise<() => Promise<void>>;

async function bytesPerConnection(server: RunningServer, hold: Hold, connections: number): Promise<number> {
  // Once around first: what the first connections load and compile stays, and is not the cost of a connection.
  const cutFew = await hold(200);
  await cutFew();
  const before = await settledBytes(server);
  const cut = await hold(connections);
  const after = await settledBytes(server);
  await cut();
  return (after - before) / connections;
}

async function settledBytes(server: RunningServer): Promise<number> {
  await delay(settleMillis);
  await server.collectGarbage();
  await server.collectGarbage();
  return residentBytes(server.pid);
}
