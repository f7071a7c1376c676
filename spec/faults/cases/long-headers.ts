/** Requests that never come to an end. */
import { exactly, type FaultCase, type Finding, sizeAtMost, timeAtMost } from '../fault-case.js';
import { HostilePeer } from '../hostile-peer.js';
import { besideWs, type Cost, costOf, type Target, underAttack } from '../under-attack.js';

const MiB = 1_048_576;
const headBytes = 20 * MiB;
const partBytes = 32_768;
/** The CPU time of one is too short to be told from that of the bystander. */
const requests = 20;

/** One field that is longer than a server can want, and very many of them. */
export const longHeaders: FaultCase = {
  name: 'a request of 20 MiB',
  async run(scale) {
    const long = Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: '), Buffer.alloc(headBytes, 'a')]);
    const many = Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${'a: b\r\n'.repeat(headBytes / 6)}`);
    const findings: Finding[] = [];
    for (const [name, head] of [
      ['one header', long],
      ['short headers', many],
    ] as const) {
      const ws = await besideWs(scale, {}, (target) => ask(target, head));
      const found = await underAttack({}, async (target) => {
        const { peak, cpuMillis, peers } = await ask(target, head);
        return [
          exactly(`${name}: answers`, '431', answers(peers), ws && answers(ws.peers)),
          timeAtMost(`${name}: CPU time of each`, 10, cpuMillis / requests, ws && ws.cpuMillis / requests),
          sizeAtMost(`${name}: peak memory of each`, MiB / 4, peak / requests, ws && ws.peak / requests),
        ];
      });
      findings.push(...found);
    }
    return findings;
  },
};

/** Sends the same request one after the other. */
function ask({ subject, bystander }: Target, head: Buffer): Promise<Cost> {
  const attack = async (portion: number): Promise<readonly HostilePeer[]> => {
    const peers: HostilePeer[] = [];
    for (let asked = 0; asked < requests * portion; asked++) {
      const peer = await HostilePeer.connect(subject.port);
      peers.push(peer);
      const told = new Promise((resolve) => peer.socket.once('end', resolve));
      for (let at = 0; at < head.length && peer.status === undefined && !peer.isGone; at += partBytes) {
        await Promise.race([peer.flood(head.subarray(at, at + partBytes)), told]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      // Who has read the answer leaves.
      if (peer.status !== undefined) peer.socket.destroy();
      await peer.gone();
    }
    return peers;
  };
  return costOf({ subject, bystander }, attack, 0.5);
}

/** Each kind of answer once. */
function answers(peers: readonly HostilePeer[]): string {
  return [...new Set(peers.map(({ status }) => status ?? 'a reset'))].join(', ');
}
