import { median, medianOf, type Series } from './samples.js';

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is the mean of the middle two of an even number', () => {
    expect(median([1, 10, 3, 5])).toBe(4);
  });

  it('is not a number when there is nothing', () => {
    expect(median([])).toBeNaN();
  });
});

describe('medianOf', () => {
  const series: Series = {
    name: 'a',
    rounds: 2,
    seconds: 1,
    samples: [
      { server: 'sluice', cost: 1, details: { perSecond: 10 } },
      { server: 'ws', cost: 8 },
      { server: 'sluice', cost: 3, details: { perSecond: 30 } },
    ],
  };

  it('takes the costs of one server only', () => {
    expect(medianOf(series, 'sluice')).toBe(2);
    expect(medianOf(series, 'net')).toBeNaN();
  });

  it('takes a detail where it is asked for one', () => {
    expect(medianOf(series, 'sluice', 'perSecond')).toBe(20);
    expect(medianOf(series, 'ws', 'perSecond')).toBeNaN();
  });
});
