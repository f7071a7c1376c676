/** A server that is asked to end while it is talked to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stopChild } from '../../support/stop-child.js';
import { exactly, type FaultCase, timeAtMost } from '../fault-case.js';
import { machineMillis } from '../swarm/mass-peer.js';
import { Swarm } from '../swarm.js';

/** What the server says at its end. */
interface DrainFigures {
  readonly opened: number;
  readonly echoed: number;
  /** Connections that had to be terminated. */
  readonly remaining: number;
  readonly escaped: number;
}

/** What it took in before is answered, everybody is told, and the process ends by itself. */
export const drain: FaultCase = {
  name: 'drain at SIGTERM',
  async run(scale) {
    // 5 000 messages a second.
    const [count, every] = scale === 'short' ? [1_000, 200] : [5_000, 1_000];
    const script = join(import.meta.dirname, '..', 'drain-server.mjs');
    const server = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const swarm = await Swarm.start();
    try {
      const exit = once(server, 'exit') as Promise<[number | null, string | null]>;
      const lines = createInterface({ input: server.stdout });
      const [first] = (await once(lines, 'line')) as [string];
      const { port } = JSON.parse(first) as { port: number };
      await swarm.run('talk', { port, count, every });
      await swarm.run('allTalk');
      const last = once(lines, 'line') as Promise<[string]>;
      const ended = swarm.run('talkEnded');
      const began = machineMillis();
      server.kill('SIGTERM');
      const { open, echoed, outOfOrder, codes, lastClose } = await ended;
      const figures = JSON.parse((await last)[0]) as DrainFigures;
      const [status] = await exit;
      return [
        exactly('connections', count, open),
        exactly('of them closed with 1001', count, codes[1001] ?? 0),
        timeAtMost('the last of these Close frames', 5_000, lastClose - began),
        exactly('answers that arrived, of those that were accepted', figures.echoed, echoed),
        exactly('answers out of order', 0, outOfOrder),
        exactly('connections that had to be terminated', 0, figures.remaining),
        exactly('status of the process, that ends by itself', 0, status ?? -1),
        timeAtMost('its end', 10_000, machineMillis() - began),
        exactly('uncaught errors', 0, figures.escaped),
      ];
    } finally {
      await swarm.kill();
      await stopChild(server);
    }
  },
};
