import { exactly, sizeAtMost } from './fault-case.js';
import { failures, findingsTable } from './report.js';

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

describe('failures', () => {
  it('names each finding that does not hold', () => {
    expect(failures(results)).toEqual(['pings: close code: expected 1009, measured 1006']);
  });

  it('has none when all hold', () => {
    expect(failures(results.slice(1))).toEqual([]);
  });
});
