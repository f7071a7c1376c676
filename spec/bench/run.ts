/** `npm run bench`: measures sluice, ws and a raw socket under the same loads, and reports the medians. Linux, two CPUs, a C compiler. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { type EchoResult, measureEcho } from './echo.js';
import { type IdleSample, measureIdle } from './idle.js';
import { LoadGenerator } from './load.js';
import { type BenchOptions, readOptions } from './options.js';
import { echoProfiles } from './profiles.js';
import { echoTable, fillMarkers, idleTable } from './report.js';

const page = 'docs/performance.md';

async function main(options: BenchOptions): Promise<void> {
  const profiles = echoProfiles.filter(({ name }) => name.includes(options.only));
  const withIdle = 'idle'.includes(options.only);
  if (profiles.length === 0 && !withIdle) throw new Error(`no load has "${options.only}" in its name`);
  if (process.platform !== 'linux' || availableParallelism() < 2) throw new Error('needs Linux and two CPUs');
  const load = new LoadGenerator();
  const machine = describeMachine(options);
  console.log(machine);

  const echo: EchoResult[] = [];
  for (const profile of profiles) {
    console.error(`echo ${profile.name}`);
    echo.push(await measureEcho(load, profile, options));
  }
  const echoReport = echoTable(echo, options.servers);
  if (echo.length > 0) console.log(`\n${echoReport}`);

  // The floor keeps nothing for a connection but a counter: as a figure of memory it would say nothing.
  const idleServers = options.servers.filter((name) => name !== 'net');
  let idle: IdleSample[] = [];
  let idleReport = '';
  if (idleServers.length > 0 && withIdle) {
    console.error('idle connections');
    idle = await measureIdle(load, { servers: idleServers, rounds: options.rounds });
    idleReport = idleTable(idle, idleServers);
    console.log(`\n${idleReport}`);
  }

  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, echo, idle }, null, 2)}\n`);
  if (options.docs) {
    const withEcho = fillMarkers(readFileSync(page, 'utf8'), 'echo', `${machine}\n\n${echoReport}`);
    writeFileSync(page, fillMarkers(withEcho, 'idle', idleReport));
  }
}

function describeMachine({ rounds, seconds }: BenchOptions): string {
  const ws = JSON.parse(readFileSync('node_modules/ws/package.json', 'utf8')) as { version: string };
  return `Node ${process.version}, ws ${ws.version}, ${availableParallelism()} CPUs (${cpus()[0]?.model.trim()}); medians of ${rounds} rounds of ${seconds} s.`;
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
