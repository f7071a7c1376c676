/** Memory of the server per connection that is open and silent. */
import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../support/process-figures.js';
import type { LoadGenerator } from './load.js';
import { type Compression, compressedBytes, compressedConnections, idleConnections, type Profile } from './profiles.js';
import type { Sample } from './samples.js';
import { type RunningServer, type ServerName, startServer } from './servers.js';

const settleMillis = 1500;

/** About how long one server takes in one round, in seconds. */
export const idleSeconds = 6;

/** The growth of one server for each idle connection, in a process of its own. */
export async function measureIdle(load: LoadGenerator, name: ServerName, root = '.'): Promise<Sample> {
  const server = await startServer(name, undefined, { root });
  try {
    const hold: Hold = (connections) => load.hold(server.port, connections);
    return { server: name, cost: await bytesPerConnection(server, hold, idleConnections) };
  } finally {
    await server.stop();
  }
}

/** The same after each connection has echoed one compressed message. */
export async function measureCompressedMemory(
  load: LoadGenerator,
  name: ServerName,
  compression: Compression,
): Promise<Sample> {
  const server = await startServer(name, { ...compressedTraffic, compression });
  try {
    const hold: Hold = (connections) => load.echoOnce(server.port, connections, compressedBytes);
    // The young generation of the heap grows with traffic, whoever makes it: that is not the cost of a connection either.
    await load.run(server, compressedTraffic, { warmUp: 0.5, seconds: 1 });
    return { server: name, cost: await bytesPerConnection(server, hold, compressedConnections) };
  } finally {
    await server.stop();
  }
}

/** What the servers are warmed up with. */
const compressedTraffic: Profile = {
  name: 'traffic',
  bytes: compressedBytes,
  kind: 'text',
  connections: 64,
  inFlight: 16,
  compression: 'message',
};

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
