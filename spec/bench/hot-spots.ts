/** `--profile`: where the time of sluice goes under one load. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { table } from '../support/markdown.js';
import { measureOnce } from './cpu.js';
import { byGroup, type CpuProfile, type HotSpot, hotSpots, parts } from './cpu-profile.js';
import { LoadGenerator } from './load.js';
import type { Profile } from './profiles.js';
import { startServer } from './servers.js';
import { inSources } from './source-positions.js';

/** Profiles what is fast only after it is compiled: nothing of the first seconds is shown. */
const warmUp = 2;

/** How many functions are shown. */
const most = 25;

/** Prints the share of each part of sluice, and of its most expensive functions, while it is under `profile`. */
export async function showHotSpots(profile: Profile, seconds: number): Promise<void> {
  const { cost, spots, file } = await profileOnce(profile, seconds);
  const figures = (share: number): string[] => [`${(share * 100).toFixed(1)} %`, (share * cost).toFixed(3)];
  const head = ['share', 'us CPU/message'];
  console.log(`${profile.name}: ${cost.toFixed(2)} us CPU/message while it is profiled; ${file}\n`);
  const groups = byGroup(spots).map(({ group, share }) => [group, ...figures(share)]);
  console.log(`${table([profile.name, ...head], groups)}\n`);
  const functions = spots.slice(0, most).map(({ name, group, share }) => [`${group}: ${name}`, ...figures(share)]);
  console.log(table(['function', ...head], functions));
}

/** Prints what each part of sluice takes under each of the loads. */
export async function showParts(profiles: readonly Profile[], seconds: number): Promise<void> {
  const rows: string[][] = [];
  for (const profile of profiles) {
    console.error(profile.name);
    const { cost, spots } = await profileOnce(profile, seconds);
    const shares = new Map(byGroup(spots).map(({ group, share }) => [group, share]));
    rows.push([profile.name, cost.toFixed(2), ...parts.map((part) => amount(cost * (shares.get(part) ?? 0)))]);
  }
  console.log(table(['us CPU/message', 'all', ...parts], rows));
}

/** What is too little to be seen among samples is left out. */
function amount(micros: number): string {
  return micros < 0.005 ? '' : micros.toFixed(2);
}

async function profileOnce(
  profile: Profile,
  seconds: number,
): Promise<{ readonly cost: number; readonly spots: HotSpot[]; readonly file: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-profile-'));
  const load = new LoadGenerator();
  const started = performance.now();
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'];
  const server = await startServer('sluice', profile, { nodeOptions });
  try {
    const { cost } = await measureOnce(load, server, profile, { warmUp, seconds });
    const to = (performance.now() - started) * 1000;
    await server.end();
    const file = join(folder, readdirSync(folder)[0]!);
    const profiled = inSources(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile);
    const spots = hotSpots(profiled, { from: to - seconds * 1e6, to });
    return { cost, spots, file };
  } finally {
    await server.stop();
  }
}
