/** A server, an honest connection beside the hostile ones, and what has to be so behind every attack. */
import { forgetPeak, peakBytes } from '../support/process-figures.js';
import { Bystander, type Sight } from './bystander.js';
import { type Finding, type Scale, timeText } from './fault-case.js';
import { Subject, type SubjectOptions, type Vitals } from './subject.js';

/** A server, and an honest connection to it. */
export interface Target {
  readonly subject: Subject;
  readonly bystander: Bystander;
}

/**
 * Starts a server and a bystander, runs the attack, and looks at what is left: no error may have escaped, and the bystander, whose
 * connection is from before the attack, must still get its echoes. Stops both.
 *
 * @returns the findings of `attack`, and one about the survival.
 */
export async function underAttack(
  options: SubjectOptions,
  attack: (target: Target) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  return withServer(options, async (target) => {
    const findings = await attack(target);
    return [...findings, survival(await target.bystander.echoed(), await target.subject.vitals())];
  });
}

/** The same attack on ws, with the same limit for messages as sluice has by default. Only in full: it is slow where it costs much. */
export async function besideWs<T>(
  scale: Scale,
  options: Readonly<Record<string, unknown>>,
  attack: (target: Target) => Promise<T>,
): Promise<T | undefined> {
  if (scale === 'short') return undefined;
  return withServer({ library: 'ws', options: { maxPayload: 1_048_576, ...options } }, attack);
}

async function withServer<T>(options: SubjectOptions, use: (target: Target) => Promise<T>): Promise<T> {
  const subject = await Subject.start(options);
  let bystander: Bystander | undefined;
  try {
    bystander = await Bystander.start(subject.port);
    return await use({ subject, bystander });
  } finally {
    await Promise.all([subject.stop(), bystander?.stop()]);
  }
}

function survival({ echoes, isLost, maxMillis }: Sight, { escaped }: Vitals): Finding {
  const echo = echoes > 0 && !isLost ? `an echo within ${timeText(maxMillis)}` : 'no echo';
  for (const error of escaped) console.error(error);
  return {
    what: 'everybody else',
    expected: '0 errors escape, an echo',
    measured: `${escaped.length} errors, ${echo}`,
    holds: escaped.length === 0 && echoes > 0 && !isLost,
  };
}

/** What an attack cost. Sizes are bytes beyond what there was before. */
export interface Cost {
  /** Resident memory at its peak, whatever of it was garbage. */
  readonly peak: number;
  /** Resident memory behind it, garbage collected, while the hostile connections were still there. */
  readonly resident: number;
  /** The heap and what it keeps outside, likewise: exact, where what is resident depends on the allocator. */
  readonly held: number;
  /** The longest that the event loop did not turn, in milliseconds. */
  readonly stallMillis: number;
  readonly cpuMillis: number;
  /** What the bystander saw meanwhile. */
  readonly sight: Sight;
  readonly vitals: Vitals;
}

/**
 * What `attack` costs the server. Warm it up first, with a small attack of the same kind: what the first messages load and compile, and
 * the young generation of the heap, which grows with any traffic, are not the cost of the attack.
 */
export async function costOf({ subject, bystander }: Target, attack: () => Promise<unknown>): Promise<Cost> {
  const before = await subject.vitals({ collect: true });
  await bystander.report();
  forgetPeak(subject.pid);
  const baseline = peakBytes(subject.pid);
  await attack();
  const sight = await bystander.echoed();
  const peak = peakBytes(subject.pid) - baseline;
  const busy = await subject.vitals();
  const vitals = await subject.vitals({ collect: true });
  return {
    peak,
    resident: vitals.rss - before.rss,
    held: vitals.heapUsed + vitals.external - before.heapUsed - before.external,
    stallMillis: busy.stall.maxMillis,
    cpuMillis: (busy.cpuMicros - before.cpuMicros) / 1000,
    sight,
    vitals,
  };
}
