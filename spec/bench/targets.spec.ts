import { measurements } from './measurements.js';
import type { Series } from './samples.js';
import { targets, verdict } from './targets.js';

function row(name: string, costs: Readonly<Partial<Record<'sluice' | 'ws' | 'net', number>>>): Series {
  const samples = Object.entries(costs).map(([server, cost]) => ({ server: server as 'sluice' | 'ws' | 'net', cost }));
  return { name, rounds: 5, seconds: 1, samples };
}

describe('targets', () => {
  it('are for rows that are measured, with the servers that they compare', () => {
    const measured = measurements.flatMap(({ servers, rows }) =>
      rows.flatMap(({ name }) => servers.map((server) => `${name} ${server}`)),
    );
    const needed = targets.flatMap(({ row: name, of, against = name }) => [`${name} sluice`, `${against} ${of}`]);
    expect(needed.filter((each) => !measured.includes(each))).toEqual([]);
  });
});

describe('verdict', () => {
  it('says for each target of a row whether it holds, and what was measured', () => {
    const rows = [row('32 B text, 16 in flight', { sluice: 0.7, ws: 7, net: 0.35 })];
    expect(verdict('32 B text, 16 in flight', rows)).toBe(
      'at most 1/10 of ws: yes (0.100), at most 1.8 of net: no (2.00)',
    );
  });

  it('compares with another row where the target says so', () => {
    const rows = [row('scale 100 connections', { sluice: 5 }), row('scale 10 000 connections', { sluice: 8 })];
    expect(verdict('scale 10 000 connections', rows)).toBe('at most 1.5 of "scale 100 connections": no (1.60)');
  });

  it('does not guess what was not measured', () => {
    expect(verdict('handshakes', [row('handshakes', { sluice: 5 })])).toBe('at most 1 of ws: not measured');
  });

  it('says nothing of a row without targets', () => {
    expect(verdict('32 B binary, 16 in flight', [])).toBe('');
  });
});
