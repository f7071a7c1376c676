/** The figures of a run, as they are kept in JSON, and put together from several runs. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Series } from './samples.js';

/** What one run saw. */
export interface Saved {
  /** The machine and the versions: figures of different ones are not put together. */
  readonly machine: string;
  /** The rows of each measurement, by its name. */
  readonly rows: Readonly<Record<string, readonly Series[]>>;
}

export function saveRun(path: string, run: Saved): void {
  writeFileSync(path, `${JSON.stringify(run, null, 2)}\n`);
}

/** All runs as one. @throws Error when a file is none that `--json` wrote. */
export function loadRuns(paths: readonly string[]): Saved {
  return mergeRuns(
    paths.map((path) => {
      const run = JSON.parse(readFileSync(path, 'utf8')) as Partial<Saved>;
      if (typeof run.machine !== 'string' || typeof run.rows !== 'object') throw new Error(`${path} holds no figures`);
      return run as Saved;
    }),
  );
}

/**
 * The rows of all runs. A row that several runs have is taken whole from the last of them: what one run interleaved is compared, and
 * nothing else. @throws Error when they are from different machines or versions.
 */
export function mergeRuns(runs: readonly Saved[]): Saved {
  const [machine, other] = [...new Set(runs.map((run) => run.machine))];
  if (machine === undefined) throw new Error('no figures');
  if (other !== undefined) throw new Error(`figures of different machines or versions: "${machine}" and "${other}"`);
  const merged: Record<string, Series[]> = {};
  for (const [name, rows] of runs.flatMap((run) => Object.entries(run.rows))) {
    const replaced = new Set(rows.map((row) => row.name));
    merged[name] = [...(merged[name] ?? []).filter((row) => !replaced.has(row.name)), ...rows];
  }
  return { machine, rows: merged };
}
