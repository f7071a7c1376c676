/** CPU time of the server per delivery, when what one connection sends goes to all. */
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMicros } from '../support/process-figures.js';
import type { EchoSample } from './echo.js';
import { rotate } from './echo.js';
import type { LoadGenerator } from './load.js';
import type { BenchOptions } from './options.js';
import type { EchoProfile } from './profiles.js';
import { type RunningServer, startServer } from './servers.js';

/** All samples of one load. */
export interface BroadcastResult {
  readonly profile: EchoProfile;
  readonly samples: readonly EchoSample[];
}

/** Opening a thousand connections costs as much as many deliveries: what is counted begins behind it. */
const warmUpSeconds = 1.5;
const marginMillis = 300;

/** Measures all servers under one load, in interleaved rounds as `measureEcho` does. */
export async function measureBroadcast(
  load: LoadGenerator,
  profile: EchoProfile,
  { servers, rounds, seconds }: BenchOptions,
): Promise<BroadcastResult> {
  const running: RunningServer[] = [];
  try {
    for (const name of servers) running.push(await startServer(name, profile, 'broadcast'));
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
  const loading = load.broadcast(server.port, profile, { seconds, warmUpSeconds });
  await Promise.race([loading, delay(warmUpSeconds * 1000 + marginMillis)]);
  const [before, start] = [cpuMicros(server.pid), performance.now()];
  await Promise.race([loading, delay(seconds * 1000 - 2 * marginMillis)]);
  const [spent, elapsed] = [cpuMicros(server.pid) - before, performance.now() - start];
  const result = await loading;
  const deliveries = (result.perSecond * elapsed) / 1000;
  return { server: server.name, cpuMicrosPerMessage: spent / deliveries, ...result };
}
