/** How long one input can take, of many. */
import * as fc from 'fast-check';
import { corpus } from './corpus.js';
import { inputs } from './mutations.js';
import type { Target } from './targets.js';

/** The input that took longest. */
export interface Slowest {
  /** In milliseconds of CPU time. */
  readonly millis: number;
  readonly input: Buffer;
  readonly outcome: string;
  /** How many inputs were tried. */
  readonly count: number;
}

/** Inputs that seem slow are tried so often: the least time is that of the input, the rest is the machine's. */
const TRIES = 4;

const BATCH = 100;

/** Long pieces, repeated often: what is not linear shows. As long as what comes from a socket in one turn of the loop. */
const costly = { times: 20_000, longest: 65_536 } as const;

/**
 * Runs the seeds of `target`, those that are made to be slow, and `count` random inputs, up to 64 KiB each.
 *
 * @throws what the target throws for an outcome that is not documented, with the input.
 */
export function slowestOf(target: Target, count: number, seed: number): Slowest {
  const seeds = [...corpus(target.corpus).map(({ input }) => input), ...(target.slow ?? [])];
  // What is run for the first time is compiled.
  for (const input of fc.sample(inputs(target), { numRuns: 100, seed })) timeOf(target, input);
  let slowest: Slowest = { millis: 0, input: Buffer.alloc(0), outcome: '', count: seeds.length + count };
  const random = inputs(target, costly);
  for (let done = 0; done < slowest.count; ) {
    // No more than a few are kept at a time.
    const batch =
      done === 0 ? seeds : fc.sample(random, { numRuns: Math.min(BATCH, slowest.count - done), seed: seed + done });
    for (const input of batch) slowest = slower(target, input, slowest);
    done += batch.length;
  }
  return slowest;
}

/** `slowest`, or what `input` costs if that is more. */
function slower(target: Target, input: Buffer, slowest: Slowest): Slowest {
  let best = timeOf(target, input);
  for (let tries = 1; tries < TRIES && best.millis > slowest.millis; tries++) {
    const again = timeOf(target, input);
    if (again.millis < best.millis) best = again;
  }
  return best.millis > slowest.millis ? { ...best, input, count: slowest.count } : slowest;
}

function timeOf(target: Target, input: Buffer): { millis: number; outcome: string } {
  const copy = Buffer.from(input);
  const began = process.cpuUsage();
  try {
    const outcome = target.run(copy);
    const { user, system } = process.cpuUsage(began);
    return { millis: (user + system) / 1000, outcome };
  } catch (cause) {
    const shown = `${input.subarray(0, 400).toString('hex')}${input.length > 400 ? '...' : ''}`;
    throw new Error(`${target.name}: ${(cause as Error).message}, for ${shown}`, { cause });
  }
}
