/** Many connections that talk for long. */
import { residentBytes } from '../../support/process-figures.js';
import { exactly, type FaultCase, sizeAtMost } from '../fault-case.js';
import { Subject } from '../subject.js';
import { Swarm } from '../swarm.js';

const MIB = 1024 * 1024;

/**
 * How many connections, and for how long, in seconds. What a connection makes for its first message and its first ping, which comes within
 * 30 s, is its price and no growth: the heap is looked at first when all have settled.
 */
const scales = {
  short: { count: 500, settling: 1, seconds: 5 },
  full: { count: 5_000, settling: 35, seconds: 120 },
} as const;

/** One message a second on each connection. */
export const soak: FaultCase = {
  name: 'soak',
  async run(scale) {
    const { count, settling, seconds } = scales[scale];
    const subject = await Subject.start();
    const swarm = await Swarm.start();
    try {
      const { open } = await swarm.run('talk', { port: subject.port, count, every: 1_000 });
      await sampled(settling, () => residentBytes(subject.pid));
      const before = await subject.vitals({ collect: true });
      const samples = await sampled(seconds - settling, () => residentBytes(subject.pid));
      const after = await subject.vitals({ collect: true });
      const { sent, echoed, outOfOrder } = await swarm.run('hushAndLeave', { wait: 10_000 });
      const { closed, messages, escaped } = await subject.until((vitals) => vitals.closed === open);
      const least = 0.95 * count * seconds;
      return [
        exactly('connections', count, open),
        { what: 'messages', expected: `at least ${least}`, measured: String(sent), holds: sent >= least },
        exactly('delivered', sent, messages),
        exactly('echoes', sent, echoed),
        exactly('echoes out of order, or twice', 0, outOfOrder),
        sizeAtMost(
          `heap after ${seconds} s, above that after ${settling} s`,
          2 * MIB,
          after.heapUsed - before.heapUsed,
        ),
        // Within seconds the young generation of the heap still grows to its size.
        ...(scale === 'short'
          ? []
          : [sizeAtMost('resident memory a minute, over the second half', 4 * MIB, slope(samples) * 60)]),
        exactly('close records once they have left', open, closed),
        exactly('uncaught errors', 0, escaped.length),
      ];
    } finally {
      await swarm.kill();
      await subject.stop();
    }
  },
};

/** A value each half second. */
async function sampled(seconds: number, sample: () => number): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < 2 * seconds; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    samples.push(sample());
  }
  return samples;
}

/** Growth a second over the second half of values that are half a second apart: least squares. */
function slope(samples: readonly number[]): number {
  const values = samples.slice(samples.length / 2);
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [rise, run] = [0, 0];
  for (const [index, value] of values.entries()) {
    rise += (index - middle) * (value - mean);
    run += (index - middle) ** 2;
  }
  return (2 * rise) / run;
}
