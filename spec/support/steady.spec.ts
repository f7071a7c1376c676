import { steady } from './steady.js';

/** Shows the figures one after the other, and counts how many were read. */
function figures(...values: number[]): { read: () => number; count: () => number } {
  let count = 0;
  return { read: () => values[count++] ?? Number.NaN, count: () => count };
}

describe('steady', () => {
  it('gives a figure once as many looks in a row as it needs have shown the same', async () => {
    const { read, count } = figures(1, 1, 2, 2, 2, 3);
    expect({ figure: await steady(read, { looks: 3, every: 0 }), count: count() }).toEqual({ figure: 2, count: 5 });
  });

  it('takes figures that are nearly the same for the same, measured from the first of them', async () => {
    const { read, count } = figures(10, 14, 18, 20, 21, 0);
    const figure = await steady(read, { looks: 3, within: 5, every: 0 });
    expect({ figure, count: count() }).toEqual({ figure: 18, count: 5 });
  });

  it('waits for figures that take their time', async () => {
    const { read, count } = figures(1, 2, 2);
    const figure = await steady(async () => read(), { looks: 2, every: 0 });
    expect({ figure, count: count() }).toEqual({ figure: 2, count: 3 });
  });
});
