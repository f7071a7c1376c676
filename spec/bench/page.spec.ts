import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measurements } from './measurements.js';
import { sharesOfWs, writeDocs } from './page.js';
import type { Sample, Series } from './samples.js';
import type { Saved } from './saved.js';

/** Figures for every row and every server; the cost of a server is its place in the list. */
function everything(): Saved {
  const details = { perSecond: 1000, wireBytes: 1, inflatedBytes: 1, closeCode: 1009, blockMillis: 1 };
  const rows = measurements.map(({ name, servers, rows: named }) => [
    name,
    named.map((row) => ({
      name: row.name,
      rounds: 5,
      seconds: 1,
      samples: servers.map((server, index): Sample => ({ server, cost: index + 1, details })),
    })),
  ]);
  return { machine: 'A machine', rows: Object.fromEntries(rows) as Record<string, Series[]> };
}

describe('writeDocs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => cpSync('docs/performance.md', join(folder, 'performance.md')));
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  it('fills every marker of docs/performance.md, and leaves the text between them', () => {
    const text = (page: string): string => page.replace(/(<!-- (bench:\S+) -->)[\s\S]*?(<!-- \/\2 -->)/g, '$1$3');
    const before = read('performance.md');
    writeDocs(folder, measurements, everything());
    const after = read('performance.md');
    expect(text(after)).toBe(text(before));
    for (const [, name, content] of after.matchAll(/<!-- (bench:\S+) -->([\s\S]*?)<!-- \/\1 -->/g)) {
      expect([name, content!.trim()]).not.toEqual([name, '']);
    }
    for (const { rows } of measurements) {
      for (const { name } of rows)
        expect(after).toContain(name === 'compressed bomb' ? 'closed with 1009' : `| ${name} `);
    }
    expect(after).toContain('(performance.svg)');
    expect(read('performance.svg')).toMatch(/^<svg [\s\S]*>faye-websocket<[\s\S]*<\/svg>\n$/);
  });

  it('refuses when a row is missing', () => {
    const { machine, rows } = everything();
    const less = { machine, rows: { ...rows, echo: rows.echo!.slice(1) } };
    expect(() => writeDocs(folder, measurements, less)).toThrow('"32 B text, 1 in flight" is not measured');
  });

  it('refuses when a row lacks a server, and writes nothing', () => {
    const { machine, rows } = everything();
    const [row] = rows.handshakes!;
    const samples = row!.samples.filter(({ server }) => server !== 'websocket');
    const before = read('performance.md');
    expect(() =>
      writeDocs(folder, measurements, { machine, rows: { ...rows, handshakes: [{ ...row!, samples }] } }),
    ).toThrow('"handshakes" lacks websocket');
    expect(read('performance.md')).toBe(before);
  });
});

describe('sharesOfWs', () => {
  it('divides each cost by that of ws, in the rows that are held to it', () => {
    const row = (name: string): Series => ({
      name,
      rounds: 1,
      seconds: 1,
      samples: [
        { server: 'sluice', cost: 2 },
        { server: 'ws', cost: 8 },
      ],
    });
    expect(sharesOfWs([row('handshakes'), row('scale 100 connections')])).toEqual([
      {
        label: 'handshakes',
        bars: [
          { label: 'sluice', value: 0.25 },
          { label: 'ws', value: 1 },
        ],
      },
    ]);
  });
});
