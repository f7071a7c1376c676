/** Thousands of peers in a process of their own, so that what they cost is not measured, and so that they can be killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { plans } from './swarm/plans.js';

type Plans = typeof plans;

/** A process full of peers. */
export class Swarm {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<Swarm> {
    const child = fork(join(import.meta.dirname, 'swarm', 'child.ts'), { execArgv: ['--import', 'tsx'] });
    await once(child, 'message');
    return new Swarm(child);
  }

  /** Does one of the plans; one at a time. @throws Error when the plan fails, or the process ends. */
  async run<Name extends keyof Plans>(
    plan: Name,
    ...[args]: Parameters<Plans[Name]>
  ): Promise<Awaited<ReturnType<Plans[Name]>>> {
    const stop = new AbortController();
    this.#child.send({ plan, args });
    try {
      const answer = await Promise.race([
        once(this.#child, 'message', stop).then(([message]) => message as { result?: unknown; error?: string }),
        once(this.#child, 'exit', stop).then(([code]) => ({
          error: `the swarm ended with ${code}`,
          result: undefined,
        })),
      ]);
      if (answer.error !== undefined) throw new Error(`${plan}: ${answer.error}`);
      return answer.result as Awaited<ReturnType<Plans[Name]>>;
    } finally {
      stop.abort();
    }
  }

  /** Kills it, with all its peers: the kernel resets their connections, or ends them. Harmless when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
