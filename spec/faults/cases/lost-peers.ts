/** Peers that are gone from one moment to the next, by the thousand. */
import { from, lastValueFrom, mergeAll, type Observable, toArray } from 'rxjs';
import { type CloseInfo, type Connection, openConnection } from 'sluice';
import { exactly, type FaultCase, timeAtMost } from '../fault-case.js';
import { type Library, Subject } from '../subject.js';
import { inParallel } from '../swarm/mass-peer.js';
import { Swarm } from '../swarm.js';

/** The process of all clients is killed. */
export const killedPeers: FaultCase = {
  name: 'killed peers',
  async run(scale) {
    const count = scale === 'short' ? 1_000 : 5_000;
    const ours = await killPeersOf('sluice', count);
    const theirs = scale === 'short' ? undefined : await killPeersOf('ws', count);
    return [
      exactly(`close records of ${count} connections`, count, ours.closed, theirs?.closed),
      timeAtMost('until the last of them', 2_000, ours.millis, theirs?.millis),
      timeAtMost('longest stall of the event loop meanwhile', 200, ours.stall, theirs?.stall),
      exactly('uncaught errors', 0, ours.escaped, theirs?.escaped),
    ];
  },
};

async function killPeersOf(
  library: Library,
  count: number,
): Promise<Record<'closed' | 'millis' | 'stall' | 'escaped', number>> {
  const subject = await Subject.start({ library });
  const swarm = await Swarm.start();
  try {
    const { open } = await swarm.run('hold', { port: subject.port, count });
    await subject.vitals({ collect: true });
    const began = performance.now();
    await swarm.kill();
    let stall = 0;
    const { closed, escaped } = await subject.until((vitals) => {
      stall = Math.max(stall, vitals.stall.maxMillis);
      return vitals.closed === open;
    });
    return { closed, millis: performance.now() - began, stall, escaped: escaped.length };
  } finally {
    await swarm.kill();
    await subject.stop();
  }
}

/** The process of the server is killed. */
export const killedServer: FaultCase = {
  name: 'a killed server',
  async run(scale) {
    const count = scale === 'short' ? 500 : 5_000;
    const subject = await Subject.start();
    const connections: Connection[] = [];
    await inParallel(count, 100, async () => {
      connections.push(await openConnection(`ws://127.0.0.1:${subject.port}`));
    });
    const closes = lastValueFrom(
      from(connections.map(({ close$ }) => close$ as Observable<CloseInfo>)).pipe(mergeAll(), toArray()),
    );
    const began = performance.now();
    subject.signal('SIGKILL');
    const infos = await closes;
    return [
      exactly(`${count} clients: close records`, count, infos.length),
      exactly('of them with 1006', count, infos.filter(({ code }) => code === 1006).length),
      timeAtMost('until the last of them', 2_000, performance.now() - began),
    ];
  },
};
