import type { EchoResult, EchoSample } from './echo.js';
import { broadcastProfiles, echoProfiles } from './profiles.js';
import { bombText, broadcastTable, compressedMemoryTable, echoTable, idleTable, median } from './report.js';

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is the mean of the middle two of an even number', () => {
    expect(median([1, 10, 3, 5])).toBe(4);
  });
});

describe('echoTable', () => {
  const sample = (server: EchoSample['server'], cpuMicrosPerMessage: number, perSecond: number): EchoSample => ({
    server,
    cpuMicrosPerMessage,
    perSecond,
    total: 1,
    p50Micros: 1,
    p99Micros: 1,
  });
  const result: EchoResult = {
    profile: echoProfiles[0]!,
    samples: [sample('sluice', 1, 100_000), sample('ws', 8, 20_000), sample('sluice', 3, 300_000)],
  };

  it('divides the CPU of sluice by that of each other server', () => {
    expect(echoTable([result], ['sluice', 'ws']).split('\n')).toEqual([
      '| echo, 64 connections   | sluice, us CPU/message | ws, us CPU/message | sluice / ws | sluice, messages/s | ws, messages/s |',
      '| ---                    |                    --: |                --: |         --: |                --: |            --: |',
      '| 32 B text, 1 in flight |                   2.00 |               8.00 |        0.25 |            200 000 |         20 000 |',
    ]);
  });

  it('has no ratios without sluice', () => {
    expect(echoTable([result], ['ws'])).not.toContain('sluice /');
  });
});

describe('broadcastTable', () => {
  it('counts deliveries, with small ratios in detail', () => {
    const sample = (server: EchoSample['server'], cpuMicrosPerMessage: number): EchoSample => ({
      server,
      cpuMicrosPerMessage,
      perSecond: 1_000_000,
      total: 1,
      p50Micros: 1,
      p99Micros: 1,
    });
    const result = { profile: broadcastProfiles[1]!, samples: [sample('sluice', 0.5), sample('ws', 6)] };
    expect(broadcastTable([result], ['sluice', 'ws']).split('\n')[2]).toMatch(
      /broadcast, 16 in flight .* 0\.50 .* 6\.00 .* 0\.083 .* 1 000 000 /,
    );
  });
});

describe('idleTable', () => {
  it('shows KiB per connection', () => {
    const samples = [
      { server: 'sluice', bytesPerConnection: 4096 },
      { server: 'ws', bytesPerConnection: 8192 },
    ] as const;
    expect(idleTable(samples, ['sluice', 'ws'])).toContain(
      '|                    4.0 |                8.0 |        0.50 |',
    );
  });
});

describe('compressedMemoryTable', () => {
  it('has a row for each kind of compression', () => {
    const samples = [
      { server: 'sluice', compression: 'message', bytesPerConnection: 1024 },
      { server: 'ws', compression: 'message', bytesPerConnection: 4096 },
      { server: 'sluice', compression: 'context', bytesPerConnection: 2048 },
      { server: 'ws', compression: 'context', bytesPerConnection: 4096 },
    ] as const;
    const rows = compressedMemoryTable(samples, ['sluice', 'ws']).split('\n').slice(2);
    expect(rows.map((row) => row.split('|').slice(2, 5).map(Number))).toEqual([
      [1, 4, 0.25],
      [2, 4, 0.5],
    ]);
  });
});

describe('bombText', () => {
  it('says what it cost', () => {
    const sample = {
      wireBytes: 2048,
      inflatedBytes: 3 * 2 ** 20,
      closeCode: 1009,
      growthBytes: 2 ** 20,
      blockMillis: 4.4,
    };
    expect(bombText(sample)).toBe(
      'A message of 3 MiB, 2 KiB on the wire, was closed with 1009: the process grew by 1.0 MiB at most, and its event loop was blocked for 4 ms at most.',
    );
  });
});
