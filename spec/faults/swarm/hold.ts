/** Peers that come, stay and go. */
import { inParallel, MassPeer, shortFrame } from './mass-peer.js';

/** How many connect at a time. */
const WIDTH = 200;

/** Peers that are held until the swarm ends. */
const held: MassPeer[] = [];

/** What peers are held. */
export interface HoldOptions {
  readonly port: number;
  readonly count: number;
  readonly isMute?: boolean;
  /** What each says first, in hexadecimal. */
  readonly first?: string;
}

/** Opens connections and holds them. Those that are mute read everything and answer nothing, be it a ping or a Close frame. */
export async function hold({ port, count, isMute = false, first = '' }: HoldOptions): Promise<{ open: number }> {
  let open = 0;
  await inParallel(count, WIDTH, async () => {
    const peer = await MassPeer.open(port);
    if (peer === undefined) return;
    open++;
    peer.isMute = isMute;
    peer.socket.write(Buffer.from(first, 'hex'));
    held.push(peer);
  });
  return { open };
}

/** Connects all at once, as fast as this process can, and holds them. */
export async function burst({
  port,
  count,
}: {
  port: number;
  count: number;
}): Promise<{ open: number; refused: number }> {
  const peers = await Promise.all(Array.from({ length: count }, () => MassPeer.open(port)));
  const open = peers.filter((peer) => peer !== undefined);
  held.push(...open);
  return { open: open.length, refused: count - open.length };
}

/** Ends the held ones: half with a Close frame, half with a reset. */
export async function leave(): Promise<void> {
  const gone = held.splice(0).map((peer, index) => {
    const over = new Promise<void>((resolve) => {
      peer.events = { gone: resolve };
    });
    if (index % 2 === 0) peer.socket.write(shortFrame(0x8));
    else peer.socket.resetAndDestroy();
    return over;
  });
  await Promise.all(gone);
}
