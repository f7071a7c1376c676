/** The table of the matrix. */
import { table } from '../support/markdown.js';
import { SUBJECTS } from './conversation.js';
import type { Result, Row } from './row.js';

/** What became of a row. */
export interface Finding {
  readonly row: Pick<Row, 'peer' | 'role'>;
  /** Undefined if it could not run. */
  readonly result: Result | undefined;
  /** Why it could not run. */
  readonly error?: string;
}

/** One row for each peer and role. */
export function peersTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ row, result }) => {
    const cells = SUBJECTS.map((subject) =>
      cellOf(result === undefined ? 'did not run' : (result.outcome[subject] ?? '-')),
    );
    return [row.peer, result?.version ?? '', row.role, ...cells, result?.agreed ?? ''];
  });
  return table(['peer', 'version', 'its role', ...SUBJECTS, 'agreed by default'], rows, 'left');
}

function cellOf(outcome: string): string {
  return outcome === 'ok' || outcome === '-' ? outcome : '**fails**';
}

/** What does not hold, a line each: a row that could not run does not hold. */
export function failures(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ row, result, error }) => {
    const name = `${row.peer} as ${row.role}`;
    if (result === undefined) return [`${name}: cannot run: ${error}`];
    const cells = Object.entries(result.outcome);
    if (!cells.some(([, outcome]) => outcome !== '-')) return [`${name}: nothing was tried`];
    return cells
      .filter(([, outcome]) => outcome !== 'ok' && outcome !== '-')
      .map(([subject, outcome]) => `${name}: ${subject}: ${outcome}`);
  });
}
