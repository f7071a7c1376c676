/** A server that may open few files only. */
import { exactly, type FaultCase } from '../fault-case.js';
import { honestConnects } from '../honest-connects.js';
import { Subject } from '../subject.js';
import { Swarm } from '../swarm.js';

/** More clients than it can have. */
export const openFiles: FaultCase = {
  name: 'no file left',
  async run(scale) {
    const subject = await Subject.start({ openFiles: 80 });
    const swarm = await Swarm.start();
    try {
      const rounds = scale === 'short' ? 1 : 10;
      let [crowd, turnedAway] = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const { open, refused } = await swarm.run('burst', { port: subject.port, count: 300 });
        crowd = Math.max(crowd, open);
        turnedAway += refused;
        await swarm.run('leave');
        await subject.until(({ opened, closed }) => opened === closed);
      }
      const { opened } = await subject.vitals();
      await honestConnects(subject.port, 30);
      const after = await subject.until(({ opened, closed }) => opened === closed);
      return [
        {
          what: '300 clients, 80 files: most at once',
          expected: '20 to 79',
          measured: String(crowd),
          holds: crowd >= 20 && crowd < 80,
        },
        {
          what: 'clients turned away',
          expected: 'the rest',
          measured: String(turnedAway),
          holds: turnedAway >= rounds * 221,
        },
        exactly('30 clients once they have left', 30, after.opened - opened),
        exactly('uncaught errors', 0, after.escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};
