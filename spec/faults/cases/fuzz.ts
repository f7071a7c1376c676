/** Bytes that mean nothing, or nearly something. */
import { fragments, ping, text, wire } from '../../support/frames.js';
import { seeded } from '../../support/seeded.js';
import { exactly, type FaultCase, sizeAtMost, timeAtMost } from '../fault-case.js';
import { HostilePeer } from '../hostile-peer.js';
import { costOf, underAttack } from '../under-attack.js';

const sentBytes = 4096;
/** What a peer that breaks the protocol, and this one alone, may be told: docs/reference/close-codes.md. */
const documented = new Set(['1002', '1007', '1008', '1009']);

/** Random bytes behind the handshake, and right frames with one wrong byte. */
export const randomBytes: FaultCase = {
  name: 'random bytes behind the handshake',
  async run(scale) {
    const count = scale === 'short' ? 300 : 3_000;
    const seed = Date.now() % 1_000_000;
    return underAttack({}, async (target) => {
      const random = seeded(seed);
      const { peak, stallMillis, vitals } = await costOf(
        target,
        async (portion) => {
          const peers = await HostilePeer.openMany(target.subject.port, Math.ceil(count * portion), { deflate: '' });
          // What the opening of so many connections costs is another question.
          await target.subject.vitals();
          for (const [index, peer] of peers.entries()) {
            peer.socket.write(index % 2 === 0 ? noise(random) : nearly(random));
            await new Promise((resolve) => setImmediate(resolve));
          }
          return peers;
        },
        0.1,
      );
      const codes = Object.keys(vitals.closes).map((record) => record.split(' ')[0]!);
      const undocumented = codes.filter((code) => !documented.has(code) && code !== '1006' && code !== '1005');
      return [
        exactly(`close codes that are not documented, ${count} connections, seed ${seed}`, '', undocumented.join(', ')),
        timeAtMost('stall', 50, stallMillis),
        sizeAtMost('peak memory of each', 2 * sentBytes + 65_536, peak / count),
      ];
    });
  },
};

function noise(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: sentBytes }, () => Math.floor(random() * 256)));
}

/** A conversation with one byte that is another one. */
function nearly(random: () => number): Buffer {
  const message = 'Schleuse '.repeat(100);
  const bytes = wire('server', [text(message), ping('still there?'), ...fragments(1, message, 100), text(message)]);
  const at = Math.floor(random() * bytes.length);
  bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
  return bytes;
}
