import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectTcp, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, NEVER, VirtualTimeScheduler } from 'rxjs';
import { type ServeOptions, serve } from 'sluice';
import { HandshakeDeadlines } from '../../src/net/handshake-deadlines.js';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { echo, run } from '../support/running-server.js';
import { serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();
const { connect, connectTls } = rawPeers(atEnd);

const impatient = { port: 0, host: '127.0.0.1', handshakeTimeout: 60 } as const;

async function start(options: ServeOptions): Promise<number> {
  const { port, subscription } = await run(serve(options));
  atEnd(() => subscription.unsubscribe());
  return port;
}

/** The sockets of the next connection that a server of this process accepts. */
function nextAccepted(): Promise<[Socket]> {
  return new Promise((resolve) => {
    const onSocket = (message: unknown): void => {
      unsubscribe('net.server.socket', onSocket);
      resolve([(message as { socket: Socket }).socket]);
    };
    subscribe('net.server.socket', onSocket);
  });
}

function socketPath(): string {
  return join(tmpdir(), `sluice-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
}

describe('a peer that is late with its request', () => {
  it('gets 408 when it sends nothing', async () => {
    const raw = await connect(await start(impatient));
    expect((await raw.response()).status).toBe(408);
    expect(await raw.ended()).toBe('end');
  });

  it('gains no time by sending byte after byte', async () => {
    const raw = await connect(await start(impatient));
    const request = handshake();
    let sent = 0;
    const drip = setInterval(() => raw.write(request.slice(sent, ++sent)), 5);
    atEnd(() => clearInterval(drip));
    expect((await raw.response()).status).toBe(408);
    expect(sent).toBeLessThan(request.length);
  });

  it.each([
    ['handshake', handshake()],
    ['plain request', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX: a-field-that-takes-some-time\r\n\r\nbody'],
  ])('is not asked about when the rest of a %s comes behind the 408', async (_, request) => {
    const asked: unknown[] = [];
    const port = await start({ ...impatient, verifyClient: (info) => asked.push(info) > 0 });
    const accepted = nextAccepted();
    const raw = await connect(port);
    const [socket] = await accepted;
    raw.write(request.slice(0, 50));
    expect((await raw.response()).status).toBe(408);
    const gone = once(socket, 'close');
    raw.socket.end(request.slice(50));
    await gone;
    expect(asked).toEqual([]);
    expect(raw.received.toString()).not.toContain('HTTP/1.1');
  });

  it('gets 408 on a Unix socket', async () => {
    const path = socketPath();
    const server = serve({ socketPath: path, handshakeTimeout: 60 });
    const listening = firstValueFrom(server.listening$);
    const subscription = server.subscribe();
    atEnd(() => subscription.unsubscribe());
    await listening;
    const raw = await connect({ path });
    expect((await raw.response()).status).toBe(408);
  });

  it('is cut off without a word before TLS is up', async () => {
    const raw = await connect(await start({ ...impatient, ...serverPair }));
    await raw.ended();
    expect(raw.received).toHaveLength(0);
  });

  it('is cut off before TLS is up on a Unix socket', async () => {
    const path = socketPath();
    const server = serve({ socketPath: path, handshakeTimeout: 60, ...serverPair });
    const listening = firstValueFrom(server.listening$);
    const subscription = server.subscribe();
    atEnd(() => subscription.unsubscribe());
    await listening;
    const raw = await connect({ path });
    await raw.ended();
    expect(raw.received).toHaveLength(0);
  });

  it('gets 408 over TLS once that is up', async () => {
    const raw = await connectTls(await start({ ...impatient, handshakeTimeout: 200, ...serverPair }));
    expect((await raw.response()).status).toBe(408);
    await raw.ended();
  });

  it('is cut off when the server stops', async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const { port, subscription } = await run(server);
    const silent = await connect(port);
    const begun = await connect(port);
    await begun.send(handshake().slice(0, 60));
    const done = await connect(port);
    done.write(handshake());
    expect((await done.response()).status).toBe(101);
    subscription.unsubscribe();
    await Promise.all([silent.ended(), begun.ended()]);
    expect((await done.frame()).payload.readUInt16BE()).toBe(1001);
  });
});

describe('the time for a handshake', () => {
  it('counts hooks from the connect of the socket, and ends with 503', async () => {
    const raw = await connect(await start({ ...impatient, authenticate: () => NEVER }));
    raw.write(handshake());
    expect((await raw.response()).status).toBe(503);
    expect(await raw.ended()).toBe('end');
  });

  it('is over when the connection is open', async () => {
    const scheduler = new VirtualTimeScheduler();
    const raw = await connect(await start({ port: 0, host: '127.0.0.1', heartbeat: false, scheduler }));
    raw.write(handshake());
    expect((await raw.response()).status).toBe(101);
    expect(scheduler.actions.filter((action) => !action.closed)).toEqual([]);
  });

  it('is the same over TLS', async () => {
    const scheduler = new VirtualTimeScheduler();
    const raw = await connectTls(
      await start({ port: 0, host: '127.0.0.1', heartbeat: false, scheduler, ...serverPair }),
    );
    raw.write(handshake());
    expect((await raw.response()).status).toBe(101);
    expect(scheduler.actions.filter((action) => !action.closed)).toEqual([]);
  });
});

describe('peers over TLS that look alike', () => {
  /** A server whose time goes by when the scheduler is flushed, with an echo. */
  async function startEcho(place: ServeOptions): Promise<{ port: number; timePasses: () => void }> {
    const scheduler = new VirtualTimeScheduler();
    const { port, subscription } = await run(serve({ heartbeat: false, scheduler, ...serverPair, ...place }), echo);
    atEnd(() => subscription.unsubscribe());
    return { port, timePasses: () => scheduler.flush() };
  }

  async function open(raw: RawClient): Promise<RawClient> {
    atEnd(() => raw.close());
    raw.write(handshake());
    expect((await raw.response()).status).toBe(101);
    return raw;
  }

  async function expectEcho(raw: RawClient): Promise<void> {
    raw.write(wire('server', [text('still here')]));
    expect((await raw.frame()).payload.toString()).toBe('still here');
  }

  it.each([
    ['the first first', [0, 1]],
    ['the last first', [1, 0]],
  ])('are told apart by our end, where one port of theirs leads to two addresses of ours: %s', async (_, order) => {
    const { port, timePasses } = await startEcho({ port: 0, host: '0.0.0.0' });
    const sockets: Socket[] = [];
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const localPort = sockets[0]?.localPort ?? 0;
      const accepted = nextAccepted();
      const socket = connectTcp({ host, port, localAddress: '127.0.0.1', localPort });
      atEnd(() => socket.destroy());
      await Promise.all([once(socket, 'connect'), accepted]);
      sockets.push(socket);
    }
    expect(sockets[0]?.localPort).toBe(sockets[1]?.localPort);
    const peers: RawClient[] = [];
    for (const index of order) peers.push(await open(await RawClient.secure(sockets[index]!)));
    timePasses();
    for (const peer of peers) await expectEcho(peer);
  });

  it('are told apart on a Unix socket, where they have no address', async () => {
    const path = socketPath();
    const { timePasses } = await startEcho({ socketPath: path });
    const late = await connectTls({ path });
    const peer = await open(await RawClient.connectTls({ path }));
    timePasses();
    expect((await late.response()).status).toBe(408);
    await expectEcho(peer);
  });
});

describe('the port of a TLS peer that has gone', () => {
  it('belongs to whom has it next, though the socket of the first closes late', () => {
    const scheduler = new VirtualTimeScheduler();
    const deadlines = new HandshakeDeadlines(1_000, scheduler, true);
    const place = { remoteAddress: { value: '10.0.0.1' }, remotePort: { value: 5000 } };
    const socket = (): Socket => Object.defineProperties(new Socket(), place);
    const [first, second, secured] = [socket(), socket(), socket()];
    let connectedAt: number | undefined;
    deadlines.begin(first);
    scheduler.schedule(() => deadlines.begin(second), 400);
    scheduler.schedule(() => first.emit('close'), 500);
    scheduler.schedule(() => {
      deadlines.secured(secured);
      connectedAt = deadlines.end(secured);
    }, 700);
    scheduler.flush();
    expect(connectedAt).toBe(400);
  });
});
