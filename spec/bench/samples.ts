/** What a measurement leaves behind, as it is kept in JSON. */
import type { ServerName } from './servers.js';

/** One server, in one round. */
export interface Sample {
  readonly server: ServerName;
  /** What is compared, and better when it is smaller: microseconds of CPU for one message, or bytes for one connection. */
  readonly cost: number;
  /** Whatever else was seen, such as `perSecond`. */
  readonly details?: Readonly<Record<string, number>>;
}

/** All samples of one load: a row of a table. */
export interface Series {
  /** That of its profile. */
  readonly name: string;
  readonly rounds: number;
  /** How long each server was measured in a round. */
  readonly seconds: number;
  readonly samples: readonly Sample[];
}

/** The middle value; the mean of the two middle ones when there is an even number; not a number when there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median cost of one server, or that of a detail; not a number where it was not measured. */
export function medianOf({ samples }: Series, server: ServerName, detail?: string): number {
  const own = samples.filter((sample) => sample.server === server);
  return median(own.map(({ cost, details }) => (detail === undefined ? cost : (details?.[detail] ?? Number.NaN))));
}
