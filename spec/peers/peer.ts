/**
 * A peer that another library is: a program that we talk to over its standard streams, a line for each thing that is said.
 *
 * It says `version V`, as a server `port N`, and of each connection `open PROTOCOL`, then `closed CODE REASON` or `failed WHY`. A
 * client is told targets: `URL on` or `URL off`, for compression. On a connection it sends back what it gets, but for commands:
 * `!close CODE REASON`; `!ping TEXT`, to be answered with `pong TEXT` after the pong; `!parts`, to be answered with a message in three frames.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stopChild } from '../support/stop-child.js';

/** Longer than anything takes, in milliseconds. */
export const PATIENCE = 20_000;

/** Where the programs of the peers are, seen from the top of the repository. */
export const SCRIPTS = 'spec/peers/scripts';

/** Gives what `wanted` gives. @throws Error after {@link PATIENCE}. */
export async function inTime<T>(what: string, wanted: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The lines that a peer says. */
export class Lines {
  readonly #lines: string[] = [];
  #ended: string | undefined;
  #wake: (() => void)[] = [];

  push(line: string): void {
    this.#lines.push(line);
    this.#wakeAll();
  }

  /** No line follows. */
  end(why: string): void {
    this.#ended = why;
    this.#wakeAll();
  }

  /** Takes the first line that begins with `word`; gives what follows it. @throws Error when there is none in time. */
  async take(word: string): Promise<string> {
    for (;;) {
      const at = this.#lines.findIndex((line) => line === word || line.startsWith(`${word} `));
      if (at >= 0) return this.#lines.splice(at, 1)[0]!.slice(word.length + 1);
      const failed = this.#lines.find((line) => line.startsWith('failed '));
      if (this.#ended !== undefined || failed !== undefined) throw new Error(failed ?? this.#ended);
      await inTime(`"${word}" of the peer`, new Promise<void>((resolve) => this.#wake.push(resolve)));
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** What the conversations need of a peer. */
export interface Peer {
  readonly lines: Lines;
  /** Tells a client where to connect to. */
  connect(url: string, compression: boolean): void;
  stop(): Promise<void>;
}

/** A peer that is a process of its own. */
export class PeerProcess implements Peer {
  readonly lines: Lines = new Lines();
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const errors: string[] = [];
    child.stderr!.on('data', (chunk) => errors.push(String(chunk)));
    createInterface({ input: child.stdout! }).on('line', (line) => this.lines.push(line));
    child.on('error', (error) => this.lines.end(error.message));
    child.on('close', (code) => this.lines.end(`the peer ended with ${code}: ${errors.join('').trim().slice(-400)}`));
  }

  /** @param command a program, and its arguments; a script in `scripts` is named without its folder. */
  static start(command: readonly string[]): PeerProcess {
    const [program, ...args] = command.map((word) => (/\w\.(py|pl|mjs)$/.test(word) ? scriptOf(word) : word));
    return new PeerProcess(
      spawn(program!, args, { stdio: 'pipe', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } }),
    );
  }

  connect(url: string, compression: boolean): void {
    this.#child.stdin!.write(`${url} ${compression ? 'on' : 'off'}\n`);
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}

function scriptOf(name: string): string {
  return join(SCRIPTS, name);
}
