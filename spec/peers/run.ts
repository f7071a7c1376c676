/** `npm run peers`: sluice with other libraries, proxies and a browser, as they are installed. Linux, with Debian's packages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillMarkers } from '../support/markdown.js';
import { type PeerOptions, readOptions } from './options.js';
import { type Finding, failures, peersTable } from './report.js';
import type { Row } from './row.js';
import { rows } from './rows.js';

const page = 'docs/reference/peers.md';

/** Longer than any row takes, in seconds. */
const ROW_SECONDS = 90;

async function main({ only, docs }: PeerOptions): Promise<boolean> {
  const chosen = rows.filter(({ peer, role }) => `${peer} ${role}`.includes(only));
  if (chosen.length === 0) throw new Error(`no row has "${only}" in its name`);
  const findings: Finding[] = [];
  for (const row of chosen) findings.push(await findingOf(row));
  console.log(`\n${peersTable(findings)}`);
  const failed = failures(findings);
  if (failed.length > 0) console.error(`\nwhat does not hold:\n${failed.join('\n')}`);
  if (docs && failed.length === 0) {
    writeFileSync(page, fillMarkers(readFileSync(page, 'utf8'), 'peers', `\n${peersTable(findings)}\n`));
  }
  return failed.length === 0;
}

async function findingOf(row: Row): Promise<Finding> {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${ROW_SECONDS} s`)), ROW_SECONDS * 1000);
  });
  try {
    return { row, result: await Promise.race([row.run(), late]) };
  } catch (error) {
    return { row, result: undefined, error: (error as Error).message };
  } finally {
    clearTimeout(timer);
    console.error(`${row.peer} as ${row.role}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}

// A row that did not come to its end may have left something open: the process does not wait for it.
try {
  process.exit((await main(readOptions(process.argv.slice(2)))) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
