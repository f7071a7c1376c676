/** A server, an honest connection beside the hostile ones, and what has to be so behind every attack. */
import { forgetPeak, peakBytes } from '../support/process-figures.js';
import { Bystander, type Sight } from './bystander.js';
import { type Finding, type Scale, timeText } from './fault-case.js';
import type { HostilePeer } from './hostile-peer.js';
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
  /** The heap and what it keeps outside, garbage collected, while the hostile connections were still there. */
  readonly held: number;
  /** The longest that the event loop did not turn, in milliseconds. */
  readonly stallMillis: number;
  readonly cpuMillis: number;
  /** What the bystander saw meanwhile. */
  readonly sight: Sight;
  readonly vitals: Vitals;
  /** The hostile peers, still as the attack left them. */
  readonly peers: readonly HostilePeer[];
}

/** Opens hostile connections and does with them what is measured, or a `portion` of it. */
export type Attack = (portion: number) => Promise<readonly HostilePeer[]>;

/**
 * What `attack` costs the server, behind two small ones that warm it up: what the first messages load and compile, and the garbage that any
 * traffic makes, are not the cost of the attack.
 */
export async function costOf(target: Target, attack: Attack, warmUp = 0.05): Promise<Cost> {
  const { subject, bystander } = target;
  await inSmall(target, attack, warmUp);
  const before = await subject.vitals({ collect: true });
  await inSmall(target, attack, warmUp);
  await bystander.report();
  const start = await subject.vitals();
  forgetPeak(subject.pid);
  const baseline = peakBytes(subject.pid);
  const peers = await attack(1);
  const sight = await bystander.echoed();
  const busy = await subject.vitals();
  const peak = peakBytes(subject.pid) - baseline;
  const vitals = await subject.vitals({ collect: true });
  return {
    peak,
    held: vitals.heapUsed + vitals.external - before.heapUsed - before.external,
    stallMillis: busy.stall.maxMillis,
    cpuMillis: (busy.cpuMicros - start.cpuMicros) / 1000,
    sight,
    vitals,
    peers,
  };
}

/** A part of the attack, nothing of which is there behind it. */
async function inSmall({ subject }: Target, attack: Attack, portion: number): Promise<void> {
  const { opened, closed } = await subject.vitals();
  for (const peer of await attack(portion)) peer.reset();
  await subject.until((vitals) => vitals.opened - vitals.closed === opened - closed);
}
