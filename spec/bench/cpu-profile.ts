/** Reads what `node --cpu-prof` writes, and says in which part of a program the time went. */

/** The part of a `.cpuprofile` that is read here. Times are microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  /** The node that ran at each sample. */
  readonly samples: readonly number[];
  /** How long after the sample before it each one was taken; of the first, after `startTime`. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

/** One function, and what it took itself, without those that it called. */
export interface HotSpot {
  readonly name: string;
  readonly group: string;
  /** A part of 1 of the time in which the process was not idle. */
  readonly share: number;
}

/** Which group a function is in: the first whose pattern fits `name file:line`. What fits none is `other`. */
const groups: readonly (readonly [string, RegExp])[] = [
  ['idle', /^\(idle\)/],
  ['gc', /^\(garbage collector\)/],
  ['compression', /zlib|inflate|deflate/i],
  ['unmask', /mask|^wasm/i],
  ['rxjs', /node_modules\/rxjs/],
  [
    'handshake',
    /handshake|upgrade|accept-key|origin-policy|header-fields|negotiation|subprotocols|node:_http|internal\/crypto/,
  ],
  ['encoding', /\/(frame-(writer|queue)|message-encoder|batch|slab|wire|outbox|control-lane|shared-\w+|send-shared)\./],
  [
    'strings',
    /^\w+(Slice|Write)$|^(toString|write|slice|byteLength) node:buffer|\/utf8\.|^(isAscii|isUtf8|fromCharCode)|internal\/encoding/,
  ],
  ['parsing', /src\/protocol/],
  ['delivery', /src\/(base|connection|channel|operators|server|client)/],
  ['transport', /src\/net/],
  // Native functions have no file. What has no name either, is V8, or libuv waiting for and reading from sockets.
  ['libuv/write', /^(write\w*|close|shutdown|readStart|readStop)$|^\(program\)/],
  ['node', /node:/],
];

/** The groups but for `idle`, in the order in which a message meets them. */
export const parts: readonly string[] = [
  'libuv/write',
  'node',
  'transport',
  'parsing',
  'unmask',
  'strings',
  'compression',
  'delivery',
  'rxjs',
  'encoding',
  'gc',
  'handshake',
  'other',
];

/** The time from `from` to `to` microseconds after the start by function, the most expensive first. */
export function hotSpots(
  profile: CpuProfile,
  { from, to }: { readonly from: number; readonly to: number } = { from: 0, to: Number.POSITIVE_INFINITY },
): HotSpot[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = new Map<string, number>();
  let at = 0;
  profile.samples.forEach((id, index) => {
    const delta = Math.max(0, profile.timeDeltas[index] ?? 0);
    at += delta;
    const frame = frames.get(id);
    if (frame === undefined || at < from || at > to) return;
    const name = describe(frame);
    spent.set(name, (spent.get(name) ?? 0) + delta);
  });
  const all = [...spent].map(([name, micros]) => ({ name, group: groupOf(name), micros }));
  const busy = all.filter(({ group }) => group !== 'idle');
  const total = busy.reduce((sum, { micros }) => sum + micros, 0);
  return busy
    .map(({ name, group, micros }) => ({ name, group, share: micros / total }))
    .sort((a, b) => b.share - a.share);
}

/** The share of each group, the largest first. */
export function byGroup(spots: readonly HotSpot[]): { group: string; share: number }[] {
  const shares = new Map<string, number>();
  for (const { group, share } of spots) shares.set(group, (shares.get(group) ?? 0) + share);
  return [...shares].map(([group, share]) => ({ group, share })).sort((a, b) => b.share - a.share);
}

/** The name of a function and where it is, without the folders of this machine. */
function describe({ functionName, url, lineNumber }: ProfileNode['callFrame']): string {
  const file = url.replace(/^.*?\/(?=(dist|node_modules|spec|src)\/)/, '');
  const name = functionName === '' ? '(anonymous)' : functionName;
  return file === '' ? name : `${name} ${file}:${lineNumber + 1}`;
}

function groupOf(name: string): string {
  return groups.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';
}
