/** The servers under test, as child processes on CPU 0. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stopChild } from '../support/stop-child.js';
import type { EchoProfile } from './profiles.js';

/** sluice, the library it is compared with, and the floor. */
export const serverNames = ['sluice', 'ws', 'net'] as const;
export type ServerName = (typeof serverNames)[number];

export function isServerName(name: string): name is ServerName {
  return (serverNames as readonly string[]).includes(name);
}

/** A server that listens. */
export interface RunningServer {
  readonly name: ServerName;
  readonly pid: number;
  readonly port: number;
  /** Resolves when the garbage is collected. */
  collectGarbage(): Promise<void>;
  /** The longest that its event loop was blocked since the last question, in milliseconds. */
  longestBlock(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server on a free port. Only `net` needs to know the `frames` that will come. */
export async function startServer(
  name: ServerName,
  frames: Pick<EchoProfile, 'bytes' | 'kind' | 'compression'> = { bytes: 32, kind: 'text' },
  does: 'echo' | 'broadcast' = 'echo',
): Promise<RunningServer> {
  const script = join(import.meta.dirname, 'servers', `${name}${does === 'echo' ? '' : '-broadcast'}.mjs`);
  const child = spawn(
    'taskset',
    [
      '-c',
      '0',
      process.execPath,
      '--expose-gc',
      script,
      String(frames.bytes),
      frames.kind,
      frames.compression ?? 'none',
    ],
    {
      // ws as npm installs it: its addon for masks is an optional package of its own.
      env: { ...process.env, WS_NO_BUFFER_UTIL: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const { listening } = (await messageOf(child, name)) as { listening: number };
  return {
    name,
    pid: child.pid!,
    port: listening,
    async collectGarbage() {
      child.send('gc');
      await messageOf(child, name);
    },
    async longestBlock() {
      child.send('block');
      const { block } = (await messageOf(child, name)) as { block: number };
      return block;
    },
    stop: () => stopChild(child),
  };
}

async function messageOf(child: ChildProcess, name: string): Promise<unknown> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`server ${name} ended with ${code}`))),
    ]);
  } finally {
    stop.abort();
  }
}
