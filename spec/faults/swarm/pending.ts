/** Peers whose hook has no answer. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handshake } from '../../support/raw-client.js';
import { inParallel, machineMillis } from './mass-peer.js';

/** Where peers go whose hook has no answer. */
export interface PendingOptions {
  readonly port: number;
  readonly count: number;
  readonly path: string;
}

/** Sends complete requests, to which a hook has no answer, and leaves before one comes: half with FIN, half with a reset. */
export async function leavePending({ port, count, path }: PendingOptions): Promise<void> {
  await inParallel(count, 50, async (index) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.write(handshake({ path }), resolve));
    // So long that most requests have reached the hook.
    await delay(2);
    if (index % 2 === 0) socket.end();
    else socket.resetAndDestroy();
    socket.resume();
    await gone;
  });
}

/** Sends complete requests, to which a hook has no answer, and waits until the server is rid of them. Times are milliseconds. */
export async function stall({ port, count, path }: PendingOptions): Promise<StallResult> {
  const answers: Record<number, number> = {};
  const times: number[] = [];
  await inParallel(count, count, async () => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    const began = machineMillis();
    socket.write(handshake({ path }));
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    await once(socket, 'close');
    times.push(machineMillis() - began);
    const status = Number(answer.slice(9, 12));
    answers[status] = (answers[status] ?? 0) + 1;
  });
  return { answers, fastest: Math.min(...times), slowest: Math.max(...times) };
}

/** What peers saw whose hook has no answer. */
export interface StallResult {
  /** By status; 0 for none. */
  readonly answers: Readonly<Record<number, number>>;
  readonly fastest: number;
  readonly slowest: number;
}
