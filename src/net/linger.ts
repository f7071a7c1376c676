import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';

/** How many bytes are read and discarded while a refused peer receives its answer. */
const DISCARD_LIMIT = 65_536;

/** Fills a paused stream, which would otherwise continue to read until it is full. */
const FILLING: Buffer = Buffer.alloc(DISCARD_LIMIT);

/** How long a refused peer may take to end its side, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Writes `last`, ends, and reads until the peer's FIN, for at most {@link LINGER_MS} and {@link DISCARD_LIMIT}: a socket
 * that is destroyed with unread input is reset, and the peer loses what was just written. Bytes beyond the limit stay in the kernel until
 * the time is up. That stops a peer that continues to write, and lets it read.
 */
export function endAndLinger(socket: Duplex, last: string, scheduler: SchedulerLike): void {
  if (socket.destroyed) return;
  const timer = scheduler.schedule(() => socket.destroy(), LINGER_MS);
  let discarded = 0;
  socket.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARD_LIMIT) socket.pause().unshift(FILLING);
  });
  socket.once('close', () => timer.unsubscribe());
  socket.end(last);
  socket.resume();
}
