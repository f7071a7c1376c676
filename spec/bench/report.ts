/** Tables of the figures, in Markdown. */
import { table } from '../support/markdown.js';
import { medianOf, type Series } from './samples.js';
import type { ServerName } from './servers.js';
import { verdict, writeRatio } from './targets.js';

/** What the columns of a table are called. */
export interface Columns {
  readonly title: string;
  /** Of the cost, such as `us CPU/message`. */
  readonly unit: string;
  /** What is counted, such as `messages`; none where nothing comes and goes. */
  readonly counted?: string;
}

/** CPU and throughput of every server for each load, with the ratios of sluice's cost to that of `ws` and of the floor. */
export function cpuTable(rows: readonly Series[], servers: readonly ServerName[], columns: Columns): string {
  return `${costTable(rows, servers, columns, microseconds)}\n\n${rateTable(rows, servers, columns)}\n\n${caption(rows)}`;
}

/** Memory per connection. */
export function memoryTable(rows: readonly Series[], servers: readonly ServerName[], columns: Columns): string {
  return `${costTable(rows, servers, columns, kibibytes)}\n\n${caption(rows)}`;
}

function costTable(
  rows: readonly Series[],
  servers: readonly ServerName[],
  { title, unit }: Columns,
  write: (cost: number) => string,
): string {
  const others = (['ws', 'net'] as const).filter((name) => servers.includes(name) && servers.includes('sluice'));
  const verdicts = rows.map(({ name }) => verdict(name, rows));
  const hasTargets = verdicts.some((text) => text !== '');
  const head = [
    `${title}, ${unit}`,
    ...servers.map(labelOf),
    ...others.map((name) => `sluice / ${name}`),
    ...(hasTargets ? ['target'] : []),
  ];
  const lines = rows.map((row, index) => [
    row.name,
    ...servers.map((name) => present(medianOf(row, name), write)),
    ...others.map((name) => present(medianOf(row, 'sluice') / medianOf(row, name), writeRatio)),
    ...(hasTargets ? [verdicts[index]!] : []),
  ]);
  return table(head, lines);
}

function rateTable(rows: readonly Series[], servers: readonly ServerName[], { title, counted }: Columns): string {
  const lines = rows.map((row) => [
    row.name,
    ...servers.map((name) => present(medianOf(row, name, 'perSecond'), grouped)),
  ]);
  return table([`${title}, ${counted}/s`, ...servers.map(labelOf)], lines);
}

/** The handshakes that a server does in a second of its CPU. */
export function handshakeTable(rows: readonly Series[], servers: readonly ServerName[]): string {
  const columns = { title: 'connect, upgrade, close', unit: 'us CPU/handshake', counted: 'handshakes' };
  const perCpuSecond = rows.map((row) => [
    row.name,
    ...servers.map((name) => present(1e6 / medianOf(row, name), grouped)),
  ]);
  const rates = table(['handshakes per second of CPU', ...servers.map(labelOf)], perCpuSecond);
  return `${rates}\n\n${costTable(rows, servers, columns, microseconds)}\n\n${caption(rows)}`;
}

/** What a bomb did, at worst. */
export function bombText(rows: readonly Series[]): string {
  const { samples } = rows[0]!;
  const details = samples.map((sample) => sample.details!);
  const [wire, inflated] = [details[0]!.wireBytes! / 1024, details[0]!.inflatedBytes! / 1_048_576];
  const codes = [...new Set(details.map(({ closeCode }) => closeCode))].join(', ');
  const growth = Math.max(...samples.map(({ cost }) => cost)) / 1_048_576;
  const block = Math.max(...details.map(({ blockMillis }) => blockMillis!));
  return `A message of ${inflated.toFixed(0)} MiB, ${wire.toFixed(0)} KiB on the wire, was closed with ${codes}: the process grew by ${growth.toFixed(1)} MiB at most, and its event loop was blocked for ${block.toFixed(0)} ms at most.`;
}

/** How often and how long; rows of one table may come from several runs. */
function caption(rows: readonly Series[]): string {
  const rounds = rows.map((row) => row.rounds);
  const seconds = rows.map((row) => row.seconds);
  const often = `${least(rounds)} ${Math.max(...rounds) === 1 ? 'round' : 'rounds'}`;
  return Math.max(...seconds) === 0 ? `Medians of ${often}.` : `Medians of ${often} of ${least(seconds)} s.`;
}

function least(values: readonly number[]): string {
  const [smallest, largest] = [Math.min(...values), Math.max(...values)];
  return smallest === largest ? String(smallest) : `at least ${smallest}`;
}

function labelOf(name: ServerName): string {
  return name.replace('+', ' + ');
}

function present(value: number, write: (value: number) => string): string {
  return Number.isFinite(value) ? write(value) : '-';
}

function microseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

function kibibytes(value: number): string {
  return (value / 1024).toFixed(1);
}

/** Without decimals, its thousands apart. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}
