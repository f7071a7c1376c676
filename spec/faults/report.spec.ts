import { readFileSync } from 'node:fs';
import { markedIn } from '../support/markdown.js';
import { exactly, sizeAtMost } from './fault-case.js';
import { failures, findingsTable, reportOf, updatedReport } from './report.js';

const results = [
  { name: 'pings', findings: [sizeAtMost('memory', 2048, 1024, 8192), exactly('close code', 1009, 1006)] },
  { name: 'pongs', findings: [exactly('close code', 1000, 1000)] },
];

describe('findingsTable', () => {
  it('has a row for each finding, and marks what does not hold', () => {
    expect(findingsTable(results).split('\n')).toEqual([
      '| case  | what       | expected      | measured | ws    |',
      '| ---   | ---        | ---           | ---      | ---   |',
      '| pings | memory     | at most 2 KiB | 1 KiB    | 8 KiB |',
      '|       | close code | 1009          | **1006** |       |',
      '| pongs | close code | 1000          | 1000     |       |',
    ]);
  });
});

describe('updatedReport', () => {
  const names = ['bombs', 'pings', 'pongs', 'soak'];
  const soak = { name: 'soak', findings: [exactly('echoes', 5, 5)] };
  const report = reportOf('Node 20.', [...results, soak]);

  it('replaces the rows of the cases that ran, and keeps all others as they are', () => {
    const again = { name: 'pings', findings: [exactly('close code', 1009, 1009), exactly('echoes', 10, 10)] };
    expect(updatedReport(report, 'Node 20.', [again], names).split('\n')).toEqual([
      'Node 20.',
      '',
      '| case  | what       | expected | measured | ws  |',
      '| ---   | ---        | ---      | ---      | --- |',
      '| pings | close code | 1009     | 1009     |     |',
      '|       | echoes     | 10       | 10       |     |',
      '| pongs | close code | 1000     | 1000     |     |',
      '| soak  | echoes     | 5        | 5        |     |',
    ]);
  });

  it('gives a case that is new its place in the order of all', () => {
    const bombs = { name: 'bombs', findings: [sizeAtMost('memory', 2048, 1024)] };
    expect(updatedReport(report, 'Node 20.', [bombs], names)).toBe(reportOf('Node 20.', [bombs, ...results, soak]));
  });

  it('leaves out cases that are gone', () => {
    expect(updatedReport(report, 'Node 20.', [], ['pongs', 'soak'])).toBe(
      reportOf('Node 20.', [...results.slice(1), soak]),
    );
  });

  it('changes nothing when no case ran', () => {
    expect(updatedReport(report, 'Node 20.', [], names)).toBe(report);
  });

  it('mixes no figures of two machines', () => {
    expect(() => updatedReport(report, 'Node 22.', [soak], names)).toThrow('of another machine');
  });

  it.each([
    ['another table', 'Node 20.\n\n| case | cost |\n| --- | --- |', 'found a row of 2 cells'],
    ['other columns', report.replace('expected', 'wanted'), 'found no table of case, what'],
    ['no table', 'Node 20.', 'found no table of case, what'],
    ['a row that is cut', report.slice(0, -8), 'found a row of'],
  ])('says so when the page has %s', (_, page, error) => {
    expect(() => updatedReport(page, 'Node 20.', [soak], names)).toThrow(error);
  });
});

describe('the table of the documentation', () => {
  it('can be updated', () => {
    const report = markedIn(readFileSync('docs/explanation/hostile-peers.md', 'utf8'), 'faults');
    const names = [...report.matchAll(/^\| (\S.*?) +\|/gm)].map(([, name]) => name!).slice(2);
    expect(names).toContain('slow handshakes');
    expect(updatedReport(report, report.split('\n')[0]!, [], names)).toBe(report);
  });
});

describe('failures', () => {
  it('names each finding that does not hold', () => {
    expect(failures(results)).toEqual(['pings: close code: expected 1009, measured 1006']);
  });

  it('has none when all hold', () => {
    expect(failures(results.slice(1))).toEqual([]);
  });
});
