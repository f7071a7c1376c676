import { exactly, notBefore, sizeAtMost, sizeText, timeAtMost, timeText } from './fault-case.js';

describe('sizeText', () => {
  it.each([
    [0, '0 KiB'],
    [1536, '1.5 KiB'],
    [65_536, '64 KiB'],
    [-2048, '-2 KiB'],
    [1_048_576, '1 MiB'],
    [300 * 1_048_576, '300 MiB'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

describe('timeText', () => {
  it.each([
    [4.25, '4.3 ms'],
    [250, '250 ms'],
    [12_000, '12 s'],
  ])('shows %d ms as %s', (millis, text) => {
    expect(timeText(millis)).toBe(text);
  });
});

describe('findings', () => {
  it('hold up to their bound', () => {
    expect(sizeAtMost('memory', 2048, 2048, 4096)).toEqual({
      what: 'memory',
      expected: 'at most 2 KiB',
      measured: '2 KiB',
      ws: '4 KiB',
      holds: true,
      isNoisy: true,
    });
    expect(timeAtMost('stall', 20, 20.1).holds).toBe(false);
  });

  it('hold from the time on that must have passed', () => {
    expect(notBefore('answer', 1900, 1900)).toEqual({
      what: 'answer',
      expected: 'not before 1900 ms',
      measured: '1900 ms',
      holds: true,
    });
    expect(notBefore('answer', 1900, 1899).holds).toBe(false);
  });

  it('know nothing of ws where it was not measured', () => {
    expect(timeAtMost('stall', 20, 1)).not.toHaveProperty('ws');
    expect(exactly('close code', 1009, 1009)).not.toHaveProperty('ws');
  });

  it('show numbers with their thousands apart, and that there is nothing', () => {
    expect(exactly('pongs', 150_000, 0)).toMatchObject({ expected: '150 000', measured: '0' });
    expect(exactly('other codes', '', '').measured).toBe('none');
  });

  it('are measured again only when they are figures', () => {
    expect(timeAtMost('stall', 1, 2).isNoisy).toBe(true);
    expect(exactly('pongs', 1, 2).isNoisy).toBeUndefined();
  });

  it('hold when they are exactly what was expected', () => {
    expect(exactly('close code', 1009, 1009, 1006)).toMatchObject({ holds: true, ws: '1006' });
    expect(exactly('close code', 1009, 0).holds).toBe(false);
  });
});
