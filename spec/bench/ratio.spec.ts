import { dearest, isKept, mediansOf, type Pair, ratioOf, studentT } from './ratio.js';

describe('the ratio of two builds', () => {
  const pairs = (...ratios: number[]): Pair[] =>
    ratios.map((ratio, index) => ({ before: index + 1, after: ratio * (index + 1) }));

  it('is the geometric mean of the pairs, however much the machine varies between them', () => {
    expect(ratioOf(pairs(2, 0.5, 2, 0.5)).ratio).toBeCloseTo(1);
    expect(ratioOf(pairs(1.1, 1.1, 1.1))).toEqual({
      ratio: expect.closeTo(1.1),
      low: expect.closeTo(1.1),
      high: expect.closeTo(1.1),
    });
  });

  it("has the interval of Student's t for the mean of the logarithms", () => {
    // The logarithms are 0, 0.1 and 0.2: their mean is 0.1, its standard error 0.1 / sqrt(3), and t for 2 degrees of freedom 4.303.
    const margin = (4.303 * 0.1) / Math.sqrt(3);
    expect(ratioOf(pairs(1, Math.exp(0.1), Math.exp(0.2)))).toEqual({
      ratio: expect.closeTo(Math.exp(0.1)),
      low: expect.closeTo(Math.exp(0.1 - margin)),
      high: expect.closeTo(Math.exp(0.1 + margin)),
    });
  });

  it('is kept while its interval includes 1.03 or less', () => {
    expect(dearest).toBe(1.03);
    expect(isKept({ ratio: 1.1, low: 1.03, high: 1.2 })).toBe(true);
    expect(isKept({ ratio: 1.035, low: 1.031, high: 1.04 })).toBe(false);
    expect(isKept({ ratio: 0.9, low: 0.8, high: 1 })).toBe(true);
  });

  it('needs two pairs, and figures above 0', () => {
    expect(() => ratioOf(pairs(1))).toThrow('an interval needs two pairs, got 1');
    expect(() => ratioOf([...pairs(1), { before: 0, after: 1 }])).toThrow('a ratio needs figures above 0');
  });

  it('knows the quantiles, also for more pairs than the table has', () => {
    expect(studentT(8)).toBe(2.306);
    expect(studentT(30)).toBe(2.042);
    expect(studentT(60)).toBeCloseTo(2.0003, 2);
    expect(studentT(1e9)).toBeCloseTo(1.96, 3);
  });

  it('comes with the median of each side', () => {
    expect(mediansOf(pairs(2, 3, 4))).toEqual({ before: 2, after: 6 });
  });
});
