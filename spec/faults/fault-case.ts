/** What a fault case is, and what it finds. */

/** `'short'` is for each change of the code, seconds for a case; `'full'` is what is published. */
export type Scale = 'short' | 'full';

/** One figure, and whether it is as it has to be. */
export interface Finding {
  readonly what: string;
  readonly expected: string;
  readonly measured: string;
  readonly holds: boolean;
  /** The same figure of ws in the same run. */
  readonly ws?: string;
  /** Whether what else the machine does may have made it what it is: one that does not hold is measured again. */
  readonly isNoisy?: boolean;
}

/** One attack or fault. Rejects when it cannot be tried. */
export interface FaultCase {
  readonly name: string;
  /** Whether it does next to nothing but wait: in the short form these run at the same time. */
  readonly waits?: boolean;
  run(scale: Scale): Promise<readonly Finding[]>;
}

/** Bytes, as KiB below one MiB and as MiB above. */
export function sizeText(bytes: number): string {
  const kib = bytes / 1024;
  return Math.abs(kib) < 1024 ? `${rounded(kib)} KiB` : `${rounded(kib / 1024, 100)} MiB`;
}

/** Milliseconds. */
export function timeText(millis: number): string {
  return millis < 10_000 ? `${rounded(millis)} ms` : `${rounded(millis / 1000)} s`;
}

/** A number with its thousands apart. */
export function thousands(count: number): string {
  return count.toLocaleString('en').replaceAll(',', ' ');
}

/** With a digit behind the point below `exact`. */
function rounded(value: number, exact = 10): string {
  return value.toFixed(Math.abs(value) < exact && !Number.isInteger(value) ? 1 : 0);
}

/** A size that has a bound. */
export function sizeAtMost(what: string, limit: number, measured: number, ws?: number): Finding {
  return atMost(what, limit, measured, ws, sizeText);
}

/** A time in milliseconds that has a bound. */
export function timeAtMost(what: string, limit: number, measured: number, ws?: number): Finding {
  return atMost(what, limit, measured, ws, timeText);
}

/** A time in milliseconds that must not have come sooner. */
export function notBefore(what: string, limit: number, measured: number): Finding {
  const figures = { expected: `not before ${timeText(limit)}`, measured: timeText(measured) };
  return { what, ...figures, holds: measured >= limit };
}

/** Anything that has to be one thing, whatever else the machine does. */
export function exactly<T extends string | number>(what: string, expected: T, measured: T, ws?: T): Finding {
  const text = (value: T): string =>
    typeof value === 'number' && value >= 10_000 ? thousands(value) : String(value) || 'none';
  const texts = { expected: text(expected), measured: text(measured), ...(ws !== undefined && { ws: text(ws) }) };
  return { what, ...texts, holds: expected === measured };
}

function atMost(
  what: string,
  limit: number,
  measured: number,
  ws: number | undefined,
  text: (value: number) => string,
): Finding {
  const figures = {
    expected: `at most ${text(limit)}`,
    measured: text(measured),
    ...(ws !== undefined && { ws: text(ws) }),
  };
  return { what, ...figures, holds: measured <= limit, isNoisy: true };
}
