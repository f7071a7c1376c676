/** Headers that announce much, with little or nothing behind them. */
import { binary, type Frame, wire } from '../../support/frames.js';
import { exactly, type FaultCase, sizeAtMost, sizeText } from '../fault-case.js';
import { floodFrom } from '../hostile-peer.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const KiB = 1024;
const sentBytes = KiB;
const counts = { short: 200, full: 1_000 };

/** As much as is allowed, and then silence. */
export const longestClaim: FaultCase = {
  name: 'a header that claims the longest message, and silence',
  async run(scale) {
    const [count, limit] = [counts[scale], sentBytes + 64 * KiB];
    const ws = await besideWs(scale, {}, (target) => claim(target, 2 ** 20, count));
    return underAttack({}, async (target) => {
      const { peak } = await claim(target, 2 ** 20, count);
      const what = `peak memory of each of ${count}, 1 MiB claimed, ${sizeText(sentBytes)} sent`;
      return [sizeAtMost(what, limit, peak / count, ws && ws.peak / count)];
    });
  },
};

/** More than is allowed. */
export const tooLongClaim: FaultCase = {
  name: 'a header that claims too much',
  async run(scale) {
    const count = counts[scale];
    const ws = await besideWs(scale, {}, (target) => claim(target, 2 ** 31 - 1, count));
    return underAttack({}, async (target) => {
      const { peak, peers } = await claim(target, 2 ** 31 - 1, count);
      await Promise.all(peers.map((peer) => peer.gone()));
      const limit = sentBytes + 64 * KiB;
      return [
        sizeAtMost(`peak memory of each of ${count}, 2 GiB claimed`, limit, peak / count, ws && ws.peak / count),
        exactly('closed with', '1009', [...new Set(peers.map(({ closeCode }) => closeCode))].join(', ')),
      ];
    });
  },
};

function claim(target: Target, length: number, count: number): Promise<Cost> {
  const frame: Frame = binary(Buffer.alloc(sentBytes), { key: 0, length: { value: BigInt(length), bits: 64 } });
  const bytes = wire('server', [frame]);
  return costOf(
    target,
    (portion) => floodFrom(target.subject.port, Math.ceil(count * portion), { path: '/ignore', bytes }),
    0.2,
  );
}
