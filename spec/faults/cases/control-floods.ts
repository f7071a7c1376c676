/** More control frames than anybody has a reason to send. */
import { ping, pong, wire } from '../../support/frames.js';
import { exactly, type FaultCase, type Finding, sizeAtMost, thousands } from '../fault-case.js';
import { floodFrom, HostilePeer, type PeerOptions } from '../hostile-peer.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const MiB = 1_048_576;
const perChunk = 500;
/** What a client sends in a ping or pong of 125 bytes, and what it gets in the answer. */
const [frameBytes, answerBytes] = [131, 127];
/** Below 4 KiB of pongs nothing is left out. */
const perWindow = 30;
const [pingChunk, pongChunk] = [ping, pong].map((frame) =>
  wire(
    'server',
    Array.from({ length: perChunk }, () => frame(Buffer.alloc(125), { key: 0 })),
  ),
) as [Buffer, Buffer];
/** As many frames as it takes until the compiler is done. */
const warmUp = 100_000;
const window = pingChunk.subarray(0, perWindow * frameBytes);

/** Pongs that nobody asked for. */
export const pongs: FaultCase = {
  name: 'unsolicited pongs',
  async run(scale) {
    const count = scale === 'short' ? 200_000 : 1_000_000;
    const ws = await besideWs(scale, {}, (target) => flood(target, pongChunk, count));
    return underAttack({}, async (target) => {
      const { peak, peers } = await flood(target, pongChunk, count);
      return [
        sizeAtMost(`peak memory, ${thousands(count)} pongs of 125 B`, 2 * MiB, peak, ws?.peak),
        exactly('bytes of answers', 0, peers[0]!.receivedBytes, ws?.peers[0]?.receivedBytes),
      ];
    });
  },
};

/** Pings whose pongs nobody reads. */
export const unreadPings: FaultCase = {
  name: 'pings from a peer that never reads',
  async run(scale) {
    const count = scale === 'short' ? 300_000 : 3_000_000;
    const ws = await besideWs(scale, {}, (target) => flood(target, pingChunk, count, { reads: false }));
    return underAttack({}, async (target) => {
      const { peak, peers } = await flood(target, pingChunk, count, { reads: false });
      return [
        sizeAtMost(`peak memory, ${thousands(count)} pings of 125 B`, 2 * MiB, peak, ws?.peak),
        pingsTaken(count, peers[0]!, ws?.peers[0]),
      ];
    });
  },
};

/** Pings whose pongs are read, some at a time. */
export const readPings: FaultCase = {
  name: 'pings from a peer that reads',
  async run(scale) {
    const count = perWindow * (scale === 'short' ? 5_000 : 33_334);
    const attack = (target: Target): Promise<Cost> =>
      costOf(target, async (portion) => [
        await pingInTurn(target.subject.port, Math.ceil((count * portion) / perWindow)),
      ]);
    const ws = await besideWs(scale, {}, attack);
    return underAttack({}, async (target) => {
      const { peak, peers } = await attack(target);
      const answered = (peer: HostilePeer): number => peer.receivedBytes / answerBytes;
      return [
        exactly(`pongs for ${thousands(count)} pings`, count, answered(peers[0]!), ws && answered(ws.peers[0]!)),
        sizeAtMost('peak memory', 2 * MiB, peak, ws?.peak),
      ];
    });
  },
};

function flood(target: Target, chunk: Buffer, count: number, options: PeerOptions = {}): Promise<Cost> {
  const attack = (portion: number): Promise<readonly HostilePeer[]> =>
    floodFrom(target.subject.port, 1, { ...options, bytes: chunk, times: Math.ceil((count * portion) / perChunk) });
  return costOf(target, attack, warmUp / count);
}

/** That the flood was not simply stopped: a server that closes says so in another column. */
function pingsTaken(count: number, peer: HostilePeer, ws: HostilePeer | undefined): Finding {
  const taken = ({ isGone }: HostilePeer): string => (isGone ? 'closed' : 'all');
  return exactly(`taken of ${thousands(count)}`, 'all', taken(peer), ws && taken(ws));
}

/** Sends some pings, and the next ones once the pongs are there. */
async function pingInTurn(port: number, windows: number): Promise<HostilePeer> {
  const peer = await HostilePeer.open(port);
  for (let sent = 1; sent <= windows && !peer.isGone; sent++) {
    peer.socket.write(window);
    while (peer.receivedBytes < sent * perWindow * answerBytes && !peer.isGone) await nextChunk(peer);
  }
  return peer;
}

function nextChunk({ socket }: HostilePeer): Promise<void> {
  return new Promise((resolve) => {
    const next = (): void => {
      socket.off('data', next).off('close', next);
      resolve();
    };
    socket.once('data', next).once('close', next);
  });
}
