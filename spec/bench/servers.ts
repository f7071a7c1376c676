/** The processes under test, as children on CPU 0. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stopChild } from '../support/stop-child.js';
import type { Profile, Role } from './profiles.js';

/** sluice, what it is compared with, and the floor. */
export const serverNames = ['sluice', 'ws', 'ws+bufferutil', 'websocket', 'faye-websocket', 'net'] as const;
export type ServerName = (typeof serverNames)[number];

export function isServerName(name: string): name is ServerName {
  return (serverNames as readonly string[]).includes(name);
}

/** A server that listens, or a client that waits to be told where to. */
export interface RunningServer {
  readonly name: ServerName;
  readonly pid: number;
  /** Where it listens; 0 for a client. */
  readonly port: number;
  /** Makes a client open so many connections to `port`. */
  dial(port: number, connections: number): void;
  /** Resolves when the garbage is collected. */
  collectGarbage(): Promise<void>;
  /** The longest that its event loop was blocked since the last question, in milliseconds. */
  longestBlock(): Promise<number>;
  /** Kills it; resolves when it is gone, at once where it is already. */
  stop(): Promise<void>;
  /** Lets it end by itself, so that it can write what `nodeOptions` asked of it. */
  end(): Promise<void>;
}

/** What a server needs to know of the load that will come. */
export type Frames = Pick<Profile, 'bytes' | 'kind' | 'compression' | 'does'>;

/** How it is started. */
export interface ServerStart {
  readonly nodeOptions?: readonly string[];
  /** The root of the package whose programs run, and with them its build. @default that of this checkout, where npm runs its scripts */
  readonly root?: string;
}

/** Starts a server on a free port. Only `net` needs to know the `frames` that will come. */
export async function startServer(
  name: ServerName,
  frames: Frames = { bytes: 32, kind: 'text' },
  start: ServerStart = {},
): Promise<RunningServer> {
  const child = spawnPinned(name, frames, start);
  const { listening } = (await messageOf(child, name)) as { listening: number };
  return {
    name,
    pid: child.pid!,
    port: listening,
    dial(port, connections) {
      child.send({ dial: port, connections });
    },
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
    async end() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

/** From the root of a package. */
const folder = 'spec/bench';

function spawnPinned(name: ServerName, frames: Frames, { nodeOptions = [], root = '.' }: ServerStart): ChildProcess {
  const script = join(root, folder, scriptOf(name, frames.does ?? 'echo'));
  const { WS_NO_BUFFER_UTIL: _, ...env } = process.env;
  return spawn(
    'taskset',
    [
      ...['-c', '0', process.execPath, '--expose-gc', ...nodeOptions, script],
      ...[String(frames.bytes), frames.kind, frames.compression ?? 'none'],
    ],
    {
      // ws as npm installs it: its addon for masks is an optional package of its own.
      env: name === 'ws' ? { ...env, WS_NO_BUFFER_UTIL: '1' } : env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
}

/** Servers that echo serve for handshakes too; only that of `net` does not know a close frame. */
function scriptOf(name: ServerName, does: Role): string {
  const library = name === 'ws+bufferutil' ? 'ws' : name;
  if (does === 'client') return `clients/${library}.mjs`;
  if (does === 'broadcast') return `servers/${library}-broadcast.mjs`;
  return does === 'handshake' && library === 'net' ? 'servers/net-handshake.mjs' : `servers/${library}.mjs`;
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
