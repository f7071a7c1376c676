/** A peer that does not read, and an application that does not take. */
import { binary, wire } from '../../support/frames.js';
import { exactly, type FaultCase, type Finding, type Scale, sizeAtMost, sizeText } from '../fault-case.js';
import { floodFrom, HostilePeer } from '../hostile-peer.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const KiB = 1024;
const MiB = 1024 * KiB;
/** `maxBufferedAmount`. */
const mark = 16 * MiB;
/** How many do not read. */
const readers = 12;

/** The application goes on sending to a peer that does not read. */
export const slowReader: FaultCase = {
  name: 'a peer that never reads what is sent',
  async run(scale) {
    const [bytes, isShort] = [scale === 'short' ? 20 * MiB : 64 * MiB, scale === 'short'];
    const findings: Finding[] = [];
    for (const size of isShort ? [64 * KiB] : [64 * KiB, KiB])
      findings.push(...(await closesAtMark(scale, bytes, size)));
    for (const overflow of isShort ? ['drop-newest'] : ['drop-newest', 'drop-oldest']) {
      findings.push(...(await dropsAtMark(bytes, overflow)));
    }
    return findings;
  },
};

async function closesAtMark(scale: Scale, bytes: number, size: number): Promise<readonly Finding[]> {
  const path = `/send?bytes=${bytes}&size=${size}&every=1`;
  const ws = await besideWs(scale, {}, (target) => sendTo(target, path));
  return underAttack({}, async (target) => {
    const { peak, vitals } = await sendTo(target, path);
    return [
      sizeAtMost(
        `peak memory of each of ${readers}, ${sizeText(bytes)} in messages of ${sizeText(size)}`,
        mark + 64 * KiB,
        peak / readers,
        ws && ws.peak / readers,
      ),
      sizeAtMost('most that waited', mark, vitals.mostBuffered, ws?.vitals.mostBuffered),
      exactly('connections closed with BUFFER_FULL', readers, vitals.closes['1006 BUFFER_FULL'] ?? 0),
    ];
  });
}

async function dropsAtMark(bytes: number, overflow: string): Promise<readonly Finding[]> {
  return underAttack({ options: { overflow } }, async (target) => {
    const { held, vitals } = await sendTo(target, `/send?bytes=${bytes}&size=${64 * KiB}&every=1`);
    return [
      sizeAtMost(`memory held by each of ${readers}, overflow: '${overflow}'`, mark + 64 * KiB, held / readers),
      sizeAtMost('most that waited', mark, vitals.mostBuffered),
    ];
  });
}

/** Opens a connection to which everything is sent, and waits until it is. */
function sendTo(target: Target, path: string): Promise<Cost> {
  const attack = async (portion: number): Promise<readonly HostilePeer[]> => {
    const warmUp = portion < 1;
    const { sent } = await target.subject.vitals();
    const options = { path: warmUp ? '/send?bytes=1048576' : path, reads: warmUp };
    const peers = await HostilePeer.openMany(target.subject.port, readers, options);
    await target.subject.until((vitals) => vitals.sent === sent + readers);
    return peers;
  };
  return costOf(target, attack);
}

/** Longer than it takes to fill the buffers of the kernel. */
const patienceMillis = 700;
const peers = 50;
const waiting = 2 * MiB + 128 * KiB;

/** The peer sends faster than the application takes. */
export const slowSubscriber: FaultCase = {
  name: 'messages faster than they are taken',
  async run(scale) {
    const findings: Finding[] = [];
    for (const size of scale === 'short' ? [125, MiB] : [1, 125, 64 * KiB, MiB])
      findings.push(...(await floodMessages(scale, '/slow?ms=1000', size)));
    if (scale === 'full') findings.push(...(await floodMessages(scale, '/unread', MiB)));
    return findings;
  },
};

async function floodMessages(scale: Scale, path: string, size: number): Promise<readonly Finding[]> {
  const total = scale === 'short' ? 20 * MiB : 100 * MiB;
  const frames = Array.from({ length: Math.max(1, Math.floor((64 * KiB) / (size + 6))) }, () =>
    binary(Buffer.alloc(size), { key: 0 }),
  );
  const bytes = wire('server', frames);
  const attack = (target: Target): Promise<Cost> =>
    costOf(
      target,
      (portion) => {
        const times = Math.ceil((total * portion) / bytes.length);
        // A paused connection does not see that its peer goes: what warms up is taken.
        const through = portion < 1 ? '/ignore' : path;
        return floodFrom(target.subject.port, peers, { path: through, bytes, times, patienceMillis });
      },
      0.05,
    );
  // Small messages cost ws more than the machine has.
  const ws = size < 64 * KiB ? undefined : await besideWs(scale, {}, attack);
  return underAttack({}, async (target) => {
    const { peak } = await attack(target);
    const taken = path === '/unread' ? 'nobody takes them' : 'one a second is taken';
    const what = `peak memory of each of ${peers}, messages of ${size < KiB ? `${size} B` : sizeText(size)}, ${taken}`;
    return [sizeAtMost(what, waiting, peak / peers, ws && ws.peak / peers)];
  });
}
