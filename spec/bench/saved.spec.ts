import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRuns, mergeRuns, type Saved, saveRun } from './saved.js';

const row = (name: string, cost: number) =>
  ({ name, rounds: 5, seconds: 1, samples: [{ server: 'ws', cost }] }) as const;
const run = (rows: Saved['rows'], machine = 'a machine'): Saved => ({ machine, rows });

describe('mergeRuns', () => {
  it('puts the tables and rows of all runs together', () => {
    const merged = mergeRuns([run({ echo: [row('a', 1)] }), run({ echo: [row('b', 2)], idle: [row('c', 3)] })]);
    expect(merged.rows).toEqual({ echo: [row('a', 1), row('b', 2)], idle: [row('c', 3)] });
  });

  it('takes a row whole from the last run that has it', () => {
    expect(mergeRuns([run({ echo: [row('a', 1)] }), run({ echo: [row('a', 9)] })]).rows).toEqual({
      echo: [row('a', 9)],
    });
  });

  it('refuses figures of different machines', () => {
    expect(() => mergeRuns([run({}), run({}, 'another')])).toThrow('"a machine" and "another"');
  });
});

describe('saved runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-saved-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);

  it('come back as they were', () => {
    saveRun(file('a.json'), run({ echo: [row('a', 1)] }));
    expect(loadRuns([file('a.json')])).toEqual(run({ echo: [row('a', 1)] }));
  });

  it('refuse a file that holds none', () => {
    writeFileSync(file('other.json'), '{"machine": 7}');
    expect(() => loadRuns([file('other.json')])).toThrow('holds no figures');
  });
});
