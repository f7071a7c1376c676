/** `npm run faults`: what hostile peers and real faults cost a server, in processes of their own. Linux, two CPUs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fillMarkers, markedIn } from '../support/markdown.js';
import { faultCases } from './cases.js';
import type { FaultCase, Finding } from './fault-case.js';
import { type FaultOptions, readOptions } from './options.js';
import { type CaseResult, failures, reportOf, updatedReport } from './report.js';

const page = 'docs/explanation/hostile-peers.md';

/** Longer than any case takes. */
const caseSeconds = { short: 60, full: 240 };

async function main({ scale, only, docs }: FaultOptions): Promise<boolean> {
  const cases = faultCases.filter(({ name }) => name.includes(only));
  if (cases.length === 0) throw new Error(`no case has "${only}" in its name`);
  if (process.platform !== 'linux') throw new Error('needs Linux');
  const results: CaseResult[] = [];
  const together = scale === 'short' ? cases.filter(({ waits }) => waits) : [];
  const waiting = new Map(together.map((each) => [each, resultOf(each, scale)]));
  await Promise.all(waiting.values());
  for (const each of cases) results.push(await (waiting.get(each) ?? resultOf(each, scale)));
  const machine = describeMachine();
  console.log(`\n${reportOf(machine, results)}`);
  const failed = failures(results);
  if (failed.length > 0) console.error(`\nwhat does not hold:\n${failed.join('\n')}`);
  if (docs) writeFileSync(page, withResults(readFileSync(page, 'utf8'), machine, results));
  return failed.length === 0;
}

/** The page with all results in place of what it said, or with some of them among the others. */
function withResults(text: string, machine: string, results: readonly CaseResult[]): string {
  const names = faultCases.map(({ name }) => name);
  const isAll = results.length === names.length;
  const report = isAll ? reportOf(machine, results) : updatedReport(markedIn(text, 'faults'), machine, results, names);
  return fillMarkers(text, 'faults', report);
}

async function resultOf(each: FaultCase, scale: FaultOptions['scale']): Promise<CaseResult> {
  const start = performance.now();
  const findings = await soundFindings(each, scale);
  console.error(`${each.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return { name: each.name, findings };
}

/** How often a figure is measured that does not hold: what is a fault of the code does not hold in any run. */
const mostRuns = 3;

/** What a case finds. It runs again when only figures do not hold, which may be the noise of the machine. */
async function soundFindings(each: FaultCase, scale: FaultOptions['scale']): Promise<readonly Finding[]> {
  for (let run = 1; ; run++) {
    const findings = await findingsOf(each, scale);
    const failed = findings.filter(({ holds }) => !holds);
    const isNoise = failed.every(({ isNoisy = false }) => isNoisy);
    if (failed.length === 0 || !isNoise || run === mostRuns) return findings;
    console.error(`${each.name}: once more, ${failed.map(({ what, measured }) => `${what}: ${measured}`).join('; ')}`);
  }
}

/** What a case finds; that it cannot be tried, or does not come to its end, is a finding too. */
async function findingsOf(each: FaultCase, scale: FaultOptions['scale']): Promise<readonly Finding[]> {
  const seconds = caseSeconds[scale];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([each.run(scale), late]);
  } catch (error) {
    console.error(error);
    return [{ what: 'the case', expected: 'ends', measured: (error as Error).message, holds: false }];
  } finally {
    clearTimeout(timer);
  }
}

function describeMachine(): string {
  const ws = JSON.parse(readFileSync('node_modules/ws/package.json', 'utf8')) as { version: string };
  return `Node ${process.version}, ws ${ws.version}, ${availableParallelism()} CPUs (${cpus()[0]?.model.trim()}).`;
}

// A case that did not come to its end may have left something open: the process does not wait for it. Its servers end with it.
try {
  process.exit((await main(readOptions(process.argv.slice(2)))) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
