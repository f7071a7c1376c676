/** Messages that are small on the wire and huge when inflated. */
import { constants } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import { binary, wire } from '../../support/frames.js';
import { steady } from '../../support/steady.js';
import { compressed, compressedFragments, contextBomb, zeros } from '../bomb.js';
import { exactly, type FaultCase, type Finding, type Scale, sizeAtMost, timeAtMost } from '../fault-case.js';
import { floodFrom, HostilePeer } from '../hostile-peer.js';
import { interpreted } from '../subject.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const MiB = 1_048_576;
const inflatedBytes = 1000 * MiB;
/** `maxPayload`, and what zlib needs. */
const memory = MiB + 8 * MiB;
const stallMillis = 20;

const both = { serverNoContextTakeover: false, clientNoContextTakeover: false };

/** What is sent, and what the server has to have for it. */
interface Bomb {
  readonly name: string;
  readonly bytes: () => Buffer | Promise<Buffer>;
  readonly options?: Readonly<Record<string, unknown>>;
}

const bombs: readonly Bomb[] = [
  { name: 'in one frame', bytes: () => wire('server', [compressed(zeros(inflatedBytes))]) },
  { name: 'in 1 000 frames', bytes: () => wire('server', compressedFragments(zeros(inflatedBytes), 1_000)) },
  {
    name: 'in the second message, with context',
    bytes: () => contextBomb(inflatedBytes - MiB),
    options: { perMessageDeflate: both },
  },
];

/** One bomb of each kind. */
export const singleBombs: FaultCase = {
  name: 'a bomb of 1 000 MiB',
  async run(scale) {
    const findings: Finding[] = [];
    for (const bomb of bombs) findings.push(...(await explode(bomb, scale)));
    return findings;
  },
};

async function explode({ name, bytes: made, options = {} }: Bomb, scale: Scale): Promise<readonly Finding[]> {
  const bytes = await made();
  const attack = (target: Target): Promise<Cost> =>
    costOf(
      target,
      async () => {
        const peers = await floodFrom(target.subject.port, 1, { bytes, deflate: '' });
        await Promise.all(peers.map((peer) => peer.gone()));
        return peers;
      },
      1,
    );
  const ws = await besideWs(scale, { perMessageDeflate: true, ...options }, attack);
  return underAttack({ options }, async (target) => {
    const { peak, stallMillis: stall, peers } = await attack(target);
    return [
      exactly(`${name}: closed with`, 1009, peers[0]!.closeCode, ws?.peers[0]?.closeCode),
      sizeAtMost(`${name}: peak memory`, memory, peak, ws?.peak),
      timeAtMost(`${name}: stall`, stallMillis, stall, ws?.stallMillis),
    ];
  });
}

/** A bomb behind the request of a handshake that nobody answers yet. */
export const earlyBomb: FaultCase = {
  name: 'a bomb before the handshake is answered',
  async run() {
    const bytes = wire('server', [compressed(zeros(inflatedBytes))]);
    return underAttack(
      { nodeArgs: interpreted, hook: 'stalls', options: { handshakeTimeout: 1_000 } },
      async (target) => {
        const {
          peak,
          peers,
          stallMillis: stall,
        } = await costOf(target, async () => {
          const peer = await HostilePeer.request(target.subject.port, { path: '/stalled', deflate: '' });
          const flood = peer.flood(bytes);
          await peer.gone();
          await flood;
          return [peer];
        });
        return [
          exactly('answered with', 503, peers[0]!.status ?? 0),
          sizeAtMost('peak memory', MiB, peak),
          timeAtMost('stall', stallMillis, stall),
        ];
      },
    );
  },
};

/** Many bombs at once, and one honest connection. */
export const bombsAtOnce: FaultCase = {
  name: 'bombs on many connections at once',
  async run(scale) {
    const count = scale === 'short' ? 100 : 500;
    const bytes = wire('server', [compressed(zeros(inflatedBytes))]);
    const attack = (target: Target): Promise<Cost> =>
      costOf(target, async (portion) => {
        const peers = await HostilePeer.openMany(target.subject.port, Math.ceil(count * portion), { deflate: '' });
        // What the opening of so many connections costs is another question.
        await target.bystander.report();
        await Promise.all(peers.map(async (peer) => Promise.all([peer.flood(bytes), peer.gone(60)])));
        return peers;
      });
    const ws = await besideWs(scale, { perMessageDeflate: true }, attack);
    return underAttack({}, async (target) => {
      const { sight, peers, peak, stallMillis: stall } = await attack(target);
      const exploded = peers.filter(({ closeCode }) => closeCode === 1009).length;
      return [
        exactly(`closed with 1009, of ${count}`, count, exploded),
        timeAtMost('echoes beside, 99th percentile', 250, sight.p99Millis, ws?.sight.p99Millis),
        timeAtMost('stall', 100, stall, ws?.stallMillis),
        sizeAtMost('peak memory of each', memory, peak / count, ws && ws.peak / count),
      ];
    });
  },
};

/** A text that no string can hold, where the application allows messages of that size. */
export const textBomb: FaultCase = {
  name: 'a bomb of text, longer than a string can be',
  async run() {
    const bytes = wire('server', [{ ...compressed(zeros(constants.MAX_STRING_LENGTH + MiB)), opcode: 0x1 }]);
    return underAttack({ options: { maxPayload: 1024 * MiB } }, async ({ subject }) => {
      const peer = await HostilePeer.open(subject.port, { deflate: '' });
      await peer.flood(bytes);
      await peer.gone();
      return [exactly('closed with', 1009, peer.closeCode)];
    });
  },
};

/** What the heap of the server keeps, inside and outside, garbage collected. */
async function heldBytes({ subject }: Target): Promise<number> {
  const { heapUsed, external } = await subject.vitals({ collect: true });
  return heapUsed + external;
}

/** A long message, compressed and not, there and back, and then silence. */
export const longMessage: FaultCase = {
  name: 'idle after messages of 10 MiB',
  async run(scale) {
    const options = { maxPayload: 16 * MiB };
    const size = 10 * MiB;
    const messages = [compressed(zeros(size)), binary(Buffer.alloc(size, 'sluice '), { key: 0 })];
    const attack = (target: Target): Promise<Cost> =>
      costOf(
        target,
        async () => {
          const peer = await HostilePeer.open(target.subject.port, { deflate: '' });
          for (const message of messages) {
            const before = peer.receivedBytes;
            await peer.flood(wire('server', [message]));
            // Both come back compressed, in no time but that of zlib.
            while (!peer.isGone && peer.receivedBytes < before + 10_000) await delay(20);
          }
          await steady(() => heldBytes(target), { looks: 3, within: MiB / 32 });
          return [peer];
        },
        1,
      );
    const ws = await besideWs(scale, { ...options, perMessageDeflate: true }, attack);
    return underAttack({ nodeArgs: interpreted, options }, async (target) => {
      const { held, peers } = await attack(target);
      return [
        exactly('still open', 1, peers.filter(({ isGone }) => !isGone).length),
        sizeAtMost('memory held', MiB / 4, held, ws?.held),
      ];
    });
  },
};
