/** CPU time of the server per echoed message. */

import { cpuMicros } from '../support/process-figures.js';
import type { LoadGenerator, LoadResult } from './load.js';
import type { BenchOptions } from './options.js';
import type { EchoProfile } from './profiles.js';
import { type RunningServer, type ServerName, startServer } from './servers.js';

/** One server under one load, in one round. */
export interface EchoSample extends LoadResult {
  readonly server: ServerName;
  /** User and system time of the server process for one message, in microseconds. */
  readonly cpuMicrosPerMessage: number;
}

/** All samples of one load. */
export interface EchoResult {
  readonly profile: EchoProfile;
  readonly samples: readonly EchoSample[];
}

/**
 * Measures all servers under one load. The rounds are interleaved and the order of the servers rotates, so that a machine that gets
 * slower or faster meanwhile does so for all of them.
 */
export async function measureEcho(
  load: LoadGenerator,
  profile: EchoProfile,
  { servers, rounds, seconds }: BenchOptions,
): Promise<EchoResult> {
  const running: RunningServer[] = [];
  try {
    for (const name of servers) running.push(await startServer(name, profile));
    const samples: EchoSample[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const server of rotate(running, round)) samples.push(await sample(load, server, profile, seconds));
    }
    return { profile, samples };
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

async function sample(
  load: LoadGenerator,
  server: RunningServer,
  profile: EchoProfile,
  seconds: number,
): Promise<EchoSample> {
  const before = cpuMicros(server.pid);
  const result = await load.echo(server.port, profile, seconds);
  const spent = cpuMicros(server.pid) - before;
  return { server: server.name, cpuMicrosPerMessage: spent / result.total, ...result };
}

/** `items`, beginning with another one for each `by`. */
export function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
