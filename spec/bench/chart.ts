/** Bars, as an SVG that can be read on light and on dark. */

/** Bars that belong together. */
export interface BarGroup {
  readonly label: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
}

const width = 760;
const [left, right, top] = [260, 70, 64];
const [barHeight, gap] = [11, 12];

/** Mid-tones: each has a contrast of at least 3 to white and to the dark of pages. */
const colors = ['#1a7f37', '#8c6bd1', '#b08800', '#d1603d', '#c2528b', '#6e7781'];

/** With a background of its own it does not depend on the page: a reader's page may be dark where his system is light. */
const style = `
  .page { fill: #ffffff; }
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #57606a; font-size: 11px; }
  .axis { stroke: #8c959f; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .quiet { fill: #9da7b3; }
  }`;

/**
 * Horizontal bars, each with its value at the end. A bar above `most` is cut there, and says its value all the same: one slow bar must not
 * make all the others invisible. Bars of one label have one color, in the order in which the labels first come.
 */
export function drawBars(
  groups: readonly BarGroup[],
  { title, most, write }: { readonly title: string; readonly most: number; readonly write: (value: number) => string },
): string {
  const labels = [...new Set(groups.flatMap(({ bars }) => bars.map(({ label }) => label)))];
  const colorOf = (label: string): string => colors[labels.indexOf(label) % colors.length]!;
  const scale = (width - left - right) / most;
  const parts: string[] = [];
  let y = top;
  for (const { label, bars } of groups) {
    const middle = y + (bars.length * barHeight) / 2 + 4;
    parts.push(`<text x="${left - 10}" y="${middle}" text-anchor="end">${escapeText(label)}</text>`);
    for (const bar of bars) {
      const length = Math.max(1, Math.min(bar.value, most) * scale).toFixed(1);
      const end = left + Number(length) + 5;
      parts.push(
        `<rect x="${left}" y="${y}" width="${length}" height="${barHeight - 2}" fill="${colorOf(bar.label)}"><title>${escapeText(bar.label)}</title></rect>`,
        `<text class="quiet" x="${end.toFixed(1)}" y="${y + barHeight - 2}">${write(bar.value)}</text>`,
      );
      y += barHeight;
    }
    y += gap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${style}\n</style>`,
    '<rect class="page" width="100%" height="100%"/>',
    `<text class="title" x="10" y="22">${escapeText(title)}</text>`,
    ...legend(labels, colorOf),
    `<line class="axis" x1="${left}" y1="${top - 6}" x2="${left}" y2="${y - gap + 4}"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function legend(labels: readonly string[], colorOf: (label: string) => string): string[] {
  const step = (width - 20) / labels.length;
  return labels.flatMap((label, index) => {
    const x = Math.round(10 + index * step);
    return [
      `<rect x="${x}" y="36" width="10" height="10" fill="${colorOf(label)}"/>`,
      `<text x="${x + 15}" y="45">${escapeText(label)}</text>`,
    ];
  });
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
