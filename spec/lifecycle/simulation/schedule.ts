/** What happens in one run of the simulation, as plain data: made from a seed, printed, cut down and run again. */
import { seeded } from '../../support/seeded.js';

/** The two ends of a connection. */
export const sides = ['client', 'server'] as const;
export type Side = (typeof sides)[number];

/** What whoever is told something does, within the call that tells it. */
export const reactions = [
  'leave',
  'hold',
  'release',
  'send',
  'send much',
  'fill',
  'subscribe',
  'watch',
  'ping',
  'flush',
  'close',
  'terminate',
] as const;
export type Reaction = 'nothing' | (typeof reactions)[number];

/** What can be watched beside messages. */
export const streams = ['pings', 'pongs', 'close', 'ready', 'sent', 'finished'] as const;
export type Stream = (typeof streams)[number];

/**
 * How a message is sent. `large text` is compressed in the thread pool, `large blob` and `async parts` are pulled, `open` gets its parts by
 * the steps `part` and `complete`.
 */
export const contents = ['text', 'binary', 'large text', 'blob', 'large blob', 'parts', 'async parts', 'open'] as const;
export type Content = (typeof contents)[number];

/** Contents whose end nobody knows: they are given up when the peer closes. */
export const openEnded: readonly Content[] = ['async parts', 'open'];

/** How an application produces messages without an end: `parts` are those of one message. */
export const producers = ['iterable', 'async iterable', 'loop', 'drain loop', 'pump', 'parts'] as const;
export type Produce = (typeof producers)[number];

/** One step. `on` is the end that acts, or that something happens to. */
export type Step =
  | { readonly do: 'deliver'; readonly on: Side; readonly size: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'subscribe'; readonly on: Side; readonly reaction: Reaction; readonly at: number }
  | {
      readonly do: 'watch';
      readonly on: Side;
      readonly stream: Stream;
      readonly reaction: Reaction;
      readonly at: number;
    }
  | { readonly do: 'unsubscribe'; readonly on: Side; readonly which: number }
  | {
      readonly do: 'send';
      readonly on: Side;
      readonly content: Content;
      readonly size: number;
      readonly compress: boolean;
    }
  | { readonly do: 'produce'; readonly on: Side; readonly how: Produce; readonly items: number }
  | { readonly do: (typeof plainSteps)[number]; readonly on: Side }
  | { readonly do: (typeof commonSteps)[number] };

/**
 * Steps that need nothing but an end. `drain`: the kernel takes what waits; `busy`: other connections use up its turn; `cut`: FIN without a
 * Close frame; `noise`: no frame; `stop`: of the server; `vanish`: its process is gone, and writes to it fail.
 */
export const plainSteps = [
  'drain',
  'burst',
  'busy',
  'hold',
  'release',
  'pause',
  'resume',
  'part',
  'complete',
  'fail',
  'ping',
  'pong',
  'flush',
  'unsendable',
  'complete send',
  'close',
  'stop',
  'terminate',
  'cut',
  'noise',
  'vanish',
] as const;

/** Steps that happen to both ends: a flush point, a turn of the event loop, the end of a job in the thread pool, the loss of the network. */
export const commonSteps = ['tick', 'turn', 'encode', 'reset'] as const;

/** How one end is set up. */
export interface EndSettings {
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly overflow: 'terminate' | 'drop-newest' | 'drop-oldest';
  readonly heartbeat: boolean;
  readonly pausedTimeout: number | undefined;
  readonly messageTimeout: number;
  readonly autoPong: boolean;
  /** How much the kernel takes from it before the other end reads. In bytes. */
  readonly room: number;
  /** Whether bytes have left when `write` returns. */
  readonly synchronous: boolean;
  /** What is shorter is not compressed, where permessage-deflate was agreed to. In bytes. */
  readonly threshold: number;
  /** Whether somebody listens to what was handed over, from the beginning. */
  readonly notices: boolean;
}

/** One run. */
export interface Schedule {
  readonly client: EndSettings;
  readonly server: EndSettings;
  /** Whether permessage-deflate was agreed to, and whether each end forgets its window. */
  readonly deflate: { readonly forgets: boolean; readonly bits: number } | undefined;
  /** What each look at the clock costs, in milliseconds: more than 10 ends a turn of the loop. */
  readonly slowness: number;
  /** Whether holds are released and messages wanted before the end, so that nothing may be lost. */
  readonly released: boolean;
  /** Whose messages in parts never come to their end, where nothing is released. */
  readonly stuck: Side | undefined;
  /** Who closes at the end, where nothing is released. */
  readonly closer: Side;
  /** How an open and quiet connection ends. */
  readonly parting: Parting;
  readonly steps: readonly Step[];
}

/** The last words of both ends, none of which may be lost. */
export interface Parting {
  readonly words: Readonly<Record<Side, readonly Content[]>>;
  /** `close`: the closers close while all is still being encoded; `vanish`: the first of them is gone without a word to the transport. */
  readonly how: 'close' | 'vanish';
  /** Who does it: with both, their Close frames cross. */
  readonly closers: readonly Side[];
  /** Who has a message in hand whose end nobody knows: not the only closer, whose Close frame waits for it. */
  readonly openEnded: Side | undefined;
  /** Whether the end that is left holds its messages back for long when the other one vanishes. */
  readonly holds: boolean;
}

type Random = () => number;

/** More than a turn of the event loop is enough for. */
const MANY_ITEMS = 110;

/** The size of what a producer sends, in bytes. */
export const ITEM_SIZE = 3_000;

/** The schedule of a seed: the same in each run. */
export function scheduleOf(seed: number): Schedule {
  const random = seeded(Math.imul(seed, 0x9e3779b1));
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 3; i++) random();
  const isViolent = random() < 0.45;
  const deflate = random() < 0.3 ? { forgets: random() < 0.5, bits: pick(random, [8, 9, 12, 15]) } : undefined;
  return {
    client: endSettings(random),
    server: endSettings(random),
    deflate,
    slowness: pick(random, [0, 0, 0, 3, 11]),
    released: random() < 0.75,
    stuck: pick(random, [undefined, ...sides]),
    closer: pick(random, sides),
    parting: partingOf(random, deflate !== undefined),
    steps: Array.from({ length: 4 + Math.floor(random() * 44) }, () =>
      stepOf(random, isViolent, deflate !== undefined),
    ),
  };
}

/** Contents whose end is known, so that they outlive a Close frame that crosses them. */
const lastWords: readonly Content[] = ['text', 'binary', 'blob', 'parts', 'large blob'];

function partingOf(random: Random, isCompressed: boolean): Parting {
  const closers = pick(random, [...sides.map((side) => [side]), [...sides]]);
  const others = sides.filter((side) => closers.length > 1 || !closers.includes(side));
  const wordsOf = (): Content[] =>
    Array.from({ length: Math.floor(random() * 4) }, () =>
      isCompressed && random() < 0.4 ? 'large text' : pick(random, lastWords),
    );
  return {
    words: { client: wordsOf(), server: wordsOf() },
    how: random() < 0.2 ? 'vanish' : 'close',
    closers,
    openEnded: random() < 0.3 ? pick(random, others) : undefined,
    holds: random() < 0.5,
  };
}

function endSettings(random: Random): EndSettings {
  return {
    highWaterMark: pick(random, [1, 300, 1_000, 65_536]),
    maxBufferedAmount: pick(random, [1_500, 6_000, 1_048_576, 1_048_576]),
    overflow: pick(random, ['terminate', 'drop-newest', 'drop-oldest']),
    heartbeat: random() < 0.3,
    pausedTimeout: random() < 0.1 ? 900 : undefined,
    messageTimeout: pick(random, [400, 60_000]),
    autoPong: random() < 0.9,
    room: pick(random, [100, 1_000, 20_000, 1_000_000]),
    synchronous: random() < 0.75,
    threshold: pick(random, [0, 100]),
    notices: random() < 0.5,
  };
}

/** How likely a step is, in parts of the whole. Those behind the gap end the connection, or hurt it. */
const weights: readonly (readonly [Step['do'], number])[] = [
  ['deliver', 16],
  ['send', 12],
  ['subscribe', 5],
  ['drain', 5],
  ['tick', 3],
  ['turn', 4],
  ['burst', 0.3],
  ['busy', 0.7],
  ['encode', 1],
  ['produce', 0.4],
  ['unsubscribe', 3],
  ['hold', 2],
  ['release', 3],
  ['pause', 1],
  ['resume', 1],
  ['watch', 3],
  ['part', 3],
  ['complete', 1.5],
  ['ping', 1],
  ['pong', 0.5],
  ['flush', 1],
  ['pass', 1],
];
const violence: readonly (readonly [Step['do'], number])[] = [
  ['pass', 3],
  ['close', 1],
  ['stop', 0.3],
  ['terminate', 0.3],
  ['complete send', 0.3],
  ['unsendable', 0.2],
  ['fail', 0.3],
  ['cut', 0.2],
  ['noise', 0.3],
  ['reset', 0.2],
  ['vanish', 0.4],
];
const all = [...weights, ...violence];
const sum = (of: typeof weights): number => of.reduce((total, [, weight]) => total + weight, 0);
const gentleSum = sum(weights);
const wholeSum = sum(all);

function stepOf(random: Random, isViolent: boolean, isCompressed: boolean): Step {
  let at = random() * (isViolent ? wholeSum : gentleSum);
  let kind: Step['do'] = 'deliver';
  for (const [name, weight] of all) {
    kind = name;
    at -= weight;
    if (at < 0) break;
  }
  const on = pick(random, sides);
  switch (kind) {
    case 'deliver':
      return { do: kind, on, size: random() < 0.2 ? 100_000 : 1 + Math.floor(random() * 900) };
    case 'pass':
      return { do: kind, ms: Math.floor(random() * 700) };
    case 'subscribe':
      return { do: kind, on, reaction: reactionOf(random, isViolent), at: Math.floor(random() * 6) };
    case 'watch': {
      const reaction = reactionOf(random, isViolent);
      return { do: kind, on, stream: pick(random, streams), reaction, at: Math.floor(random() * 3) };
    }
    case 'unsubscribe':
      return { do: kind, on, which: Math.floor(random() * 4) };
    case 'send': {
      const content = contentOf(random, isCompressed);
      return { do: kind, on, content, size: sizeOf(random, content), compress: random() < 0.3 };
    }
    case 'produce':
      return {
        do: kind,
        on,
        how: pick(random, producers),
        items: random() < 0.4 ? MANY_ITEMS : 1 + Math.floor(random() * 30),
      };
    case 'tick':
    case 'turn':
    case 'encode':
    case 'reset':
      return { do: kind };
    default:
      return { do: kind, on };
  }
}

function reactionOf(random: Random, isViolent: boolean): Reaction {
  if (random() < 0.4) return 'nothing';
  return pick(random, isViolent ? reactions : reactions.slice(0, -2));
}

function contentOf(random: Random, isCompressed: boolean): Content {
  if (random() < 0.7) return pick(random, ['text', 'binary']);
  const content = pick(random, contents);
  // Without compression it is like any other, only slow to arrive.
  return content === 'large text' && !isCompressed ? 'text' : content;
}

/** More than are compressed on the spot, or read of a Blob as a whole. In bytes. */
export const LARGE = 70_000;

function sizeOf(random: Random, content: Content): number {
  if (content === 'large blob' || content === 'large text') return LARGE;
  const at = random();
  if (at < 0.75) return Math.floor(random() * 200);
  if (at < 0.97) return pick(random, [125, 126, 1_000, 4_096, 4_097, 16_385]);
  return 65_530;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}
