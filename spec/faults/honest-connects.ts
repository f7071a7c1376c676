/** What an honest client waits for its handshake. */
import { MassPeer } from './swarm/mass-peer.js';

/** Connects `count` times, one after the other, and leaves at once. In milliseconds. @throws Error when one is refused. */
export async function honestConnects(port: number, count: number): Promise<{ p99: number; most: number }> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    const peer = await MassPeer.open(port);
    if (peer === undefined) throw new Error(`an honest client was refused, after ${i} that were not`);
    times.push(performance.now() - began);
    peer.socket.resetAndDestroy();
  }
  times.sort((a, b) => a - b);
  return { p99: times[Math.ceil(count * 0.99) - 1] ?? 0, most: times.at(-1) ?? 0 };
}
