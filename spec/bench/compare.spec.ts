import { comparisonTable, measurePairs } from './compare.js';

describe('the comparison of two builds', () => {
  it('measures both by turns, in the other order in each second pair', async () => {
    const measured: string[] = [];
    const measure = async (root: string): Promise<number> => {
      measured.push(root);
      return root === 'other' ? 1 : 2;
    };
    expect(await measurePairs(3, measure, 'other', 'own')).toEqual(Array(3).fill({ before: 1, after: 2 }));
    expect(measured).toEqual(['other', 'own', 'own', 'other', 'other', 'own']);
  });

  it('says for each row what it cost, the ratio, its interval, and whether it is kept', () => {
    const pairs = (...ratios: number[]) => ratios.map((ratio) => ({ before: 2, after: 2 * ratio }));
    const [, , kept, dearer, text] = comparisonTable([
      { name: 'kept', pairs: pairs(0.9, 1, 1.1) },
      { name: 'dearer', pairs: pairs(1.2, 1.2, 1.2) },
    ])
      .split('\n')
      .filter((line) => line !== '');
    expect(kept).toMatch(/^\| kept .* 2\.000 .* 2\.000 .* 0\.997 .* 0\.777 to 1\.279 .* yes \|$/);
    expect(dearer).toMatch(/^\| dearer .* 2\.000 .* 2\.400 .* 1\.200 .* 1\.200 to 1\.200 .* DEARER \|$/);
    expect(text).toMatch(/^Medians of 3 interleaved pairs/);
  });
});
