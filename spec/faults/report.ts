/** The table of the fault cases. */
import { table } from '../support/markdown.js';
import type { Finding } from './fault-case.js';

/** What one case found. */
export interface CaseResult {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** One row for each finding; the name of a case stands in its first one. */
export function findingsTable(results: readonly CaseResult[]): string {
  const rows = results.flatMap(({ name, findings }) =>
    findings.map(({ what, expected, measured, holds, ws = '' }, index) => [
      index === 0 ? name : '',
      what,
      expected,
      holds ? measured : `**${measured}**`,
      ws,
    ]),
  );
  return table(['case', 'what', 'expected', 'measured', 'ws'], rows, 'left');
}

/** What does not hold, a line each. */
export function failures(results: readonly CaseResult[]): string[] {
  return results.flatMap(({ name, findings }) =>
    findings
      .filter(({ holds }) => !holds)
      .map(({ what, expected, measured }) => `${name}: ${what}: expected ${expected}, measured ${measured}`),
  );
}
