/** Peers of an http server that several share, which leave at a certain moment. See `subject/shared.mjs` for its paths. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type HandshakeParts, handshake } from '../../support/raw-client.js';
import { inParallel } from './mass-peer.js';

const paths = ['/esm', '/cjs', '/old', '/nope'] as const;
const open = 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n';
const h2c: HandshakeParts = { path: '/nope', headers: { Upgrade: 'h2c' } };

/** What a peer writes, and whether it waits for the first byte of an answer. */
interface Moment {
  readonly bytes: string;
  readonly isAnswered?: boolean;
}

/** By name the moments at which peers reset. */
export const sharedMoments: Readonly<Record<string, Moment>> = {
  'within the request': { bytes: handshake().slice(0, 70) },
  ...Object.fromEntries(paths.map((path) => [`behind the request for ${path}`, { bytes: handshake({ path }) }])),
  ...Object.fromEntries(
    paths.slice(0, 3).map((path) => [`when open on ${path}`, { bytes: handshake({ path }), isAnswered: true }]),
  ),
  'behind frames that came too early': { bytes: `${handshake({ path: '/nope' })}\x81\x80\0\0\0\0` },
  'behind another upgrade': { bytes: handshake(h2c) },
  'while a hook decides': { bytes: handshake({ path: '/cjs?stalls' }) },
  'behind a request that is open': { bytes: open + handshake({ path: '/esm' }) },
  'behind a request that is open, for a path of none': { bytes: open + handshake({ path: '/nope' }) },
};

/** Connects and resets at the same moment each time, a little after what was written has left. */
export async function resetShared({
  port,
  count,
  moment,
}: {
  port: number;
  count: number;
  moment: string;
}): Promise<void> {
  const { bytes, isAnswered = false } = sharedMoments[moment] as Moment;
  await inParallel(count, 50, async () => {
    const socket = await written(port, bytes);
    if (isAnswered && socket.bytesRead === 0) await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    // What is reset at once, the server may not see at all.
    await delay(Math.random() * 4);
    if (socket.closed) return;
    const gone = once(socket, 'close');
    socket.resetAndDestroy();
    await gone;
  });
}

/** Peers that stay, whatever the server does. */
const staying: Socket[] = [];

/** Asks for what no listener takes, and stays: half of the peers end their side, and all of them keep it open otherwise. */
export async function stayShared({ port, count }: { port: number; count: number }): Promise<void> {
  await inParallel(count, 50, async (index) => {
    const socket = await written(port, handshake(index % 4 < 2 ? { path: '/nope' } : h2c));
    if (index % 2 === 0) socket.end();
    staying.push(socket);
  });
}

/** Ends those that stayed. */
export async function leaveShared(): Promise<void> {
  for (const socket of staying.splice(0)) socket.destroy();
}

async function written(port: number, bytes: string): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(bytes, 'latin1', resolve));
  return socket;
}
