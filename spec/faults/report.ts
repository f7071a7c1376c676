/** The table of the fault cases. */
import { table } from '../support/markdown.js';
import type { Finding } from './fault-case.js';

/** What one case found. */
export interface CaseResult {
  readonly name: string;
  readonly findings: readonly Finding[];
}

type Row = readonly string[];

const head: Row = ['case', 'what', 'expected', 'measured', 'ws'];

/** One row for each finding; the name of a case stands in its first one. */
export function findingsTable(results: readonly CaseResult[]): string {
  return table(head, results.flatMap(rowsOf), 'left');
}

function rowsOf({ name, findings }: CaseResult): Row[] {
  return findings.map(({ what, expected, measured, holds, ws = '' }, index) => [
    index === 0 ? name : '',
    what,
    expected,
    holds ? measured : `**${measured}**`,
    ws,
  ]);
}

/** What the page says of a run: the machine, and a table. */
export function reportOf(machine: string, results: readonly CaseResult[]): string {
  return `${machine}\n\n${findingsTable(results)}`;
}

/**
 * `report`, as {@link reportOf} made it, with the rows of `results` in place of those of the same cases. Rows of other cases stay as they are.
 *
 * @param names all cases, in their order; rows of cases that are none of them are left out.
 * @throws Error when `report` is of another machine, since one table has the figures of one machine; or when it has no such table.
 */
export function updatedReport(
  report: string,
  machine: string,
  results: readonly CaseResult[],
  names: readonly string[],
): string {
  const [before = '', ...lines] = report.trim().split('\n');
  if (before !== machine) throw new Error(`the table is of another machine, measure all cases anew: ${before}`);
  const rows = rowsByCase(lines);
  for (const result of results) rows.set(result.name, rowsOf(result));
  return `${machine}\n\n${table(
    head,
    names.flatMap((name) => rows.get(name) ?? []),
    'left',
  )}`;
}

/** The rows of a table under the names of their cases. */
function rowsByCase(lines: readonly string[]): Map<string, Row[]> {
  const [titles, rule, ...rows] = lines.filter((line) => line !== '').map(cellsOf);
  if (titles?.join() !== head.join() || rule === undefined) throw new Error(`found no table of ${head.join(', ')}`);
  const cases = new Map<string, Row[]>();
  let name = '';
  for (const row of rows) {
    name = row[0] || name;
    cases.set(name, [...(cases.get(name) ?? []), row]);
  }
  return cases;
}

function cellsOf(line: string): Row {
  const cells = line.split('|').map((cell) => cell.trim());
  if (cells.length !== head.length + 2) throw new Error(`found a row of ${cells.length - 2} cells: ${line}`);
  return cells.slice(1, -1);
}

/** What does not hold, a line each. */
export function failures(results: readonly CaseResult[]): string[] {
  return results.flatMap(({ name, findings }) =>
    findings
      .filter(({ holds }) => !holds)
      .map(({ what, expected, measured }) => `${name}: ${what}: expected ${expected}, measured ${measured}`),
  );
}
