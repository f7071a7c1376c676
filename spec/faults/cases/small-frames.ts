/** Many frames with next to nothing in them. */
import { continuation, type Frame, text, wire } from '../../support/frames.js';
import { exactly, type FaultCase, type Finding, type Scale, sizeAtMost, thousands } from '../fault-case.js';
import { floodFrom, HostilePeer } from '../hostile-peer.js';
import { interpreted } from '../subject.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What a part of an unfinished message, or a drop of one, may cost: twice what was on the wire, and this. */
const slack = 64 * KiB;
/** What messages that nobody takes may cost: two of the longest, and this. */
const waiting = 2 * MiB + 128 * KiB;

/** What the peers of one flood send: `first` once, `next` many times. */
interface Shape {
  readonly name: string;
  readonly first: Frame;
  readonly next: Frame;
}

const oneByte: Shape = {
  name: 'fragments of one byte, without an end',
  first: text('a', { fin: false, key: 0 }),
  next: continuation('a', { fin: false, key: 0 }),
};
const empty: Shape = {
  name: 'empty fragments, without an end',
  first: text('', { fin: false, key: 0 }),
  next: continuation('', { fin: false, key: 0 }),
};

/** Fewer than ws allows by default. */
const fragmentCount = { short: 30_000, full: 131_000 };
const fragmentPeers = 10;

/** With default options the count of fragments ends it; without that the memory has to be in proportion. */
export const fragmentFloods: readonly FaultCase[] = [oneByte, empty].map((shape) => ({
  name: shape.name,
  async run(scale) {
    const count = fragmentCount[scale];
    const bytes = wire('server', [shape.first, ...Array.from({ length: count - 1 }, () => shape.next)]);
    const options = { maxFragments: 2 ** 30 };
    const ws = await besideWs(scale, {}, (target) => floodFragments(target, bytes));
    const limited = await underAttack({}, async (target) => {
      const { peers } = await floodFragments(target, bytes);
      await Promise.all(peers.map((peer) => peer.gone()));
      return [exactly('closed with', '1008', codes(peers), ws && codes(ws.peers))];
    });
    const unlimited = await underAttack({ options }, async (target) => {
      const { peak } = await floodFragments(target, bytes);
      const what = `peak memory of each of ${fragmentPeers}, ${thousands(count)} fragments, no limit of fragments`;
      return [sizeAtMost(what, 2 * bytes.length + slack, peak / fragmentPeers, ws && ws.peak / fragmentPeers)];
    });
    return [...limited, ...unlimited];
  },
}));

function floodFragments(target: Target, bytes: Buffer): Promise<Cost> {
  const attack = (portion: number): Promise<readonly HostilePeer[]> =>
    floodFrom(target.subject.port, Math.ceil(fragmentPeers * portion), { path: '/ignore', bytes });
  return costOf(target, attack, 0.2);
}

/** The close codes that the peers got, each once. */
function codes(peers: readonly HostilePeer[]): string {
  return [...new Set(peers.map(({ closeCode }) => (closeCode === 0 ? 'none' : `${closeCode}`)))].sort().join(', ');
}

/** One message in as many packets as it has bytes. */
export const drips: FaultCase = {
  name: 'a byte at a time',
  async run(scale) {
    const [count, peers] = [scale === 'short' ? 1_000 : 10_000, 20];
    const attack = (target: Target): Promise<Cost> =>
      costOf(target, (portion) => drip(target.subject.port, peers, Math.ceil(count * portion)), 0.3);
    const ws = await besideWs(scale, {}, attack);
    return underAttack({ nodeArgs: interpreted }, async (target) => {
      const { peak } = await attack(target);
      const what = `peak memory of each of ${peers}, ${thousands(count)} packets`;
      return [sizeAtMost(what, 2 * count + slack, peak / peers, ws && ws.peak / peers)];
    });
  },
};

async function drip(port: number, count: number, bytes: number): Promise<readonly HostilePeer[]> {
  const peers = await HostilePeer.openMany(port, count, { path: '/ignore' });
  const message = wire('server', [text(Buffer.alloc(1024 * KiB, 'a'), { key: 0 })]);
  for (let at = 0; at < bytes; at++) {
    for (const { socket } of peers) socket.write(message.subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return peers;
}

/** Whole messages of nothing, which nobody takes, or which somebody does. */
export const emptyMessages: FaultCase = {
  name: 'empty messages',
  async run(scale) {
    const count = scale === 'short' ? 200_000 : 1_000_000;
    const findings: Finding[] = [];
    for (const path of ['/ignore', '/unread']) findings.push(...(await floodEmpty(scale, path, count)));
    return findings;
  },
};

async function floodEmpty(scale: Scale, path: string, count: number): Promise<readonly Finding[]> {
  const [perChunk, peers] = [10_000, 10];
  const bytes = wire(
    'server',
    Array.from({ length: perChunk }, () => text('', { key: 0 })),
  );
  const attack = (target: Target): Promise<Cost> =>
    costOf(
      target,
      (portion) => {
        const times = Math.ceil((count * portion) / perChunk);
        // A paused connection does not see that its peer goes: what warms up is taken.
        const through = portion < 1 ? '/ignore' : path;
        return floodFrom(target.subject.port, peers, { path: through, bytes, times, patienceMillis: 500 });
      },
      0.2,
    );
  const ws = await besideWs(scale, {}, attack);
  return underAttack({}, async (target) => {
    const { peak } = await attack(target);
    const what = `peak memory of each of ${peers}, ${thousands(count)} messages that ${path === '/ignore' ? 'are taken' : 'nobody takes'}`;
    return [sizeAtMost(what, waiting, peak / peers, ws && ws.peak / peers)];
  });
}
