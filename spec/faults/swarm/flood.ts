/** Peers that send as fast as the machine lets them. */
import { continuation, type Frame, text, wire } from '../../support/frames.js';
import { HostilePeer } from '../hostile-peer.js';

/** Messages that are cheap to send, and not to take in. Masked beforehand, so that the attack is as fast as the kernel. */
const shapes = {
  'one-byte fragments': () => repeated(fragmented('a')),
  'empty fragments': () => repeated(fragmented('')),
  'texts of 1 MiB': () => wire('server', [text('\u20ac'.repeat(349_525))]),
} as const satisfies Record<string, () => Buffer>;

/** What is sent. */
export type FloodShape = keyof typeof shapes;

/** Fewer than `maxFragments` and the limit of ws allow by default. */
const FRAGMENTS = 4_000;

/** What one call of the kernel is given at least, in bytes. */
const WRITE_SIZE = 1_048_576;

let peers: readonly HostilePeer[] = [];

/** Opens connections whose messages the server takes, and floods them until {@link stopFlood}. Resolves once all of them do. */
export async function flood({
  port,
  count,
  shape,
}: {
  port: number;
  count: number;
  shape: FloodShape;
}): Promise<{ open: number }> {
  const bytes = shapes[shape]();
  peers = await HostilePeer.openMany(port, count, { path: '/ignore' });
  for (const peer of peers) void peer.flood(bytes, Number.POSITIVE_INFINITY, 60_000);
  return { open: peers.length };
}

/** Ends the flood. */
export async function stopFlood(): Promise<{ bytes: number; open: number }> {
  const open = peers.filter(({ isGone }) => !isGone).length;
  const bytes = peers.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  for (const peer of peers) peer.reset();
  peers = [];
  return { bytes, open };
}

function fragmented(payload: string): readonly Frame[] {
  return Array.from({ length: FRAGMENTS }, (_, index) =>
    (index === 0 ? text : continuation)(payload, { fin: index === FRAGMENTS - 1 }),
  );
}

function repeated(message: readonly Frame[]): Buffer {
  const bytes = wire('server', message);
  return Buffer.concat(Array.from({ length: Math.ceil(WRITE_SIZE / bytes.length) }, () => bytes));
}
