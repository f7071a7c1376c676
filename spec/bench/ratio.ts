/** What pairs of figures say about two builds. */
import { median } from './samples.js';

/** The figures of one pair, measured one right after the other. */
export interface Pair {
  readonly before: number;
  readonly after: number;
}

/** A ratio of costs, after to before, with its 95 % confidence interval: 1.1 is a tenth dearer. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** A change counts as free while the interval of its ratio includes this or less. */
export const dearest = 1.03;

/** Whether the interval leaves room for "not dearer": whether it includes {@link dearest} or less. */
export function isKept({ low }: Ratio): boolean {
  return low <= dearest;
}

/**
 * The geometric mean of the ratios of the pairs. Its interval is that of Student's t for the mean of their logarithms, so that twice as dear
 * and half as dear weigh the same.
 *
 * @throws RangeError with fewer than two pairs, which have no spread, or with a figure that has no logarithm.
 */
export function ratioOf(pairs: readonly Pair[]): Ratio {
  if (pairs.length < 2) throw new RangeError(`an interval needs two pairs, got ${pairs.length}`);
  const logs = pairs.map(({ before, after }) => Math.log(after / before));
  if (!logs.every(Number.isFinite)) throw new RangeError('a ratio needs figures above 0');
  const mean = sum(logs) / logs.length;
  const variance = sum(logs.map((log) => (log - mean) ** 2)) / (logs.length - 1);
  const margin = studentT(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - margin), high: Math.exp(mean + margin) };
}

/** The median of each side. */
export function mediansOf(pairs: readonly Pair[]): Pair {
  return { before: median(pairs.map(({ before }) => before)), after: median(pairs.map(({ after }) => after)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const quantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** That of the normal distribution. */
const normal = 1.959964;

/** With more degrees of freedom than the table has, the first terms of its expansion around the normal distribution are exact enough. */
export function studentT(freedom: number): number {
  return quantiles[freedom - 1] ?? normal + (normal ** 3 + normal) / (4 * freedom);
}
