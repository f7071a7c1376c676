/** `npm run bench`: measures sluice, ws and a raw socket under the same loads, and reports the medians. Linux, two CPUs, a C compiler. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fillMarkers } from '../support/markdown.js';
import { type BombSample, measureBomb } from './bomb.js';
import { type BroadcastResult, measureBroadcast } from './broadcast.js';
import { type EchoResult, measureEcho } from './echo.js';
import { type CompressedSample, type IdleSample, measureCompressedMemory, measureIdle } from './idle.js';
import { LoadGenerator } from './load.js';
import { type BenchOptions, readOptions } from './options.js';
import { broadcastProfiles, compressedProfiles, type EchoProfile, echoProfiles } from './profiles.js';
import { bombText, broadcastTable, compressedMemoryTable, echoTable, idleTable } from './report.js';

const page = 'docs/performance.md';

async function main(options: BenchOptions): Promise<void> {
  const chosen = (profiles: readonly EchoProfile[]) => profiles.filter(({ name }) => name.includes(options.only));
  const profiles = chosen(echoProfiles);
  const compressed = chosen(compressedProfiles);
  const broadcasts = chosen(broadcastProfiles);
  const withIdle = 'idle'.includes(options.only);
  const withCompressedMemory = 'compressed memory'.includes(options.only);
  const withBomb = 'compressed bomb'.includes(options.only);
  const isEmpty =
    profiles.length + compressed.length + broadcasts.length === 0 && !(withIdle || withCompressedMemory || withBomb);
  if (isEmpty) throw new Error(`no load has "${options.only}" in its name`);
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

  const broadcast: BroadcastResult[] = [];
  for (const profile of broadcasts) {
    console.error(profile.name);
    broadcast.push(await measureBroadcast(load, profile, options));
  }
  const broadcastReport = broadcastTable(broadcast, options.servers);
  if (broadcast.length > 0) console.log(`\n${broadcastReport}`);

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

  const compressedEcho: EchoResult[] = [];
  for (const profile of idleServers.length > 0 ? compressed : []) {
    console.error(`echo ${profile.name}`);
    compressedEcho.push(await measureEcho(load, profile, { ...options, servers: idleServers }));
  }
  const compressedReport = echoTable(compressedEcho, idleServers);
  if (compressedEcho.length > 0) console.log(`\n${compressedReport}`);

  let compressedMemory: CompressedSample[] = [];
  let compressedMemoryReport = '';
  if (idleServers.length > 0 && withCompressedMemory) {
    console.error('compressed memory');
    compressedMemory = await measureCompressedMemory(load, { servers: idleServers, rounds: options.rounds });
    compressedMemoryReport = compressedMemoryTable(compressedMemory, idleServers);
    console.log(`\n${compressedMemoryReport}`);
  }

  let bomb: BombSample | undefined;
  let bombReport = '';
  if (withBomb && options.servers.includes('sluice')) {
    console.error('compressed bomb');
    bomb = await measureBomb();
    bombReport = bombText(bomb);
    console.log(`\n${bombReport}`);
  }

  const all = { machine, echo, broadcast, idle, compressedEcho, compressedMemory, bomb };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`);
  if (!options.docs) return;
  const reports: [string, string][] = [
    ['echo', `${machine}\n\n${echoReport}`],
    ['broadcast', broadcastReport],
    ['idle', idleReport],
    ['compressed', compressedReport],
    ['compressed-memory', compressedMemoryReport],
    ['bomb', bombReport],
  ];
  let text = readFileSync(page, 'utf8');
  for (const [name, report] of reports) text = fillMarkers(text, `bench:${name}`, report);
  writeFileSync(page, text);
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
