/** More clients than may come in. */
import { exactly, type FaultCase, sizeAtMost, timeAtMost } from '../fault-case.js';
import { honestConnects } from '../honest-connects.js';
import { Subject } from '../subject.js';
import { Swarm } from '../swarm.js';

const PLACES = 100;

/** All places are taken, and more keep coming. */
export const turnedAway: FaultCase = {
  name: 'more clients than maxConnections',
  async run(scale) {
    const rounds = scale === 'short' ? 5 : 100;
    const subject = await Subject.start({ options: { maxConnections: PLACES } });
    const swarm = await Swarm.start();
    const more = (): Promise<{ open: number; refused: number }> =>
      swarm.run('burst', { port: subject.port, count: 200 });
    try {
      const { open } = await swarm.run('hold', { port: subject.port, count: PLACES });
      // Once first: what the first refusals load and compile stays.
      await more();
      const before = await subject.vitals({ collect: true });
      let [entered, refused] = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const found = await more();
        entered += found.open;
        refused += found.refused;
      }
      const after = await subject.vitals({ collect: true });
      await swarm.run('leave');
      await subject.until(({ opened, closed }) => opened === closed);
      const { p99 } = await honestConnects(subject.port, PLACES);
      return [
        exactly(`connections of ${PLACES} places`, PLACES, open),
        exactly(`clients turned away of ${rounds * 200} more`, rounds * 200, refused),
        exactly('clients let in by mistake', 0, entered),
        sizeAtMost('heap left of those turned away', 1024 * 1024, after.heapUsed - before.heapUsed),
        timeAtMost(`p99 of ${PLACES} honest connects, once the places are free`, 250, p99),
        exactly('uncaught errors', 0, after.escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};
