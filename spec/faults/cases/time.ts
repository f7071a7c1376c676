/** Time that stands still, and time that jumps. */
import { join } from 'node:path';
import { exactly, type FaultCase, type Finding, notBefore, timeAtMost } from '../fault-case.js';
import { Subject, type Vitals } from '../subject.js';
import { Swarm } from '../swarm.js';

const HEARTBEAT = { interval: 1_000, timeout: 1_000 };

/** Until a dead peer must be noticed, in milliseconds. */
const NOTICE = HEARTBEAT.interval + HEARTBEAT.timeout + 1_000;

const ALIVE = 200;
const DEAD = 50;

/** The event loop of the server does not turn for a while. */
export const blockedLoop: FaultCase = {
  name: 'a blocked event loop',
  waits: true,
  async run(scale) {
    const blocks = scale === 'short' ? [5_000] : [300, 950, 1_050, 1_950, 2_500, 5_000, 5_000];
    const subject = await Subject.start({ options: { heartbeat: HEARTBEAT } });
    const swarm = await Swarm.start();
    try {
      await swarm.run('hold', { port: subject.port, count: ALIVE });
      let [dead, slowest] = [0, 0];
      for (const millis of blocks) {
        await swarm.run('hold', { port: subject.port, count: DEAD, isMute: true });
        dead += DEAD;
        await subject.block(millis);
        slowest = Math.max(slowest, await timeUntil(subject, ({ closed }) => closed >= dead));
      }
      const { closed, escaped } = await subject.vitals();
      const stalls = `behind stalls of ${blocks.join(', ')} ms`;
      return [
        exactly(`${ALIVE} live peers given up ${stalls}`, 0, closed - dead),
        timeAtMost(`${DEAD} dead ones are noticed behind each`, NOTICE, slowest),
        exactly('uncaught errors', 0, escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};

const TIMEOUT = 1_500;

/** The wall clock is set by a day, again and again. */
export const clockJumps: FaultCase = {
  name: 'a wall clock that jumps',
  waits: true,
  async run() {
    const subject = await Subject.start({
      nodeArgs: ['--import', join(import.meta.dirname, '..', 'subject', 'clock-jumps.mjs')],
      hook: 'stalls',
      options: { heartbeat: HEARTBEAT, handshakeTimeout: TIMEOUT, messageTimeout: TIMEOUT },
    });
    const swarms = await Promise.all([Swarm.start(), Swarm.start(), Swarm.start()]);
    const [alive, slow, stalled] = swarms;
    const { port } = subject;
    try {
      await alive.run('hold', { port, count: ALIVE });
      const [dripped, hooked, given] = await Promise.all([
        slow.run('slow', { port, count: DEAD }).then(() => slow.run('slowEnded')),
        stalled.run('stall', { port, count: DEAD, path: '/stalled' }),
        givenUp(subject, alive),
      ]);
      const closing = performance.now();
      await subject.close({ timeout: TIMEOUT });
      const closed = performance.now() - closing;
      const { escaped, closes } = await subject.vitals();
      return [
        ...given,
        ...within('the 408 of a slow request', dripped.shortest, dripped.longest),
        ...within('the 503 of a hook without an answer', hooked.fastest, hooked.slowest),
        timeAtMost(`the end of the server, with ${DEAD} peers that answer no Close frame`, TIMEOUT + 1_000, closed),
        exactly(`${ALIVE} live peers closed with 1001`, ALIVE, closes['1001'] ?? 0),
        exactly('uncaught errors', 0, escaped.length),
      ];
    } finally {
      await Promise.all(swarms.map((swarm) => swarm.kill()));
      await subject.stop();
    }
  },
};

/** Dead peers, and such whose message never ends, beside those that live. Leaves some that are mute, and not given up yet. */
async function givenUp(subject: Subject, swarm: Swarm): Promise<Finding[]> {
  const { port } = subject;
  const [dead, unfinished] = [
    { port, count: DEAD, isMute: true },
    { port, count: DEAD, first: '01810000000061' },
  ];
  await swarm.run('hold', dead);
  const fromDead = await timeUntil(subject, ({ closes }) => closes['1006 HEARTBEAT_TIMEOUT'] === DEAD);
  await swarm.run('hold', unfinished);
  const fromSlow = await timeUntil(subject, ({ closes }) => closes['1008 MESSAGE_TOO_SLOW'] === DEAD);
  const { closed } = await subject.vitals();
  await swarm.run('hold', dead);
  return [
    timeAtMost(`${DEAD} dead peers are noticed`, NOTICE, fromDead),
    ...within(`${DEAD} messages without an end are given up`, fromSlow, fromSlow),
    exactly(`${ALIVE} live peers given up`, 0, closed - 2 * DEAD),
  ];
}

async function timeUntil(subject: Subject, isThere: (vitals: Vitals) => boolean): Promise<number> {
  const began = performance.now();
  await subject.until(isThere, 10);
  return performance.now() - began;
}

/** {@link TIMEOUT}, with a second of grace; clocks may differ by less than a tenth of a second. */
function within(what: string, shortest: number, longest: number): Finding[] {
  return [notBefore(what, TIMEOUT - 100, shortest), timeAtMost(what, TIMEOUT + 1_000, longest)];
}
