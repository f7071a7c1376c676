/** `--before`: whether this checkout is dearer than another commit. */
import { table } from '../support/markdown.js';
import { LoadGenerator } from './load.js';
import type { Compared } from './measurements.js';
import type { BenchOptions } from './options.js';
import { buildOther } from './other-build.js';
import { dearest, isKept, mediansOf, type Pair, type Ratio, ratioOf } from './ratio.js';

/** A row, as it was measured. */
export interface Comparison {
  readonly name: string;
  readonly pairs: readonly Pair[];
}

/**
 * Measures each row in pairs of processes, one of either build, and prints what they say. Every figure is that of a process of its own: how
 * well one is compiled, and where its memory lies, is luck that lasts as long as the process does.
 *
 * @returns whether all rows are kept.
 */
export async function compareBuilds(rows: readonly Compared[], ref: string, options: BenchOptions): Promise<boolean> {
  // Without this no handler of 'exit' would run, and the temporary folders would stay.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const load = new LoadGenerator();
  const { commit, root } = buildOther(ref);
  const minutes = rows.reduce((sum, row) => sum + 2 * options.pairs * row.estimate(options.seconds), 0) / 60;
  console.log(`Before: ${commit.slice(0, 10)}. ${options.pairs} pairs of ${options.seconds} s.`);
  console.log(`This takes about ${Math.ceil(minutes)} min.`);
  const done: Comparison[] = [];
  for (const row of rows) {
    const pairs = await measurePairs(options.pairs, (root) => row.measure(load, options.seconds, root), root);
    done.push({ name: row.name, pairs });
    console.error(describe(done.at(-1)!));
  }
  console.log(`\n${comparisonTable(done)}`);
  return done.every(({ pairs }) => isKept(ratioOf(pairs)));
}

/** Before and after by turns, in the other order in each second pair: what gets warmer or busier meanwhile does so for both. */
export async function measurePairs(
  count: number,
  measure: (root: string) => Promise<number>,
  otherRoot: string,
  ownRoot = '.',
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    if (index % 2 === 0) {
      const before = await measure(otherRoot);
      pairs.push({ before, after: await measure(ownRoot) });
    } else {
      const after = await measure(ownRoot);
      pairs.push({ before: await measure(otherRoot), after });
    }
  }
  return pairs;
}

export function comparisonTable(rows: readonly Comparison[]): string {
  const head = ['cost, us CPU or bytes', 'before', 'after', 'after / before', '95 % interval', `at most ${dearest}`];
  const lines = rows.map(({ name, pairs }) => {
    const { before, after } = mediansOf(pairs);
    const ratio = ratioOf(pairs);
    return [name, figure(before), figure(after), ratio.ratio.toFixed(3), interval(ratio), verdict(ratio)];
  });
  const often = rows.length === 0 ? 0 : rows[0]!.pairs.length;
  return `${table(head, lines)}\n\nMedians of ${often} interleaved pairs, the geometric mean of their ratios, and its interval by Student's t of the logarithms.`;
}

function describe({ name, pairs }: Comparison): string {
  const ratio = ratioOf(pairs);
  return `${name}: ${ratio.ratio.toFixed(3)} (${interval(ratio)}), ${verdict(ratio)}`;
}

function interval({ low, high }: Ratio): string {
  return `${low.toFixed(3)} to ${high.toFixed(3)}`;
}

function verdict(ratio: Ratio): string {
  return isKept(ratio) ? 'yes' : 'DEARER';
}

/** Microseconds with decimals, bytes without. */
function figure(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(value < 1000 ? 1 : 0);
}
