/** Two ends of one connection, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { stopChild } from '../support/stop-child.js';

/** What an end says of itself. */
type Report =
  | { readonly event: 'listening'; readonly port: number }
  | { readonly event: 'open' }
  | { readonly event: 'closed'; readonly at: number; readonly code: number; readonly error: string };

/** A close record, and when it came: milliseconds of the clock that all processes share. */
export type Noticed = Extract<Report, { event: 'closed' }>;

/** Where an end runs. */
export interface Place {
  /** What comes before the command, such as `ip netns exec NAME`. */
  readonly prefix: readonly string[];
  /** The address of a server there. */
  readonly address: string;
}

export const loopback: Place = { prefix: [], address: '127.0.0.1' };

/** One end: a client or a server of sluice that has one connection. */
export class OneEnd {
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report) => this.#reports.push(report as Report));
  }

  static start(role: 'server' | 'client', place: string, heartbeat: object, prefix: readonly string[]): OneEnd {
    const script = join(import.meta.dirname, 'one-end.mjs');
    const [command, ...args] = [...prefix, process.execPath, script, role, place, JSON.stringify(heartbeat)];
    return new OneEnd(spawn(command as string, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  }

  /** Waits for what it says. @throws Error when it does not say so within `seconds`, or its process ends. */
  async report<E extends Report['event']>(event: E, seconds = 10): Promise<Extract<Report, { event: E }>> {
    const signal = AbortSignal.timeout(seconds * 1000);
    const exited = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`an end is gone before it is ${event}`);
    });
    const said = (): Report | undefined => this.#reports.find((report) => report.event === event);
    const told = (async () => {
      for (const messages = on(this.#child, 'message', { signal }); said() === undefined; ) await messages.next();
      return said() as Extract<Report, { event: E }>;
    })();
    return Promise.race([told, exited]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}

/** A server and its client, connected. */
export interface Pair {
  readonly server: OneEnd;
  readonly client: OneEnd;
  stop(): Promise<void>;
}

/** Connects a client to a server. @throws Error when they do not come together. */
export async function connectPair(heartbeat: object, at: { server: Place; client: Place }): Promise<Pair> {
  const ends: OneEnd[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(ends.map((end) => end.stop())));
  try {
    const server = OneEnd.start('server', at.server.address, heartbeat, at.server.prefix);
    ends.push(server);
    const { port } = await server.report('listening');
    const client = OneEnd.start('client', `ws://${at.server.address}:${port}`, heartbeat, at.client.prefix);
    ends.push(client);
    await Promise.all([server.report('open'), client.report('open')]);
    return { server, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
