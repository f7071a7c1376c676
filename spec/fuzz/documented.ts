/** What the documentation says can come of hostile input: anything else is a defect. */
import { readFileSync } from 'node:fs';

/** The rows of the tables under a heading, cell by cell. */
function rows(file: string, heading: string): string[][] {
  const text = readFileSync(`docs/reference/${file}`, 'utf8');
  const start = text.indexOf(`\n## ${heading}`);
  if (start < 0) throw new Error(`${file} has no heading ${heading}`);
  const section = text.slice(start + 1).split('\n## ')[0] as string;
  const lines = section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| Code') && !line.startsWith('| Status'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** The codes of `ProtocolError`, each with the close codes that go with it. */
export const protocolErrors: ReadonlyMap<string, readonly number[]> = new Map(
  rows('errors.md', '`ProtocolError`').map(([code = '', closeCode = '']) => [
    code,
    closeCode.split(' or ').map(Number),
  ]),
);

/** The codes of `HandshakeError`. */
export const handshakeErrors: ReadonlySet<string> = new Set(
  rows('errors.md', '`HandshakeError`').map(([code = '']) => code),
);

/** The statuses that a server answers a handshake with, beside 101. */
export const refusals: ReadonlySet<number> = new Set(
  rows('close-codes.md', 'Status codes of the opening handshake').map(([status]) => Number(status)),
);
