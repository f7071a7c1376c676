/** The server under test, as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stopChild } from '../support/stop-child.js';

/** How a server is started. */
export interface SubjectOptions {
  /** @default 'sluice' */
  readonly library?: Library;
  /** Of `serve`, or of the server of ws; what is not given has its default. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** `'stalls'`: a hook of sluice never answers handshakes of the path `/stalled`. */
  readonly hook?: 'stalls';
  /**
   * Arguments of node, beside `--expose-gc`. The young generation of the heap has a fixed size by default: left to itself it grows with any
   * traffic, by up to 48 MiB, and nothing smaller could be seen beside it.
   */
  readonly nodeArgs?: readonly string[];
  /** The most files that it may open, its sockets included. */
  readonly openFiles?: number;
}

/** The last two are several servers on one http server: of both builds of sluice beside ws, or of ws alone. */
export type Library = 'sluice' | 'ws' | 'shared' | 'shared-ws';

/** What the server process says of itself. Sizes are bytes. */
export interface Vitals {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly cpuMicros: number;
  /** For how long the event loop did not turn at most since the last reading, in CPU time of the process. */
  readonly stall: { readonly maxMillis: number };
  /** Connections whose handshake was done, and how many of them have a close record. */
  readonly opened: number;
  readonly closed: number;
  readonly messages: number;
  readonly messageBytes: number;
  /** Connections on `/send` on which everything was sent, or that were closed before. */
  readonly sent: number;
  /** The most that one connection on `/send` had to send at once. */
  readonly mostBuffered: number;
  /** How often each close record came: `{ '1009 MESSAGE_TOO_LONG': 3, '1000': 1 }`. */
  readonly closes: Readonly<Record<string, number>>;
  /** Uncaught exceptions and unhandled rejections. */
  readonly escaped: readonly string[];
}

/** A server that listens; see `subject/main.mjs` for its paths. */
export class Subject {
  readonly library: Library;
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  #asked = 0;

  private constructor(library: Library, child: ChildProcess, port: number) {
    this.library = library;
    this.#child = child;
    this.port = port;
    this.pid = child.pid!;
  }

  static async start({ library = 'sluice', options = {}, hook, ...process }: SubjectOptions = {}): Promise<Subject> {
    const child = spawnNode(library, process);
    try {
      const { port } = await ask<{ port: number }>(child, { id: 0, order: 'start', options, hook });
      return new Subject(library, child, port);
    } catch (error) {
      await stopChild(child);
      throw error;
    }
  }

  /** Its figures; with `collect` behind a collection of the garbage. Waits until its event loop turns. */
  vitals({ collect = false } = {}): Promise<Vitals> {
    return this.#ask('vitals', { collect });
  }

  /** How many connections a shared http server has. */
  sockets(): Promise<number> {
    return this.#ask('sockets', {});
  }

  /** Keeps its event loop from turning; resolves when it turns again. */
  block(millis: number): Promise<void> {
    return this.#ask('block', { millis });
  }

  /** Closes the server with `options`, as `server.close` does; resolves to what that said last. */
  close<T>(options: Readonly<Record<string, unknown>> = {}): Promise<T> {
    return this.#ask('close', { options });
  }

  /** Sends a signal to the process. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until `isThere` says so of the figures. @throws Error after `seconds`, with the last figures. */
  async until(isThere: (vitals: Vitals) => boolean, seconds = 30): Promise<Vitals> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const vitals = await this.vitals();
      if (isThere(vitals)) return vitals;
      if (performance.now() > end) throw new Error(`not there after ${seconds} s: ${JSON.stringify(vitals)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }

  #ask<T>(order: string, parameters: object): Promise<T> {
    this.#asked++;
    return ask(this.#child, { id: this.#asked, order, ...parameters });
  }
}

const smallYoungGeneration = ['--max-semi-space-size=1', '--min-semi-space-size=1'];

/**
 * For cases whose memory is less than what V8 takes to compile what has become hot meanwhile, up to 2 MiB at any time: here it
 * interprets.
 */
export const interpreted: readonly string[] = [...smallYoungGeneration, '--no-opt', '--no-sparkplug', '--no-maglev'];

function spawnNode(
  library: Library,
  { nodeArgs = smallYoungGeneration, openFiles }: Pick<SubjectOptions, 'nodeArgs' | 'openFiles'>,
): ChildProcess {
  const script = join(import.meta.dirname, 'subject', 'main.mjs');
  const command = [process.execPath, '--expose-gc', ...nodeArgs, script, library];
  const limited =
    openFiles === undefined ? command : ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...command];
  return spawn(limited[0]!, limited.slice(1), {
    // ws as npm installs it: its addon for masks is an optional package of its own.
    env: { ...process.env, WS_NO_BUFFER_UTIL: '1' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** What the process is told: which of its orders, and the parameters. */
type Order = { readonly id: number; readonly order: string } & Readonly<Record<string, unknown>>;

/** Gives an order, and waits for its answer. @throws Error when the process ends before it. */
async function ask<T>(child: ChildProcess, order: Order): Promise<T> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    const gone = once(child, 'exit', { signal }).then(([code, by]) => {
      throw new Error(`the server process ended with ${code ?? by}`);
    });
    const answer = new Promise<T>((resolve, reject) => {
      const take = (message: unknown): void => {
        const { id, answer } = message as { id: number; answer: T };
        if (id === order.id) resolve(answer);
      };
      child.on('message', take);
      signal.addEventListener('abort', () => child.off('message', take));
      if (!child.connected) reject(new Error('the server process is gone'));
      else child.send(order);
    });
    return await Promise.race([answer, gone]);
  } finally {
    stop.abort();
  }
}
