/** CPU time of the process under test per message. */
import type { LoadGenerator, LoadTimes } from './load.js';
import type { BenchOptions } from './options.js';
import type { Profile } from './profiles.js';
import type { Sample, Series } from './samples.js';
import { type RunningServer, startServer } from './servers.js';

/**
 * Nothing is counted until it has had this many seconds of CPU after all connections are open. What a process has not done before is slow, until it is
 * compiled: the first round warms up for longer. Many connections leave work behind that is not that of a message, such as garbage.
 */
function warmUpOf({ connections }: Profile, round: number): number {
  return (round === 0 ? 1 : 0.3) + connections / 4000;
}

/** Fewer messages than this in a round are an accident, not a figure. */
const fewestMessages = 50;

/** A round that is longer is not made longer still, in seconds. */
const mostSeconds = 10;

/**
 * Measures all servers under one load. The rounds are interleaved and the order of the servers rotates, so that a machine that gets
 * slower or faster meanwhile does so for all of them.
 */
export async function measureCpu(
  load: LoadGenerator,
  profile: Profile,
  { servers, rounds, seconds }: Pick<BenchOptions, 'servers' | 'rounds' | 'seconds'>,
): Promise<Series> {
  const running: RunningServer[] = [];
  try {
    for (const name of servers) running.push(await startServer(name, profile));
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      const times = { seconds, warmUp: warmUpOf(profile, round) };
      for (const server of rotate(running, round)) samples.push(await measureOnce(load, server, profile, times));
    }
    return { name: profile.name, rounds, seconds, samples };
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

/** The cost of sluice as it is built in `root`, in a process of its own. */
export async function measureBuild(
  load: LoadGenerator,
  profile: Profile,
  seconds: number,
  root: string,
): Promise<number> {
  const server = await startServer('sluice', profile, { root });
  try {
    const { cost } = await measureOnce(load, server, profile, { seconds, warmUp: warmUpOf(profile, 0) });
    return cost;
  } finally {
    await server.stop();
  }
}

/** One round of one server, longer if it is too slow for it. @throws Error when too little comes back to say anything. */
export async function measureOnce(
  load: LoadGenerator,
  server: RunningServer,
  profile: Profile,
  times: LoadTimes,
): Promise<Sample> {
  const { messages, cpuMicros, perSecond, p50Micros, p99Micros } = await load.run(server, profile, times);
  if (messages < fewestMessages || cpuMicros <= 0) {
    const seen = `${server.name}: only ${messages} messages in ${times.seconds} s`;
    if (times.seconds > mostSeconds) throw new Error(`${seen} (${profile.name})`);
    console.error(`  ${seen}: measured again, for longer`);
    return measureOnce(load, server, profile, { ...times, seconds: times.seconds * 4 });
  }
  const { perSecond: asked = 0 } = profile;
  if (perSecond < 0.95 * asked) console.error(`  ${server.name} did only ${perSecond} messages/s instead of ${asked}`);
  return { server: server.name, cost: cpuMicros / messages, details: { messages, perSecond, p50Micros, p99Micros } };
}

/** How long {@link measureCpu} takes, about, in seconds. */
export function estimateCpu(
  profile: Profile,
  { servers, rounds, seconds }: Pick<BenchOptions, 'servers' | 'rounds' | 'seconds'>,
): number {
  const opening = profile.connections / 5000;
  const [start, stop] = [0.4, 0.1];
  const warmUp = warmUpOf(profile, 0) + (rounds - 1) * warmUpOf(profile, 1);
  return servers.length * (start + warmUp + rounds * (opening + seconds + stop));
}

/** `items`, beginning with another one for each `by`. */
export function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
