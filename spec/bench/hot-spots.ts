/** `--profile`: where the time of sluice goes under one load. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../support/markdown.js';
import { measureOnce } from './cpu.js';
import { byGroup, type CpuProfile, hotSpots } from './cpu-profile.js';
import { LoadGenerator } from './load.js';
import type { Profile } from './profiles.js';
import { startServer } from './servers.js';

/** Profiles what is fast only after it is compiled: nothing of the first seconds is shown. */
const warmUp = 2;

/** How many functions are shown. */
const most = 25;

/** Prints the share of each part of sluice, and of its most expensive functions, while it is under `profile`. */
export async function showHotSpots(profile: Profile, seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-profile-'));
  const load = new LoadGenerator();
  const started = performance.now();
  const options = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'];
  const server = await startServer('sluice', profile, options);
  const { cost } = await measureOnce(load, server, profile, { warmUp, seconds });
  const skipMicros = (performance.now() - started - seconds * 1000) * 1000;
  await server.end();
  const file = join(folder, readdirSync(folder)[0]!);
  const spots = hotSpots(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile, skipMicros);
  const row = (name: string, share: number): string[] => [
    name,
    `${(share * 100).toFixed(1)} %`,
    (share * cost).toFixed(3),
  ];
  console.log(`${profile.name}: ${cost.toFixed(2)} us CPU/message, while it is profiled; ${file}\n`);
  const groups = byGroup(spots).map(({ group, share }) => row(group, share));
  console.log(`${table([profile.name, 'share', 'us/message'], groups)}\n`);
  const functions = spots
    .slice(0, most)
    .map(({ name, group, share }) => [`${group}: ${name}`, ...row('', share).slice(1)]);
  console.log(table(['function', 'share', 'us/message'], functions));
}
