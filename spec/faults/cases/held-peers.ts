/** Peers that do not read for a while, or slowly: whether they are taken for dead, and whether anything is lost. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { firstValueFrom } from 'rxjs';
import { type Connection, type HeartbeatOptions, openConnection, type ServeOptions, serve } from 'sluice';
import { handshake } from '../../support/raw-client.js';
import { ca, serverPair } from '../../support/tls.js';
import { exactly, type FaultCase, type Finding, type Scale, timeText } from '../fault-case.js';
import { HostilePeer } from '../hostile-peer.js';

const MiB = 1_048_576;
const message = Buffer.alloc(65_536, 'x');
const messages = 160;

/** Of both ends, and how long the peer holds, in milliseconds. */
interface Times {
  readonly heartbeat: HeartbeatOptions;
  readonly afterAnswer: number;
  readonly fromStart: number;
}

/** In full with the defaults; else so that the whole takes seconds. */
const timesOf: Readonly<Record<Scale, Times>> = {
  full: { heartbeat: {}, afterAnswer: 180_000, fromStart: 100_000 },
  short: {
    heartbeat: { interval: 500, timeout: 500, stalledTimeout: 4_000 },
    afterAnswer: 6_000,
    fromStart: 2_500,
  },
};

/**
 * So that what the buffers of two kernels hold is read in less than `stalledTimeout`, and the message takes longer than that. In bytes per
 * millisecond.
 */
const BYTES_PER_MS = 8_000;
const size = 128 * MiB;

/** No pings are read meanwhile, and it takes longer than any of these. */
const slowHeartbeat = { interval: 1_000, timeout: 1_000, stalledTimeout: 6_000 };

/** All of them at once: they do little but wait. */
export const heldPeers: FaultCase = {
  name: 'peers that hold what is sent to them',
  waits: true,
  async run(scale) {
    const times = timesOf[scale];
    const ways = (['server', 'client'] as const).flatMap((sender) => [
      held(sender, times, 'first'),
      held(sender, times, 'answered'),
    ]);
    return (await Promise.all(ways)).flat();
  },
};

/** What is on its way is one write, that leaves little by little. */
export const slowReaders: FaultCase = {
  name: 'peers that read one large message slowly',
  waits: true,
  async run() {
    return (await Promise.all([slowReader('ws'), slowReader('wss')])).flat();
  },
};

/** One end holds 10 MiB, from the beginning or after it has answered a ping. */
async function held(sends: 'server' | 'client', times: Times, from: 'first' | 'answered'): Promise<Finding[]> {
  const { server, client, stop } = await connected(times.heartbeat);
  const [sender, holder] = sends === 'server' ? [server, client] : [client, server];
  const closes: string[] = [];
  sender.close$.subscribe(({ code, error }) => closes.push(error?.message ?? `${code}`));
  sender.ignoreMessages();
  let count = 0;
  holder.messages$.subscribe(() => count++);
  if (from === 'answered') await firstValueFrom(sender.pongs$);
  const millis = from === 'answered' ? times.afterAnswer : times.fromStart;
  const hold = holder.hold();
  for (let i = 0; i < messages; i++) sender.send.next(message);
  await delay(millis);
  hold.unsubscribe();
  await until(() => count === messages || closes.length > 0);
  stop();
  const since = from === 'answered' ? 'after an answered ping' : 'from the beginning';
  const what = `a ${sends === 'server' ? 'client' : 'server'} that holds 10 MiB for ${timeText(millis)} ${since}`;
  return [exactly(`${what}: messages`, messages, count), exactly('given up', '', closes.join())];
}

interface Pair {
  readonly server: Connection;
  readonly client: Connection;
  readonly stop: () => void;
}

async function connected(heartbeat: HeartbeatOptions): Promise<Pair> {
  const options = { heartbeat, perMessageDeflate: false };
  const { port, accepted, stop } = await listening(options);
  const client = await openConnection(`ws://127.0.0.1:${port}`, [], options);
  return { server: await accepted, client, stop };
}

/** A peer that answers nothing reads one message slowly: that its bytes leave is the only sign of life. */
async function slowReader(scheme: 'ws' | 'wss'): Promise<Finding[]> {
  const tls = scheme === 'wss' ? serverPair : {};
  const { port, accepted, stop } = await listening({ heartbeat: slowHeartbeat, perMessageDeflate: false, ...tls });
  const peer = scheme === 'wss' ? await securePeer(port) : await HostilePeer.open(port);
  const conn = await accepted;
  const closes: string[] = [];
  conn.close$.subscribe(({ code, error }) => closes.push(error?.message ?? `${code}`));
  readSlowly(peer.socket);
  conn.send.next(Buffer.alloc(size));
  await until(() => peer.receivedBytes > size || closes.length > 0);
  const [received, reasons] = [peer.receivedBytes > size, closes.join()];
  peer.socket.destroy();
  stop();
  const what = `a peer over ${scheme === 'wss' ? 'TLS' : 'TCP'} that reads ${size / MiB} MiB in one message at 8 MB/s`;
  const findings = [exactly(`${what}: received`, 'all', received ? 'all' : 'a part'), exactly('given up', '', reasons)];
  // On a machine that does much else, the peer is even slower.
  return findings.map((finding) => ({ ...finding, isNoisy: true }));
}

async function securePeer(port: number): Promise<HostilePeer> {
  const socket = connectTls({ port, host: '127.0.0.1', ca });
  const peer = new HostilePeer(socket);
  await once(socket, 'secureConnect');
  socket.write(handshake({ path: '/' }), 'latin1');
  await until(() => peer.status !== undefined);
  return peer;
}

function readSlowly(socket: Socket): void {
  socket.on('data', ({ length }: Buffer) => {
    socket.pause();
    setTimeout(() => socket.resume(), length / BYTES_PER_MS);
  });
}

async function listening(
  options: ServeOptions,
): Promise<{ readonly port: number; readonly accepted: Promise<Connection>; readonly stop: () => void }> {
  const server = serve({ host: '127.0.0.1', port: 0, ...options });
  let accept: (connection: Connection) => void;
  const accepted = new Promise<Connection>((resolve) => {
    accept = resolve;
  });
  const address = firstValueFrom(server.listening$);
  const subscription = server.subscribe((connection) => accept(connection as Connection));
  const { port } = (await address) as AddressInfo;
  return { port, accepted, stop: () => subscription.unsubscribe() };
}

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await delay(20);
}
