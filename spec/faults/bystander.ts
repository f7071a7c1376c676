/** An honest connection beside the hostile ones, in a process of its own, so that the load of the attack does not delay its clock. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stopChild } from '../support/stop-child.js';

/** What a bystander saw since its last report: one message is sent each 10 ms, and comes back. */
export interface Sight {
  readonly echoes: number;
  /** Whether its connection ended. */
  readonly isLost: boolean;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly maxMillis: number;
  readonly seconds: number;
}

/** An honest peer of a server that echoes on `/echo`. */
export class Bystander {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Connects, and begins to send. */
  static async start(port: number): Promise<Bystander> {
    const child = fork(join(import.meta.dirname, 'bystander.mjs'), [String(port)], { execArgv: [] });
    await once(child, 'message');
    return new Bystander(child);
  }

  /** What it saw since the last report. */
  async report(): Promise<Sight> {
    const answer = once(this.#child, 'message');
    this.#child.send('report');
    return (await answer)[0] as Sight;
  }

  /** Resolves, once another message came back, to what it saw meanwhile. Gives up after `seconds`, or when its connection is lost. */
  async echoed(seconds = 10): Promise<Sight> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const sight = await this.report();
      if (sight.echoes > 0 || sight.isLost || performance.now() > end) return sight;
    }
  }

  stop(): Promise<void> {
    return stopChild(this.#child);
  }
}
