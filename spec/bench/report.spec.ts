import { bombText, cpuTable, handshakeTable, memoryTable } from './report.js';
import type { Sample, Series } from './samples.js';

function series(name: string, samples: readonly Sample[], effort = { rounds: 5, seconds: 1 }): Series {
  return { name, samples, ...effort };
}

describe('cpuTable', () => {
  const sample = (server: Sample['server'], cost: number, perSecond: number): Sample => ({
    server,
    cost,
    details: { perSecond },
  });
  const columns = { title: 'echo', unit: 'us CPU/message', counted: 'messages' };
  const row = series('1 KiB binary, 1 in flight', [
    sample('sluice', 1, 100_000),
    sample('ws', 12, 20_000),
    sample('sluice', 3, 300_000),
  ]);

  it('has the medians of the cost, the ratios of sluice, and what each server did in a second', () => {
    expect(cpuTable([row], ['sluice', 'ws'], columns).split('\n')).toEqual([
      '| echo, us CPU/message      | sluice |   ws | sluice / ws |',
      '| ---                       |    --: |  --: |         --: |',
      '| 1 KiB binary, 1 in flight |   2.00 | 12.0 |       0.167 |',
      '',
      '| echo, messages/s          |  sluice |     ws |',
      '| ---                       |     --: |    --: |',
      '| 1 KiB binary, 1 in flight | 200 000 | 20 000 |',
      '',
      'Medians of 5 rounds of 1 s.',
    ]);
  });

  it('has no ratios without sluice', () => {
    expect(cpuTable([row], ['ws'], columns)).not.toContain('sluice /');
  });

  it('has a column of targets where a row has some', () => {
    const held = series('1 KiB text, 16 in flight', [sample('sluice', 1, 1), sample('ws', 10, 1)]);
    const lines = cpuTable([row, held], ['sluice', 'ws'], columns).split('\n');
    expect(lines[0]).toMatch(/\| +target \|$/);
    expect(lines[2]).toMatch(/\| +\|$/);
    expect(lines[3]).toMatch(/\| at most 1\/8 of ws: yes \(0\.100\) \|$/);
  });

  it('has a dash where nothing was measured', () => {
    expect(cpuTable([row], ['sluice', 'net'], columns).split('\n')[2]).toMatch(/ 2\.00 \| +- \| +- \|$/);
  });

  it('names the least effort of rows from several runs', () => {
    const shorter = series('32 B binary, 16 in flight', row.samples, { rounds: 7, seconds: 0.5 });
    expect(cpuTable([row, shorter], ['sluice'], columns)).toMatch(
      /\nMedians of at least 5 rounds of at least 0.5 s\.$/,
    );
  });
});

describe('memoryTable', () => {
  it('shows KiB per connection', () => {
    const row = series(
      'idle',
      [
        { server: 'sluice', cost: 4096 },
        { server: 'ws', cost: 8192 },
      ],
      { rounds: 3, seconds: 0 },
    );
    const text = memoryTable([row], ['sluice', 'ws'], { title: 'memory', unit: 'KiB/connection' });
    expect(text).toContain('|    4.0 | 8.0 |        0.50 |');
    expect(text).toMatch(/\nMedians of 3 rounds\.$/);
  });
});

describe('handshakeTable', () => {
  it('counts those of a second of CPU', () => {
    const row = series('handshakes', [
      { server: 'sluice', cost: 250 },
      { server: 'ws', cost: 500 },
    ]);
    const lines = handshakeTable([row], ['sluice', 'ws']).split('\n');
    expect(lines[2]).toBe('| handshakes                   |  4 000 | 2 000 |');
    expect(lines[6]).toContain('at most 1 of ws: yes (0.50)');
  });
});

describe('bombText', () => {
  it('says what it cost', () => {
    const details = { wireBytes: 2048, inflatedBytes: 3 * 2 ** 20, closeCode: 1009, blockMillis: 4.4 };
    expect(bombText([series('compressed bomb', [{ server: 'sluice', cost: 2 ** 20, details }])])).toBe(
      'A message of 3 MiB, 2 KiB on the wire, was closed with 1009: the process grew by 1.0 MiB at most, and its event loop was blocked for 4 ms at most.',
    );
  });
});
