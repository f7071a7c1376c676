/** Pings whose pongs nobody reads. */
import { ping, wire } from '../../support/frames.js';
import { type FaultCase, sizeAtMost } from '../fault-case.js';
import { HostilePeer } from '../hostile-peer.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const perChunk = 500;
const chunk = wire(
  'server',
  Array.from({ length: perChunk }, () => ping(Buffer.alloc(125), { key: 0 })),
);
const counts = { short: 300_000, full: 3_000_000 };

export const pings: FaultCase = {
  name: 'pings from a peer that never reads',
  async run(scale) {
    const ws = await besideWs(scale, {}, (target) => flood(target, counts[scale]));
    return underAttack({}, async (target) => {
      const { peak } = await flood(target, counts[scale]);
      return [sizeAtMost(`peak memory, ${counts[scale]} pings of 125 B`, 2 * 1_048_576, peak, ws?.peak)];
    });
  },
};

async function flood(target: Target, count: number): Promise<Cost> {
  const { port } = target.subject;
  const warmUp = await HostilePeer.open(port, { reads: false });
  await warmUp.flood(chunk, 100_000 / perChunk);
  warmUp.reset();
  const peer = await HostilePeer.open(port, { reads: false });
  return costOf(target, () => peer.flood(chunk, count / perChunk));
}
