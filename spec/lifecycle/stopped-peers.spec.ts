/** Peers that stand still, over real sockets: a process that is stopped, and `ws` that reads no more. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, take } from 'rxjs';
import { type Connection, connect, type HeartbeatOptions, openConnection, type ServeOptions, serve } from 'sluice';
import { WebSocket } from 'ws';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';
import { stopChild } from '../support/stop-child.js';
import { serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

/** So short that a connection that is given up too early is given up while the spec waits. */
const SHORT = { interval: 100, timeout: 500 };
/** Longer than any spec takes. */
const LONG = 600_000;

const message = Buffer.alloc(65_536, 'x');
const messages = 160;
const total = message.length * messages;

/** A connection of ours, and its peer. */
interface Conversation {
  readonly conn: Connection<unknown>;
  /** The peer stands still. */
  readonly stop: () => void;
  /** It goes on. */
  readonly go: () => void;
  /** How many bytes of messages it has received. */
  readonly received: () => Promise<number>;
}

type Open = (heartbeat: HeartbeatOptions) => Promise<Conversation>;

const peers: Readonly<Record<string, Open>> = {
  'a stopped client': (heartbeat) => stoppedClient({ heartbeat, host: '127.0.0.1', port: 0 }, 'ws'),
  'a stopped client over TLS': (heartbeat) =>
    stoppedClient({ heartbeat, host: '127.0.0.1', port: 0, ...serverPair }, 'wss'),
  'a stopped client on a Unix socket': stoppedOnUnixSocket,
  'a stopped server': stoppedServer,
  'a client of ws that is paused': pausedWs,
};

describe.each(Object.entries(peers))('%s', (_, open) => {
  it('is not given up while messages may stand in front of the ping, and loses nothing', async () => {
    const { conn, stop, go, received } = await open({ ...SHORT, stalledTimeout: LONG });
    await answered(conn);
    stop();
    for (let i = 0; i < messages; i++) conn.send.next(message);
    await heartbeats(4);
    expect(conn.readyState).toBe(1);
    go();
    await lastValueFrom(conn.flush());
    while ((await received()) < total) await heartbeats(1);
    // It answers pings again, and is watched as before.
    await answered(conn);
    expect({ received: await received(), state: conn.readyState }).toEqual({ received: total, state: 1 });
  });
});

const some = ['a stopped client', 'a stopped server', 'a client of ws that is paused'];

describe.each(Object.entries(peers).filter(([name]) => some.includes(name)))('%s', (_, open) => {
  it('is given up after stalledTimeout when it never goes on', async () => {
    const { conn, stop } = await open({ ...SHORT, stalledTimeout: 600 });
    await answered(conn);
    stop();
    for (let i = 0; i < messages; i++) conn.send.next(message);
    const info = await firstValueFrom(conn.close$);
    expect(info).toMatchObject({ code: 1006, error: { code: 'HEARTBEAT_TIMEOUT' } });
    expect(info.error?.message).toContain('no byte came or went for 600 ms');
  });

  it('is given up after timeout when nothing stands in front of the ping', async () => {
    const { conn, stop } = await open({ ...SHORT, stalledTimeout: LONG });
    conn.send.next('a');
    await lastValueFrom(conn.flush());
    // The second of them was sent after the message.
    await answered(conn);
    await answered(conn);
    stop();
    const info = await firstValueFrom(conn.close$);
    expect(info.error?.message).toBe('no byte came for 500 ms after a ping');
  });
});

/** The peer answers a ping of the heartbeat. */
async function answered(conn: Connection<unknown>): Promise<void> {
  await firstValueFrom(conn.pongs$);
}

/** As long as so many heartbeats of a peer that answers take. */
async function heartbeats(count: number): Promise<void> {
  const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1', heartbeat: SHORT }), (conn) => {
    conn.ignoreMessages();
  });
  const client = await openConnection(`ws://127.0.0.1:${port}`);
  client.ignoreMessages();
  await lastValueFrom(client.pings$.pipe(take(count)));
  client.terminate();
  subscription.unsubscribe();
}

function child(args: readonly string[]): ChildProcess {
  const process = fork('spec/lifecycle/foreign-peer.mjs', args, { execArgv: [] });
  atEnd(() => stopChild(process));
  return process;
}

function stoppable(process: ChildProcess, conn: Connection<unknown>): Conversation {
  conn.ignoreMessages();
  return {
    conn,
    stop: () => process.kill('SIGSTOP'),
    go: () => process.kill('SIGCONT'),
    received: async () => {
      process.send({});
      const [{ received }] = (await once(process, 'message')) as [{ received: number }];
      return received;
    },
  };
}

async function stoppedClient(options: ServeOptions, scheme: string): Promise<Conversation> {
  const { port, subscription, connections } = await run(serve({ perMessageDeflate: false, ...options }));
  atEnd(() => subscription.unsubscribe());
  const process = child(['client', `${scheme}://127.0.0.1:${port}`]);
  await until(() => connections.length > 0);
  return stoppable(process, connections[0] as Connection<unknown>);
}

async function stoppedOnUnixSocket(heartbeat: HeartbeatOptions): Promise<Conversation> {
  const folder = mkdtempSync(join(tmpdir(), 'stopped-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = join(folder, 'socket');
  const { subscription, connections } = await run(serve({ socketPath, heartbeat, perMessageDeflate: false }));
  atEnd(() => subscription.unsubscribe());
  const process = child(['client', `ws+unix:${socketPath}:/`]);
  await until(() => connections.length > 0);
  return stoppable(process, connections[0] as Connection<unknown>);
}

async function stoppedServer(heartbeat: HeartbeatOptions): Promise<Conversation> {
  const process = child(['server']);
  const [{ port }] = (await once(process, 'message')) as [{ port: number }];
  let conn: Connection<unknown> | undefined;
  const subscription = connect(`ws://127.0.0.1:${port}`, [], { heartbeat, perMessageDeflate: false }).subscribe({
    next: (each) => {
      conn = each;
    },
    // It is given up.
    error: () => {},
  });
  atEnd(() => subscription.unsubscribe());
  await until(() => conn !== undefined);
  return stoppable(process, conn as unknown as Connection<unknown>);
}

async function pausedWs(heartbeat: HeartbeatOptions): Promise<Conversation> {
  const options = { host: '127.0.0.1', port: 0, heartbeat, perMessageDeflate: false };
  const { port, subscription, connections } = await run(serve(options));
  atEnd(() => subscription.unsubscribe());
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  atEnd(() => client.terminate());
  client.on('error', () => {});
  let received = 0;
  client.on('message', (data: Buffer) => {
    received += data.length;
  });
  await until(() => connections.length > 0 && client.readyState === WebSocket.OPEN);
  const conn = connections[0] as Connection<unknown>;
  conn.ignoreMessages();
  return { conn, stop: () => client.pause(), go: () => client.resume(), received: async () => received };
}
