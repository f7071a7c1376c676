/** Connections that come and go. */
import { openFileLimit } from '../../support/process-figures.js';
import { exactly, type FaultCase, sizeAtMost, timeAtMost } from '../fault-case.js';
import { honestConnects } from '../honest-connects.js';
import { Subject } from '../subject.js';
import { Swarm } from '../swarm.js';

/** What they leave in memory. */
export const churn: FaultCase = {
  name: 'connection churn',
  async run(scale) {
    const cycles = scale === 'short' ? 5_000 : 100_000;
    const subject = await Subject.start();
    const swarm = await Swarm.start();
    try {
      // Once around first: what the first ones load and compile stays.
      await swarm.run('churn', { port: subject.port, cycles: 2_000 });
      const before = await subject.vitals({ collect: true });
      const { open } = await swarm.run('churn', { port: subject.port, cycles });
      await subject.until(({ opened, closed }) => opened === closed);
      const after = await subject.vitals({ collect: true });
      return [
        exactly(`connections of ${cycles} cycles`, cycles / 2, open),
        exactly('close records of them', open, after.closed - before.closed),
        sizeAtMost('heap left', 2 * 1024 * 1024, after.heapUsed - before.heapUsed),
        exactly('uncaught errors', 0, after.escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};

/** All connect at once. */
export const burst: FaultCase = {
  name: 'a burst of connects',
  async run(scale) {
    const count = scale === 'short' ? 2_000 : Math.min(10_000, openFileLimit() - 1_000);
    const subject = await Subject.start({ options: { backlog: 511 } });
    const swarm = await Swarm.start();
    try {
      const { open, refused } = await swarm.run('burst', { port: subject.port, count });
      const { opened, escaped } = await subject.vitals();
      await swarm.run('leave');
      const { closed } = await subject.until((vitals) => vitals.opened === vitals.closed);
      const { p99 } = await honestConnects(subject.port, 50);
      return [
        exactly(`${count} connects at once: open or refused`, count, open + refused),
        exactly('handshakes that the server counted', open, opened),
        exactly('close records once they have left', open, closed),
        timeAtMost('p99 of an honest connect after that', 250, p99),
        exactly('uncaught errors', 0, escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};
