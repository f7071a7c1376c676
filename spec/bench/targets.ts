/** What sluice is held to, and whether it holds. */
import { medianOf, type Series } from './samples.js';
import type { ServerName } from './servers.js';

/** The cost of sluice in one row, against that of a server. */
export interface Target {
  /** The name of a profile. */
  readonly row: string;
  /** A number or a fraction, as it is written: `0.85`, `1/12`. */
  readonly atMost: string;
  readonly of: ServerName;
  /** The row of the cost that it is compared with. @default the same */
  readonly against?: string;
}

export const targets: readonly Target[] = [
  { row: '32 B text, 16 in flight', atMost: '1/10', of: 'ws' },
  { row: '32 B text, 16 in flight', atMost: '1.8', of: 'net' },
  { row: '1 KiB text, 16 in flight', atMost: '1/8', of: 'ws' },
  ...(['text', 'binary'] as const).flatMap((kind): Target[] => [
    { row: `32 B ${kind}, 1 in flight`, atMost: '0.87', of: 'ws' },
    { row: `32 B ${kind}, 1 in flight`, atMost: '1.1', of: 'net' },
  ]),
  { row: '64 KiB binary, 4 in flight', atMost: '0.38', of: 'ws' },
  { row: '64 KiB binary, 4 in flight', atMost: '1.35', of: 'net' },
  { row: '64 KiB text, 4 in flight', atMost: '0.36', of: 'ws' },
  { row: '1 MiB binary, 1 in flight', atMost: '0.36', of: 'ws' },
  { row: 'client 32 B text, 16 in flight', atMost: '1/6', of: 'ws' },
  { row: 'broadcast, 1 in flight', atMost: '0.85', of: 'ws' },
  { row: 'broadcast, 16 in flight', atMost: '1/12', of: 'ws' },
  { row: 'compressed 64 B, 16 in flight', atMost: '1/5', of: 'ws' },
  { row: 'compressed 2 KiB, 16 in flight', atMost: '1/3.5', of: 'ws' },
  { row: 'handshakes', atMost: '1', of: 'ws' },
  { row: 'scale 10 000 connections', atMost: '1.5', of: 'sluice', against: 'scale 100 connections' },
];

/** What the targets of a row say about `rows`: `1/10 of ws: yes (0.087)`, joined by commas; nothing where there are none. */
export function verdict(name: string, rows: readonly Series[]): string {
  return targets
    .filter(({ row }) => row === name)
    .map((target) => verdictOf(target, rows))
    .join(', ');
}

function verdictOf({ row, atMost, of, against = row }: Target, rows: readonly Series[]): string {
  const goal = `at most ${atMost} of ${of === 'sluice' ? `"${against}"` : of}`;
  const ratio = costOf(rows, row, 'sluice') / costOf(rows, against, of);
  if (Number.isNaN(ratio)) return `${goal}: not measured`;
  return `${goal}: ${ratio <= parseFraction(atMost) ? 'yes' : 'no'} (${writeRatio(ratio)})`;
}

function costOf(rows: readonly Series[], name: string, server: ServerName): number {
  const row = rows.find((each) => each.name === name);
  return row === undefined ? Number.NaN : medianOf(row, server);
}

/** Two decimals, and three of a small one. */
export function writeRatio(ratio: number): string {
  return ratio.toFixed(ratio < 0.2 ? 3 : 2);
}

function parseFraction(text: string): number {
  const [above, below = '1'] = text.split('/');
  return Number(above) / Number(below);
}
