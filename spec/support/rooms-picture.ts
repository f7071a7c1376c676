/** Draws the rooms of `src`, and who imports from whom, from the imports themselves. */
import { type Room, rooms } from './rooms.js';
import type { SourceModule } from './source-module.js';

/** A room that has files. */
interface Place extends Pick<Room, 'is'> {
  readonly name: string;
  readonly files: number;
  /** Its folders, each with the number of its files. */
  readonly folders: readonly string[];
  readonly color: string;
  /** Where its box begins. */
  readonly top: number;
}

/** The imports from one room to another. */
interface Edge {
  readonly from: Place;
  readonly to: Place;
  readonly imports: number;
  readonly kind: 'values' | 'types' | 'against';
}

const WIDTH = 760;
const BOX = { left: 10, width: 400, height: 66 } as const;
const GAP = 16;
const HEAD = 54;
/** Where the line of the imports leaves a box, and where that of the imported enters it, from its top. */
const OUT = 22;
const IN = 48;
const FIRST_LANE = 470;
const COLORS = ['#1a7f37', '#8c6bd1', '#b08800', '#d1603d', '#c2528b', '#2f81c7', '#6e7781', '#0f8a8a', '#9a6a3a'];

const STYLE = `  .page { fill: #ffffff; }
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .room { font-size: 14px; font-weight: 600; }
  .quiet { fill: #57606a; font-size: 11px; }
  .count { font-size: 11px; text-anchor: middle; }
  .box { fill: #f6f8fa; stroke-width: 1.5; }
  .line { fill: none; stroke-width: 1.5; }
  .out { fill: none; stroke: #afb8c1; stroke-width: 1; }
  .crossing { fill: #ffffff; stroke-width: 1.5; }
  .types { stroke-dasharray: 3 2; }
  .against { stroke-width: 4; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .quiet { fill: #9da7b3; }
    .box { fill: #161b22; }
    .out { stroke: #484f58; }
    .crossing { fill: #0d1117; }
  }`;

/** The picture of `modules` as SVG: the highest room is at the top, and every line of imports leads down. */
export function roomsPicture(modules: readonly SourceModule[]): string {
  const places = placesOf(modules);
  const edges = edgesOf(modules, places);
  const lanes = places.filter((place) => edges.some(({ to }) => to === place));
  const laneOf = (place: Place): number => {
    const step = Math.min(52, (WIDTH - 30 - FIRST_LANE) / Math.max(1, lanes.length - 1));
    return Math.round(FIRST_LANE + lanes.indexOf(place) * step);
  };
  const height = HEAD + places.length * (BOX.height + GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    '<title>The rooms of sluice, from the lowest at the bottom to the highest, and how often each imports from which</title>',
    `<style>\n${STYLE}\n</style>`,
    '<rect class="page" width="100%" height="100%"/>',
    '<text class="title" x="10" y="22">Rooms, and what they import</text>',
    `<text class="quiet" x="10" y="40">${legend(edges)}</text>`,
    ...places.map((place) => outLine(place, edges, laneOf)),
    ...lanes.map((place) => lane(place, edges, laneOf(place))),
    ...edges.map((edge) => crossing(edge, laneOf(edge.to))),
    ...places.map(box),
    '</svg>\n',
  ]
    .filter((element) => element !== '')
    .join('\n');
}

function legend(edges: readonly Edge[]): string {
  const isAgainst = edges.some(({ kind }) => kind === 'against');
  return `Numbers count import statements. A dashed ring: types alone.${isAgainst ? ' A thick one: against the rules.' : ''}`;
}

function placesOf(modules: readonly SourceModule[]): Place[] {
  const inhabited = Object.entries(rooms).filter(([name]) => modules.some(({ room }) => room === name));
  return inhabited.reverse().map(([name, { is }], row) => {
    const files = modules.filter(({ room }) => room === name).map(({ path }) => path.split('/').slice(2));
    const folders = [...new Set(files.filter(({ length }) => length > 1).map(([folder]) => folder!))];
    return {
      name,
      is,
      files: files.length,
      folders: folders.map(
        (folder) => `${folder} ${files.filter((path) => path[0] === folder && path.length > 1).length}`,
      ),
      color: COLORS[(inhabited.length - 1 - row) % COLORS.length]!,
      top: HEAD + row * (BOX.height + GAP),
    };
  });
}

function edgesOf(modules: readonly SourceModule[], places: readonly Place[]): Edge[] {
  return places.flatMap((from) =>
    places.flatMap((to) => {
      const found = modules
        .filter(({ room }) => room === from.name)
        .flatMap(({ imports }) => imports)
        .filter(({ file }) => file?.split('/')[1] === to.name && file.split('/').length > 2);
      if (from === to || found.length === 0) return [];
      const typesAlone = found.every(({ typeOnly }) => typeOnly);
      const kind = to.top < from.top ? 'against' : typesAlone ? 'types' : 'values';
      return [{ from, to, imports: found.length, kind }] as const;
    }),
  );
}

/** From a box to the farthest room that it imports from. */
function outLine(from: Place, edges: readonly Edge[], laneOf: (place: Place) => number): string {
  const ends = edges.filter((edge) => edge.from === from).map(({ to }) => laneOf(to));
  if (ends.length === 0) return '';
  return `<path class="out" d="M${BOX.left + BOX.width} ${from.top + OUT}H${Math.max(...ends)}"/>`;
}

/** The lines that lead to `place`, joined to one, with the head of an arrow. */
function lane(place: Place, edges: readonly Edge[], x: number): string {
  const rows = edges.filter(({ to }) => to === place).map(({ from }) => from.top + OUT);
  const [y, right] = [place.top + IN, BOX.left + BOX.width];
  const [top, bottom] = [Math.min(...rows, y), Math.max(...rows, y)];
  return [
    `<path class="line" stroke="${place.color}" d="M${x} ${top}V${bottom}M${x} ${y}H${right + 8}"/>`,
    `<path fill="${place.color}" d="M${right + 1} ${y}l9 -4v8z"/>`,
  ].join('\n');
}

function crossing({ from, to, imports, kind }: Edge, x: number): string {
  const y = from.top + OUT;
  return [
    `<circle class="crossing ${kind}" cx="${x}" cy="${y}" r="14" stroke="${to.color}"><title>${from.name} imports from ${to.name}</title></circle>`,
    `<text class="count" x="${x}" y="${y + 4}">${imports}</text>`,
  ].join('\n');
}

function box({ name, is, files, folders, color, top }: Place): string {
  const { left, width, height } = BOX;
  const lines = [
    `<rect class="box" x="${left}" y="${top}" width="${width}" height="${height}" rx="6" stroke="${color}"/>`,
    `<text class="room" x="${left + 12}" y="${top + 21}">${name}/</text>`,
    `<text class="quiet" x="${left + width - 12}" y="${top + 21}" text-anchor="end">${files} files</text>`,
    `<text x="${left + 12}" y="${top + 39}">${escaped(is)}</text>`,
    `<text class="quiet" x="${left + 12}" y="${top + 56}">${folders.join(' · ')}</text>`,
  ];
  return (folders.length === 0 ? lines.slice(0, -1) : lines).join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
