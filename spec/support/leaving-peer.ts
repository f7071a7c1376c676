import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Frame, wire } from './frames.js';
import { handshake } from './raw-client.js';

const script = join(process.cwd(), 'spec', 'support', 'peer-that-leaves.mjs');

/** Where a peer connects to. */
export interface LeavingPeerOptions {
  readonly place: { readonly port: number; readonly host?: string } | { readonly path: string };
  readonly secure?: boolean;
}

/**
 * A client in a process of its own opens a WebSocket, sends `frames`, and is killed as soon as its kernel has them. Resolves when it is
 * gone: whatever is written to it from then on is answered with a reset.
 */
export async function sendAndLeave(
  { place, secure = false }: LeavingPeerOptions,
  frames: readonly Frame[],
): Promise<void> {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exit = once(child, 'exit');
  child.send({ place, secure, request: handshake(), bytes: wire('server', frames).toString('base64') });
  await exit;
}
