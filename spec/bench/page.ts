/** What a run writes into docs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillMarkers } from '../support/markdown.js';
import { type BarGroup, drawBars } from './chart.js';
import type { Measurement } from './measurements.js';
import { medianOf, type Series } from './samples.js';
import type { Saved } from './saved.js';
import { targets, writeRatio } from './targets.js';

/** How `--docs` names a picture that it has drawn. */
const picture = 'performance.svg';

/** Writes all tables and the chart into `folder`. @throws Error when a row, a server of it or a marker is missing. */
export function writeDocs(folder: string, measurements: readonly Measurement[], run: Saved): void {
  for (const measurement of measurements) requireAll(measurement, run);
  const path = `${folder}/performance.md`;
  let page = fillMarkers(readFileSync(path, 'utf8'), 'bench:machine', `${run.machine}.`);
  for (const { name, servers, rows, report } of measurements) {
    page = fillMarkers(page, `bench:${name}`, report(inOrder(rows, run.rows[name]!), servers));
  }
  const title = 'CPU per message as a share of that of ws: shorter is better';
  page = fillMarkers(page, 'bench:chart', `![${title}](${picture})`);
  const chart = drawBars(sharesOfWs(Object.values(run.rows).flat()), { title, most: 2, write: writeRatio });
  writeFileSync(`${folder}/${picture}`, chart);
  writeFileSync(path, page);
}

/** `rows` in the order of the table. */
export function inOrder(named: readonly { readonly name: string }[], rows: readonly Series[]): Series[] {
  return named.flatMap(({ name }) => rows.filter((row) => row.name === name));
}

/** The cost of every server divided by that of `ws`, for each row that has a target against it. */
export function sharesOfWs(rows: readonly Series[]): BarGroup[] {
  const names = new Set(targets.filter(({ of }) => of === 'ws').map(({ row }) => row));
  return [...names].flatMap((name) => {
    const row = rows.find((each) => each.name === name);
    if (row === undefined) return [];
    const servers = [...new Set(row.samples.map(({ server }) => server))];
    const ws = medianOf(row, 'ws');
    return [{ label: name, bars: servers.map((label) => ({ label, value: medianOf(row, label) / ws })) }];
  });
}

function requireAll({ name, servers, rows }: Measurement, run: Saved): void {
  for (const { name: row } of rows) {
    const found = run.rows[name]?.find((each) => each.name === row);
    if (found === undefined) throw new Error(`the docs need every row, and "${row}" is not measured`);
    const missing = servers.find((server) => !found.samples.some((sample) => sample.server === server));
    if (missing !== undefined) throw new Error(`the docs need every server, and "${row}" lacks ${missing}`);
  }
}
