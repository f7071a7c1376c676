/** One http server with two copies of sluice and a foreign listener. */
import { setTimeout as delay } from 'node:timers/promises';
import { exactly, type FaultCase } from '../fault-case.js';
import { type Library, Subject } from '../subject.js';
import { sharedMoments } from '../swarm/shared-resets.js';
import { Swarm } from '../swarm.js';

const HANDSHAKE_TIMEOUT = 1_000;

/** How long a refused peer may take to read its refusal, and a busy machine to notice, in milliseconds. */
const GRACE = 2_000;

/** What became of a server. */
interface Outcome {
  readonly uncaught: number;
  /** Connections of the http server that are left when time is up. */
  readonly left: number;
  readonly opened: number;
  readonly closed: number;
}

/** Peers that reset, or end and stay, in each phase of a handshake. */
export const sharedServer: FaultCase = {
  name: 'peers that reset on a shared server',
  async run(scale) {
    const count = scale === 'short' ? 50 : 1_000;
    const sluice = await outcomeOf('shared', count);
    const ws = await outcomeOf('shared-ws', count);
    const what = `${count} resets in each of ${Object.keys(sharedMoments).length} moments`;
    return [
      exactly(`uncaught errors after ${what}`, 0, sluice.uncaught, ws.uncaught),
      exactly('close records of those that were open', sluice.opened, sluice.closed),
      exactly(`sockets left after handshakeTimeout, ${count} more stay`, 0, sluice.left, ws.left),
    ];
  },
};

async function outcomeOf(library: Library, count: number): Promise<Outcome> {
  const subject = await Subject.start({ library, options: { handshakeTimeout: HANDSHAKE_TIMEOUT } });
  const swarm = await Swarm.start();
  try {
    for (const moment of Object.keys(sharedMoments)) {
      await swarm.run('resetShared', { port: subject.port, count, moment });
    }
    await swarm.run('stayShared', { port: subject.port, count });
    const left = await leftOf(subject);
    const { opened, closed, escaped } = await subject.vitals();
    await swarm.run('leaveShared');
    return { uncaught: escaped.length, left, opened, closed };
  } finally {
    await swarm.kill();
    await subject.stop();
  }
}

/** Waits until none is left, or time is up. */
async function leftOf(subject: Subject): Promise<number> {
  const end = performance.now() + HANDSHAKE_TIMEOUT + GRACE;
  for (;;) {
    const left = await subject.sockets();
    if (left === 0 || performance.now() > end) return left;
    await delay(20);
  }
}
