/** Peers that reset their connection at a certain moment. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { handshake } from '../../support/raw-client.js';
import { inParallel, MassPeer, shortFrame } from './mass-peer.js';

/** The moments. Over TLS only those whose name says so. */
export const resetMoments = {
  'at the connect': (port) => cut(port, ''),
  'within the request': (port) => cut(port, handshake().slice(0, 70)),
  'behind the request, before the 101': (port) => cut(port, handshake()),
  'behind a request that is refused': (port) => cut(port, handshake({ headers: { 'Sec-WebSocket-Key': 'none' } })),
  'with the first byte of the 101': async (port) => {
    const socket = await connected(port);
    socket.write(handshake());
    await once(socket, 'data');
    await reset(socket);
  },
  'with the first byte of a refusal': async (port) => {
    const socket = await connected(port);
    socket.write(handshake({ headers: { 'Sec-WebSocket-Key': 'none' } }));
    await once(socket, 'data');
    await reset(socket);
  },
  'when open and idle': (port) => behind(port),
  'within a frame': (port) => behind(port, shortFrame(0x1, 'half of it').subarray(0, 9)),
  'between two fragments': (port) => behind(port, Buffer.from('0181000000006180', 'hex')),
  'behind a frame, before its echo': (port) => behind(port, shortFrame(0x1, 'echo')),
  'behind its Close frame': (port) => behind(port, shortFrame(0x8, Buffer.from([3, 232]))),
  'with our Close frame, behind a fault of its own': async (port) => {
    const peer = await opened(port);
    // An opcode that does not exist: the server fails the connection.
    peer.socket.write(shortFrame(0x3));
    await new Promise<void>((resolve) => {
      peer.isMute = true;
      peer.events = { gone: resolve };
      peer.socket.once('data', () => peer.socket.resetAndDestroy());
    });
  },
} as const satisfies Readonly<Record<string, (port: number) => Promise<void>>>;

/** The same over TLS. */
export const tlsResetMoments = {
  'before the first byte of TLS': (port) => cut(port, ''),
  'within the ClientHello': (port) => cut(port, Buffer.from('16030100c8010000c40303', 'hex')),
  'behind the ClientHello': (port) => cutTls(port, 'below'),
  'when TLS is up': (port) => cutTls(port, 'secure'),
  'within a request over TLS': (port) => cutTls(port, 'request'),
  'behind a request over TLS': (port) => cutTls(port, 'upgrade'),
  'when open over TLS': (port) => cutTls(port, 'open'),
} as const satisfies Readonly<Record<string, (port: number) => Promise<void>>>;

const moments: Readonly<Record<string, (port: number) => Promise<void>>> = { ...resetMoments, ...tlsResetMoments };

/** Connects and resets at the same moment each time. */
export async function resetAt({ port, count, moment }: { port: number; count: number; moment: string }): Promise<void> {
  const act = moments[moment];
  if (act === undefined) throw new Error(`no moment ${moment}`);
  await inParallel(count, 50, () => act(port));
}

async function connected(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function reset(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const gone = once(socket, 'close');
  socket.resetAndDestroy();
  await gone;
}

/** Writes, and resets once the kernel has it. */
async function cut(port: number, bytes: string | Buffer): Promise<void> {
  const socket = await connected(port);
  if (bytes.length > 0) await new Promise((resolve) => socket.write(bytes, resolve));
  await reset(socket);
}

async function opened(port: number): Promise<MassPeer> {
  const peer = await MassPeer.open(port);
  if (peer === undefined) throw new Error('found a refusal, expected a handshake');
  return peer;
}

async function behind(port: number, bytes?: Buffer): Promise<void> {
  const { socket } = await opened(port);
  if (bytes !== undefined) await new Promise((resolve) => socket.write(bytes, resolve));
  await reset(socket);
}

async function cutTls(port: number, when: 'below' | 'secure' | 'request' | 'upgrade' | 'open'): Promise<void> {
  const below = await connected(port);
  const tls = connectTls({ socket: below, rejectUnauthorized: false });
  tls.on('error', () => {});
  // Somewhere within the handshake of TLS.
  if (when === 'below') await delay(Math.random() * 4);
  else await once(tls, 'secureConnect');
  if (when === 'request') tls.write(handshake().slice(0, 70));
  if (when === 'upgrade' || when === 'open') tls.write(handshake());
  if (when === 'open') await once(tls, 'data');
  else await new Promise((resolve) => setImmediate(resolve));
  await reset(below);
}
