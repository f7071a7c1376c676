/** Memory of the server per connection that is open and silent. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadGenerator } from './load.js';
import type { BenchOptions } from './options.js';
import { openFileLimit, residentBytes } from './process-figures.js';
import { idleConnections } from './profiles.js';
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
        samples.push({ server: name, bytesPerConnection: await bytesPerConnection(load, server) });
      } finally {
        await server.stop();
      }
    }
  }
  return samples;
}

async function bytesPerConnection(load: LoadGenerator, server: RunningServer): Promise<number> {
  // Once around first: what the first connections load and compile stays, and is not the cost of a connection.
  const cutFew = await load.hold(server.port, 200);
  await cutFew();
  const before = await settledBytes(server);
  const cut = await load.hold(server.port, idleConnections);
  const after = await settledBytes(server);
  await cut();
  return (after - before) / idleConnections;
}

async function settledBytes(server: RunningServer): Promise<number> {
  await delay(settleMillis);
  await server.collectGarbage();
  await server.collectGarbage();
  return residentBytes(server.pid);
}
