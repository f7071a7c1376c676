/** Handshakes that do not come to an end, and those who wait behind them. */

import { openFileLimit } from '../../support/process-figures.js';
import { exactly, type FaultCase, notBefore, sizeAtMost, timeAtMost } from '../fault-case.js';
import { honestConnects } from '../honest-connects.js';
import { Subject } from '../subject.js';
import { Swarm } from '../swarm.js';

/** handshakeTimeout, in milliseconds. */
const TIMEOUT = 2_000;

/** Slow requests beside honest ones. */
export const slowHandshakes: FaultCase = {
  name: 'slow handshakes',
  async run(scale) {
    const count = scale === 'short' ? 1_000 : Math.min(10_000, openFileLimit() - 1_000);
    const handshakeTimeout = scale === 'short' ? TIMEOUT : 5_000;
    // What the kernel does not hold for the server, it drops later without a word: that is not what is measured here.
    const subject = await Subject.start({ options: { handshakeTimeout, backlog: 4_096 } });
    const swarm = await Swarm.start();
    try {
      const connecting = swarm.run('slow', { port: subject.port, count });
      const whileTheyCome = await honestConnects(subject.port, 100);
      const { connected } = await connecting;
      const ended = swarm.run('slowEnded');
      const whileTheyDrip = await honestConnects(subject.port, 100);
      const { shortest, longest } = await ended;
      const { opened, escaped } = await subject.vitals();
      return [
        exactly('slow handshakes that connected', count, connected),
        timeAtMost('p99 of an honest connect while they connect', 250, whileTheyCome.p99),
        timeAtMost('p99 of an honest connect while they drip', 250, whileTheyDrip.p99),
        exactly('honest connects', 200, opened),
        timeAtMost('the slowest of them is gone', handshakeTimeout + 1_000, longest),
        notBefore('the first of them is gone', handshakeTimeout - 100, shortest),
        exactly('uncaught errors', 0, escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};

/** Hooks that have no answer, and peers that leave meanwhile. */
export const stalledHooks: FaultCase = {
  name: 'stalled hooks',
  waits: true,
  async run(scale) {
    const count = scale === 'short' ? 1_000 : 10_000;
    const subject = await Subject.start({ hook: 'stalls', options: { handshakeTimeout: TIMEOUT } });
    const swarm = await Swarm.start();
    try {
      const { answers, slowest, fastest } = await swarm.run('stall', {
        port: subject.port,
        count: 100,
        path: '/stalled',
      });
      // Once around first: what the first ones load and compile stays.
      await swarm.run('leavePending', { port: subject.port, count: 500, path: '/stalled' });
      const before = await subject.vitals({ collect: true });
      await swarm.run('leavePending', { port: subject.port, count, path: '/stalled' });
      const after = await subject.vitals({ collect: true });
      const { p99 } = await honestConnects(subject.port, 50);
      const { escaped } = await subject.vitals();
      return [
        exactly('answers to whom a hook does not answer', '503: 100', countText(answers)),
        timeAtMost('the slowest of these answers', TIMEOUT + 1_000, slowest),
        notBefore('the first of these answers', TIMEOUT - 100, fastest),
        sizeAtMost(
          `heap left by ${count} peers that left a pending hook`,
          512 * 1024,
          after.heapUsed - before.heapUsed,
        ),
        timeAtMost('p99 of an honest connect after that', 250, p99),
        exactly('connections of a stalled hook', 50, after.opened + 50),
        exactly('uncaught errors', 0, escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};

function countText(counts: Readonly<Record<number, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');
}
