/** Peers whose handshake never ends. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handshake } from '../../support/raw-client.js';
import { inParallel, machineMillis } from './mass-peer.js';

/** How many connect at a time. */
const WIDTH = 200;

/** Between two connects of the same lane, in milliseconds: 8 000 a second in all. */
const PAUSE = 25;

const REQUEST = handshake();

interface SlowPeer {
  readonly socket: Socket;
  readonly beganAt: number;
  readonly connectedAt: number;
  endedAt: number | undefined;
}

const slowPeers: SlowPeer[] = [];
let dripping: NodeJS.Timeout | undefined;

/**
 * Connects peers that never come to the end of their request: a third says nothing, a third stops within a field, a third sends one
 * byte a second. Resolves when all are connected.
 */
export async function slow({ port, count }: { port: number; count: number }): Promise<{ connected: number }> {
  await inParallel(count, WIDTH, async (index) => {
    await connectSlow(port, index);
    await delay(PAUSE);
  });
  let at = 0;
  dripping = setInterval(() => {
    for (const [index, { socket }] of slowPeers.entries()) {
      if (index % 3 === 2 && socket.writable) socket.write(REQUEST.charAt(at % (REQUEST.length - 4)));
    }
    at++;
  }, 1_000);
  return { connected: slowPeers.length };
}

function connectSlow(port: number, index: number): Promise<void> {
  return new Promise((resolve) => {
    const beganAt = machineMillis();
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.on('connect', () => {
      const peer: SlowPeer = { socket, beganAt, connectedAt: machineMillis(), endedAt: undefined };
      slowPeers.push(peer);
      // Its answer is read: what counts is when the server is rid of it.
      socket.resume();
      socket.on('close', () => {
        peer.endedAt = machineMillis();
      });
      if (index % 3 === 1) socket.write(REQUEST.slice(0, 100));
      resolve();
    });
    socket.on('close', () => resolve());
  });
}

/**
 * Waits until the server has ended all slow ones. In milliseconds how long they were suffered: the shortest time from the begin of
 * the connect, the longest from its end.
 */
export async function slowEnded(): Promise<{ shortest: number; longest: number }> {
  await Promise.all(slowPeers.map(({ socket }) => socket.closed || once(socket, 'close')));
  clearInterval(dripping);
  const ended = slowPeers.splice(0);
  const since = (begin: 'beganAt' | 'connectedAt'): number[] =>
    ended.map((peer) => (peer.endedAt as number) - peer[begin]);
  return { shortest: Math.min(...since('beganAt')), longest: Math.max(...since('connectedAt')) };
}
