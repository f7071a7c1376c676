import { type BarGroup, drawBars } from './chart.js';

const options = { title: 'a < b', most: 2, write: (value: number) => value.toFixed(2) };
const draw = (groups: readonly BarGroup[]): string => drawBars(groups, options);
const bars = (svg: string): { length: number; y: number; color: string; label: string }[] =>
  [...svg.matchAll(/<rect x="\d+" y="(\d+)" width="([\d.]+)" height="9" fill="(#\w+)"><title>(.*?)<\/title>/g)].map(
    ([, y, length, color, label]) => ({ length: Number(length), y: Number(y), color: color!, label: label! }),
  );

/** The contrast of two colors, from 1 to 21, as WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

describe('drawBars', () => {
  const group = (label: string, sluice: number, ws: number): BarGroup => ({
    label,
    bars: [
      { label: 'sluice', value: sluice },
      { label: 'ws', value: ws },
    ],
  });

  it('draws lengths in proportion', () => {
    const [sluice, ws] = bars(draw([group('echo', 0.5, 1)]));
    expect(sluice!.length / ws!.length).toBeCloseTo(0.5, 2);
  });

  it('cuts a bar that is too long, and still says its value', () => {
    const svg = draw([group('echo', 2, 9)]);
    const [full, cut] = bars(svg);
    expect(cut!.length).toBe(full!.length);
    expect(svg).toContain('>9.00</text>');
  });

  it('gives each label one color, and places no bar over another', () => {
    const drawn = bars(draw([group('one', 1, 1), group('two', 1, 1)]));
    expect(drawn.map(({ label }) => label)).toEqual(['sluice', 'ws', 'sluice', 'ws']);
    expect(drawn[0]!.color).toBe(drawn[2]!.color);
    expect(drawn[0]!.color).not.toBe(drawn[1]!.color);
    for (const [index, { y }] of drawn.entries()) expect(y).toBeGreaterThanOrEqual((drawn[index - 1]?.y ?? 0) + 9);
  });

  it('has bars that stand out from a light and from a dark background', () => {
    const labels = ['1', '2', '3', '4', '5', '6'];
    const drawn = bars(draw([{ label: 'all', bars: labels.map((label) => ({ label, value: 1 })) }]));
    expect(new Set(drawn.map(({ color }) => color)).size).toBe(6);
    for (const { color } of drawn) {
      for (const page of ['#ffffff', '#0d1117']) expect(contrast(color, page)).toBeGreaterThan(3);
    }
  });

  it('has a background and colors of text for both schemes, and escapes what it is told', () => {
    const svg = draw([group('a & b', 1, 1)]);
    expect(svg).toMatch(
      /\.page \{ fill: #ffffff; \}[\s\S]*prefers-color-scheme: dark[\s\S]*\.page \{ fill: #0d1117; \}/,
    );
    expect(svg).toContain('>a &lt; b</text>');
    expect(svg).toContain('>a &amp; b</text>');
  });
});
