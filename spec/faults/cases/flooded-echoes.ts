/** How long the echo of an honest peer takes while others send as fast as the machine lets them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sight } from '../bystander.js';
import { exactly, type FaultCase, type Scale, timeAtMost } from '../fault-case.js';
import type { FloodShape } from '../swarm/flood.js';
import { Swarm } from '../swarm.js';
import { besideWs, type Target, underAttack } from '../under-attack.js';

/** The most that the 99th percentile of the echoes may be above that of the idle server, in milliseconds. */
const moreMillis = 60;

const floods: readonly { readonly count: number; readonly shape: FloodShape }[] = [
  { count: 10, shape: 'one-byte fragments' },
  { count: 50, shape: 'empty fragments' },
  { count: 30, shape: 'texts of 1 MiB' },
];

/** What was seen without and with the flood. */
interface Seen {
  readonly idle: Sight;
  readonly flooded: Sight;
  readonly open: number;
  /** What the flood sent, in MiB a second. */
  readonly mibPerSecond: number;
}

export const floodedEchoes: readonly FaultCase[] = floods.map(({ count, shape }) => ({
  name: `an echo beside ${count} peers with ${shape}`,
  async run(scale) {
    const attack = (target: Target): Promise<Seen> => seenBeside(target, count, shape, scale);
    const ws = await besideWs(scale, {}, attack);
    return underAttack({}, async (target) => {
      const seen = await attack(target);
      const what = `echoes, 99th percentile above the idle ${seen.idle.p99Millis.toFixed(1)} ms, ${Math.round(seen.mibPerSecond)} MiB/s`;
      return [
        timeAtMost(what, moreMillis, above(seen), ws && above(ws)),
        exactly('peers that are still open', count, seen.open, ws?.open),
      ];
    });
  },
}));

function above({ idle, flooded }: Seen): number {
  return flooded.p99Millis - idle.p99Millis;
}

async function seenBeside(
  { subject, bystander }: Target,
  count: number,
  shape: FloodShape,
  scale: Scale,
): Promise<Seen> {
  const millis = scale === 'short' ? 2_000 : 5_000;
  const swarm = await Swarm.start();
  try {
    const idle = await seenFor(bystander, 1_000);
    await swarm.run('flood', { port: subject.port, count, shape });
    // What the first messages compile is not what is measured.
    const warmUp = await seenFor(bystander, 1_000);
    const flooded = await seenFor(bystander, millis);
    const { bytes, open } = await swarm.run('stopFlood');
    return { idle, flooded, open, mibPerSecond: bytes / 1_048_576 / (warmUp.seconds + flooded.seconds) };
  } finally {
    await swarm.kill();
  }
}

async function seenFor(bystander: Target['bystander'], millis: number): Promise<Sight> {
  await bystander.report();
  await delay(millis);
  return bystander.report();
}
