/** Everything that is measured, in the order in which it is. A new measurement is a new entry here. */
import { openFileLimit } from '../support/process-figures.js';
import { bombSeconds, measureBomb } from './bomb.js';
import { estimateCpu, measureBuild, measureCpu, rotate } from './cpu.js';
import { idleSeconds, measureCompressedMemory, measureIdle } from './idle.js';
import type { LoadGenerator } from './load.js';
import type { BenchOptions } from './options.js';
import * as profiles from './profiles.js';
import { bombText, type Columns, cpuTable, grouped, handshakeTable, memoryTable } from './report.js';
import type { Sample, Series } from './samples.js';
import { type ServerName, serverNames } from './servers.js';

/** One table. */
export interface Measurement {
  /** That of its markers in docs/performance.md. */
  readonly name: string;
  readonly servers: readonly ServerName[];
  readonly rows: readonly Row[];
  /** What is printed, of some or all of its rows, which are at least one. */
  report(rows: readonly Series[], servers: readonly ServerName[]): string;
}

/** How long, how often and with which servers. */
export type Effort = Pick<BenchOptions, 'servers' | 'rounds' | 'seconds'>;

/** One row of it. */
export interface Row {
  readonly name: string;
  /** The load, where it is one that a processor can be profiled under. */
  readonly profile?: profiles.Profile;
  /** How long it takes, about, in seconds. */
  estimate(effort: Effort): number;
  measure(load: LoadGenerator, effort: Effort): Promise<Series>;
}

/** A row that two builds of sluice are compared by. */
export interface Compared {
  /** The name of its table. */
  readonly measurement: string;
  readonly name: string;
  /** How long one figure takes, about, in seconds. */
  estimate(seconds: number): number;
  /** One figure of the build in the folder `root`. */
  measure(load: LoadGenerator, seconds: number, root: string): Promise<number>;
}

/** The addon of `ws` is shown where masks matter. */
const without = (...left: readonly ServerName[]): ServerName[] => serverNames.filter((name) => !left.includes(name));

export const measurements: readonly Measurement[] = [
  cpu('echo', profiles.echoProfiles, serverNames, { title: 'echo', unit: 'us CPU/message', counted: 'messages' }),
  cpu('client', profiles.clientProfiles, serverNames, {
    title: 'client, 64 connections',
    unit: 'us CPU/message',
    counted: 'messages',
  }),
  cpu('broadcast', profiles.broadcastProfiles, serverNames, {
    title: '128 B to 1 000 connections',
    unit: 'us CPU/delivery',
    counted: 'deliveries',
  }),
  // The others do not compress by themselves, and the floor cannot.
  cpu('compressed', profiles.compressedProfiles, ['sluice', 'ws'], {
    title: 'echo, 64 connections',
    unit: 'us CPU/message',
    counted: 'messages',
  }),
  {
    ...cpu('handshakes', profiles.handshakeProfiles, without('ws+bufferutil'), { title: '', unit: '' }),
    report: handshakeTable,
  },
  cpu('scale', profiles.scaleProfiles, without('ws+bufferutil'), {
    title: '20 000 messages a second',
    unit: 'us CPU/message',
    counted: 'messages',
  }),
  // The floor keeps nothing for a connection but a counter: as a figure of memory it would say nothing.
  memory('idle', without('ws+bufferutil', 'net'), 'idle connections', [
    { name: `idle, ${grouped(profiles.idleConnections)} connections`, measure: measureIdle },
  ]),
  memory('compressed-memory', ['sluice', 'ws'], `${grouped(profiles.compressedConnections)} connections`, [
    { name: 'compressed memory, each message by itself', measure: compressedWith('message') },
    { name: 'compressed memory, with context both ways, 15 bits', measure: compressedWith('context') },
  ]),
  {
    name: 'bomb',
    servers: ['sluice'],
    rows: [
      {
        name: 'compressed bomb',
        estimate: () => bombSeconds,
        measure: async () => ({ name: 'compressed bomb', rounds: 1, seconds: 0, samples: [await measureBomb()] }),
      },
    ],
    report: bombText,
  },
];

function cpu(
  name: string,
  loads: readonly profiles.Profile[],
  servers: readonly ServerName[],
  columns: Columns,
): Measurement {
  const rows = loads.map((profile) => ({
    name: profile.name,
    profile,
    estimate: (effort: Effort) => estimateCpu(profile, effort),
    async measure(load: LoadGenerator, effort: Effort) {
      requireFiles(profile.connections);
      return measureCpu(load, profile, effort);
    },
  }));
  return { name, servers, rows, report: (series, measured) => cpuTable(series, measured, columns) };
}

function memory(
  name: string,
  servers: readonly ServerName[],
  title: string,
  kinds: readonly {
    readonly name: string;
    readonly measure: (load: LoadGenerator, server: ServerName) => Promise<Sample>;
  }[],
): Measurement {
  const rows = kinds.map(
    (kind): Row => ({
      name: kind.name,
      estimate: (effort) => effort.rounds * effort.servers.length * idleSeconds,
      async measure(load, { servers: measured, rounds }) {
        requireFiles(profiles.idleConnections);
        const samples: Sample[] = [];
        for (let round = 0; round < rounds; round++) {
          for (const server of rotate(measured, round)) samples.push(await kind.measure(load, server));
        }
        return { name: kind.name, rounds, seconds: 0, samples };
      },
    }),
  );
  return {
    name,
    servers,
    rows,
    report: (series, measured) => memoryTable(series, measured, { title, unit: 'KiB/connection' }),
  };
}

function compressedWith(compression: profiles.Compression) {
  return (load: LoadGenerator, server: ServerName): Promise<Sample> =>
    measureCompressedMemory(load, server, compression);
}

function requireFiles(connections: number): void {
  if (openFileLimit() < connections + 100) {
    throw new Error(`${connections} connections need a higher limit of open files: ulimit -n 20000`);
  }
}

/** What a change is compared by. Those of `scale` are many more connections with the same messages, and take long. */
export const comparedRows: readonly Compared[] = [
  ...comparedCpu('echo', profiles.echoProfiles),
  ...comparedCpu('client', profiles.clientProfiles),
  ...comparedCpu('broadcast', profiles.broadcastProfiles),
  ...comparedCpu('compressed', profiles.compressedProfiles),
  ...comparedCpu('handshakes', profiles.handshakeProfiles),
  {
    measurement: 'idle',
    name: `idle, ${grouped(profiles.idleConnections)} connections`,
    estimate: () => idleSeconds,
    async measure(load, _, root) {
      requireFiles(profiles.idleConnections);
      return (await measureIdle(load, 'sluice', root)).cost;
    },
  },
];

function comparedCpu(measurement: string, loads: readonly profiles.Profile[]): Compared[] {
  return loads.map((profile) => ({
    measurement,
    name: profile.name,
    estimate: (seconds) => estimateCpu(profile, { servers: ['sluice'], rounds: 1, seconds }),
    async measure(load, seconds, root) {
      requireFiles(profile.connections);
      return measureBuild(load, profile, seconds, root);
    },
  }));
}
