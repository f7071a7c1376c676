/** What programs write into pages. */

/** A table, its first column to the left and the others as `align` says. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: 'left' | 'right' = 'right',
): string {
  const isLeft = (column: number): boolean => column === 0 || align === 'left';
  const rule = head.map((_, column) => (isLeft(column) ? '---' : '--:'));
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length), 3));
  const pad = (cell: string, column: number): string =>
    isLeft(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  const line = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`;
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** `page` with `content` between the markers of `name`. @throws Error when the page has no such markers. */
export function fillMarkers(page: string, name: string, content: string): string {
  const [start, end] = markers(page, name);
  return `${page.slice(0, start)}\n${content}\n${page.slice(end)}`;
}

/** What stands in `page` between the markers of `name`. @throws Error when the page has no such markers. */
export function markedIn(page: string, name: string): string {
  return page.slice(...markers(page, name)).trim();
}

/** Where the first marker ends, and the second begins. */
function markers(page: string, name: string): [number, number] {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [page.indexOf(open), page.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`the page has no ${open} ... ${close}`);
  return [start + open.length, end];
}
