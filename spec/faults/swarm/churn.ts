/** Peers that come and go. */
import { createConnection } from 'node:net';
import { handshake } from '../../support/raw-client.js';
import { inParallel, MassPeer, shortFrame } from './mass-peer.js';

const REQUEST = handshake();

/** Connects and leaves again, in turn with Close frames, with a reset, with a request that is refused, and with one that is cut. */
export async function churn({ port, cycles }: { port: number; cycles: number }): Promise<{ open: number }> {
  let open = 0;
  await inParallel(cycles, 100, async (index) => {
    if (index % 4 >= 2) return fail(port, index % 4 === 2);
    const peer = await MassPeer.open(port);
    if (peer === undefined) return;
    open++;
    const gone = new Promise<void>((resolve) => {
      peer.events = { gone: resolve };
    });
    if (index % 4 === 0) peer.socket.write(shortFrame(0x8, Buffer.from([3, 232])));
    else peer.socket.resetAndDestroy();
    await gone;
  });
  return { open };
}

function fail(port: number, isRefused: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('connect', () => {
      if (isRefused) socket.end(handshake({ headers: { 'Sec-WebSocket-Key': 'none' } }));
      else socket.write(REQUEST.slice(0, 60), () => socket.resetAndDestroy());
    });
    socket.resume();
  });
}
