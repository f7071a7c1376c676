import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';

/** After so many bytes that are thrown away no more are read while a refused peer gets its answer. */
const DISCARD_LIMIT = 65_536;

/** A paused stream reads on until it is full. */
const FILLING: Buffer = Buffer.alloc(DISCARD_LIMIT);

/** How long a refused peer may take to end its side, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Writes `last`, ends, and reads what still comes until the peer's FIN, at most {@link LINGER_MS} and {@link DISCARD_LIMIT}: a socket
 * that is destroyed with unread input is reset, and the peer loses what was just written. What is beyond stays in the kernel until the
 * time is over: that stops a peer that writes on, and lets it read.
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
