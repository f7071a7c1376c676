/** Tables of the figures, in Markdown. */
import { table } from '../support/markdown.js';
import type { BombSample } from './bomb.js';
import type { EchoResult } from './echo.js';
import type { CompressedSample, IdleSample } from './idle.js';
import { compressedConnections, idleConnections } from './profiles.js';
import type { ServerName } from './servers.js';

type EchoFigure = 'cpuMicrosPerMessage' | 'perSecond';

/** The middle value; the mean of the two middle ones when there is an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** CPU and throughput of every server for each load, with the ratios of sluice's CPU to that of the others. */
export function echoTable(results: readonly EchoResult[], servers: readonly ServerName[]): string {
  return cpuTable(results, servers, { title: 'echo, 64 connections', unit: 'message', units: 'messages' });
}

/** The same per delivery. */
export function broadcastTable(results: readonly EchoResult[], servers: readonly ServerName[]): string {
  return cpuTable(results, servers, { title: '128 B to 1 000 connections', unit: 'delivery', units: 'deliveries' });
}

function cpuTable(
  results: readonly EchoResult[],
  servers: readonly ServerName[],
  { title, unit, units }: { title: string; unit: string; units: string },
): string {
  const others = servers.includes('sluice') ? servers.filter((name) => name !== 'sluice') : [];
  const head = [
    title,
    ...servers.map((name) => `${name}, us CPU/${unit}`),
    ...others.map((name) => `sluice / ${name}`),
    ...servers.map((name) => `${name}, ${units}/s`),
  ];
  const rows = results.map((result) => {
    const cpu = (name: ServerName): number => echoMedian(result, name, 'cpuMicrosPerMessage');
    return [
      result.profile.name,
      ...servers.map((name) => significant(cpu(name))),
      ...others.map((name) => ratio(cpu('sluice') / cpu(name))),
      ...servers.map((name) => grouped(echoMedian(result, name, 'perSecond'))),
    ];
  });
  return table(head, rows);
}

/** Memory per idle connection of every server. */
export function idleTable(samples: readonly IdleSample[], servers: readonly ServerName[]): string {
  const of = (name: ServerName): number =>
    median(samples.filter(({ server }) => server === name).map(({ bytesPerConnection }) => bytesPerConnection));
  const both = servers.includes('sluice') && servers.includes('ws');
  const head = ['memory', ...servers.map((name) => `${name}, KiB/connection`), ...(both ? ['sluice / ws'] : [])];
  const row = [
    `${grouped(idleConnections)} idle connections`,
    ...servers.map((name) => (of(name) / 1024).toFixed(1)),
    ...(both ? [(of('sluice') / of('ws')).toFixed(2)] : []),
  ];
  return table(head, [row]);
}

/** Memory per connection that has echoed one compressed message, of every server. */
export function compressedMemoryTable(samples: readonly CompressedSample[], servers: readonly ServerName[]): string {
  const both = servers.includes('sluice') && servers.includes('ws');
  const head = ['memory', ...servers.map((name) => `${name}, KiB/connection`), ...(both ? ['sluice / ws'] : [])];
  const labels = { message: 'each message by itself', context: 'with context both ways, 15 bits' };
  const rows = (['message', 'context'] as const).map((compression) => {
    const of = (name: ServerName): number =>
      median(
        samples
          .filter((sample) => sample.server === name && sample.compression === compression)
          .map(({ bytesPerConnection }) => bytesPerConnection),
      );
    return [
      `${grouped(compressedConnections)} connections, ${labels[compression]}`,
      ...servers.map((name) => (of(name) / 1024).toFixed(1)),
      ...(both ? [(of('sluice') / of('ws')).toFixed(2)] : []),
    ];
  });
  return table(head, rows);
}

/** What a bomb did. */
export function bombText({ wireBytes, inflatedBytes, closeCode, growthBytes, blockMillis }: BombSample): string {
  const [wire, inflated] = [Math.round(wireBytes / 1024), Math.round(inflatedBytes / 1_048_576)];
  return `A message of ${inflated} MiB, ${wire} KiB on the wire, was closed with ${closeCode}: the process grew by ${(growthBytes / 1_048_576).toFixed(1)} MiB at most, and its event loop was blocked for ${blockMillis.toFixed(0)} ms at most.`;
}

function echoMedian({ samples }: EchoResult, name: ServerName, figure: EchoFigure): number {
  return median(samples.filter(({ server }) => server === name).map((sample) => sample[figure]));
}

function ratio(value: number): string {
  return value.toFixed(value < 0.1 ? 3 : 2);
}

function significant(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}
