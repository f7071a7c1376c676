/** How long one input can take, of many. */
import * as fc from 'fast-check';
import { corpus } from './corpus.js';
import { inputs } from './mutations.js';
import type { Target } from './targets.js';

/** The input that took longest. */
export interface Slowest {
  /** In milliseconds of wall time. */
  readonly millis: number;
  readonly input: Buffer;
  readonly outcome: string;
  /** How many inputs were tried. */
  readonly count: number;
}

/** Inputs that seem slow are tried so often: the least time is that of the input, the rest of the machine. */
const TRIES = 4;

/** Long pieces, repeated often: what is not linear shows. */
const costly = { times: 20_000, longest: 262_144 } as const;

/**
 * Runs the seeds of `target` and `count` random inputs, up to 256 KiB each.
 *
 * @throws what the target throws for an outcome that is not documented, with the input.
 */
export function slowestOf(target: Target, count: number, seed: number): Slowest {
  const random = fc.sample(inputs(target, costly), { numRuns: count, seed });
  const all = [...corpus(target.corpus).map(({ input }) => input), ...random];
  // What is run for the first time is compiled.
  for (const input of all.slice(0, 50)) timeOf(target, input);
  let slowest: Slowest = { millis: 0, input: Buffer.alloc(0), outcome: '', count: all.length };
  for (const input of all) {
    let { millis, outcome } = timeOf(target, input);
    for (let tries = 1; tries < TRIES && millis > slowest.millis; tries++) {
      const again = timeOf(target, input);
      if (again.millis < millis) ({ millis, outcome } = again);
    }
    if (millis > slowest.millis) slowest = { millis, input, outcome, count: all.length };
  }
  return slowest;
}

function timeOf(target: Target, input: Buffer): { millis: number; outcome: string } {
  const copy = Buffer.from(input);
  const began = performance.now();
  try {
    const outcome = target.run(copy);
    return { millis: performance.now() - began, outcome };
  } catch (cause) {
    const shown = `${input.subarray(0, 400).toString('hex')}${input.length > 400 ? '...' : ''}`;
    throw new Error(`${target.name}: ${(cause as Error).message}, for ${shown}`, { cause });
  }
}
