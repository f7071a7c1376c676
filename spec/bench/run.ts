/** `npm run bench`: measures sluice and others under the same loads, and reports the medians. Linux, two CPUs, a C compiler. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { compareBuilds } from './compare.js';
import { showHotSpots, showParts } from './hot-spots.js';
import { LoadGenerator } from './load.js';
import { comparedRows, type Measurement, measurements } from './measurements.js';
import { type BenchOptions, readOptions } from './options.js';
import { inOrder, writeDocs } from './page.js';
import type { Series } from './samples.js';
import { loadRuns, type Saved, saveRun } from './saved.js';
import type { ServerName } from './servers.js';

async function main(options: BenchOptions): Promise<void> {
  if (options.from.length > 0) {
    const saved = loadRuns(options.from);
    print(saved);
    if (options.docs) writeDocs('docs', measurements, saved);
    return;
  }
  if (process.platform !== 'linux' || availableParallelism() < 2) throw new Error('needs Linux and two CPUs');
  if (options.profile !== undefined) {
    await showProfile(options.profile, options.seconds);
    return;
  }
  if (options.before !== undefined) {
    await compare(options.before, options);
    return;
  }
  const run = await measure(options);
  if (options.docs) writeDocs('docs', measurements, run);
}

/** Compares this checkout with the commit `ref`; the process fails when a row got dearer. */
async function compare(ref: string, options: BenchOptions): Promise<void> {
  const { only } = options;
  const rows = comparedRows.filter(({ name, measurement }) => name.includes(only) || measurement.includes(only));
  if (rows.length === 0) throw new Error(`no row to compare is named "${only}"`);
  if (!(await compareBuilds(rows, ref, options))) process.exitCode = 1;
}

/** Measures what is asked for, one row after the other. The figures are saved after each, so that a run can be cut short. */
async function measure(options: BenchOptions): Promise<Saved> {
  const chosen = choose(options);
  if (chosen.length === 0) throw new Error(`nothing is named "${options.only}" and measured with ${options.servers}`);
  const efforts = chosen.flatMap(({ rows, servers }) => rows.map((row) => row.estimate({ ...options, servers })));
  const machine = describeMachine();
  console.log(`${machine}; ${options.rounds} rounds of ${options.seconds} s.`);
  console.log(`This takes about ${Math.ceil(efforts.reduce((sum, each) => sum + each, 0) / 60)} min.`);
  const load = new LoadGenerator();
  const rows: Record<string, Series[]> = {};
  for (const { name, servers, rows: wanted, report } of chosen) {
    const done: Series[] = [];
    rows[name] = done;
    for (const row of wanted) {
      console.error(row.name);
      done.push(await row.measure(load, { ...options, servers }));
      if (options.json !== undefined) saveRun(options.json, { machine, rows });
    }
    console.log(`\n${report(done, servers)}`);
  }
  return { machine, rows };
}

/** The tables, rows and servers that `options` ask for. */
function choose({ only, servers }: BenchOptions): Measurement[] {
  return measurements
    .map((measurement) => ({
      ...measurement,
      servers: measurement.servers.filter((name) => servers.includes(name)),
      rows: measurement.rows.filter(({ name }) => name.includes(only) || measurement.name.includes(only)),
    }))
    .filter((measurement) => measurement.servers.length > 0 && measurement.rows.length > 0);
}

function print({ machine, rows }: Saved): void {
  console.log(machine);
  for (const { name, rows: named, report } of measurements) {
    const found = inOrder(named, rows[name] ?? []);
    if (found.length > 0) console.log(`\n${report(found, serversOf(found))}`);
  }
}

function serversOf(rows: readonly Series[]): ServerName[] {
  return [...new Set(rows.flatMap(({ samples }) => samples.map(({ server }) => server)))];
}

/** Of the load with that name all; of several whose names contain it, the parts. */
async function showProfile(name: string, seconds: number): Promise<void> {
  const profiles = measurements.flatMap(({ rows }) => rows.flatMap(({ profile }) => profile ?? []));
  const named = profiles.find((profile) => profile.name === name);
  const found = profiles.filter((profile) => profile.name.includes(name));
  if (named !== undefined) await showHotSpots(named, seconds);
  else if (found.length > 0) await showParts(found, seconds);
  else throw new Error(`no load is named "${name}": there are\n  ${profiles.map((each) => each.name).join('\n  ')}`);
}

function describeMachine(): string {
  const libraries = ['ws', 'bufferutil', 'websocket', 'faye-websocket'].map((name) => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string };
    return `${name} ${version}`;
  });
  const model = cpus()[0]?.model.trim();
  return `Node ${process.version}, ${libraries.join(', ')}, ${availableParallelism()} CPUs (${model})`;
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
