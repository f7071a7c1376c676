import type { SchedulerLike } from 'rxjs';
import { deadline } from '../base/deadline-queue.js';
import type { UpgradeArguments } from '../connection/incoming-message.js';
import { afterAnswers, ignore } from './open-answers.js';
import { isTaken } from './take-upgrade.js';

/** How long other listeners have to take a socket. */
export interface UntakenLimits {
  /** In milliseconds. */
  readonly handshakeTimeout: number;
  readonly scheduler: SchedulerLike;
}

/**
 * Watches a socket that is left to other 'upgrade' listeners. The socket gets an error listener, because Node has removed its own and all
 * listeners may ignore the socket. Calls `unwanted` if none of them has taken it when the time is up, or when the peer ends.
 *
 * A socket counts as taken if it was written to, ended, read, resumed or paused since, or is marked by a copy of sluice. A taken socket
 * is not touched again.
 */
export function watchUntaken(upgrade: UpgradeArguments, limits: UntakenLimits, unwanted: () => void): void {
  const [request, socket] = upgrade;
  const isUnread = readDetector(upgrade);
  // Node also ends at the client's FIN, even if requests are unanswered.
  const onEnd = (): void => {
    if (isUnread()) socket.end();
  };
  socket.on('error', ignore).on('end', onEnd);
  afterAnswers(request, socket, () => {
    socket.off('end', onEnd);
    const isUntouched = writeDetector(upgrade, isUnread);
    if (!isUntouched()) return;
    const stop = (): void => {
      timer.unsubscribe();
      socket.off('end', decide).off('close', stop);
    };
    const decide = (): void => {
      stop();
      if (isUntouched()) unwanted();
    };
    const timer = deadline(limits.scheduler, limits.handshakeTimeout, decide);
    socket.on('end', decide).on('close', stop);
  });
}

/** Returns a function that tells whether nothing has started to read the socket, or ended it, since. */
function readDetector([{ socket: transport }, socket]: UpgradeArguments): () => boolean {
  const readers = readersOf(socket);
  return () => {
    if (isTaken(socket) || socket.destroyed || socket.writableEnded || readersOf(socket) !== readers) return false;
    // Newer versions of Node wrap the socket of a request with a body in a stream, which resumes itself at its end.
    return socket.readableFlowing === null || (socket !== transport && socket.readableEnded);
  };
}

/** Returns a function that tells whether, in addition, nothing was written. */
function writeDetector([{ socket }]: UpgradeArguments, isUnread: () => boolean): () => boolean {
  const { bytesWritten } = socket;
  return () => isUnread() && socket.bytesWritten === bytesWritten;
}

function readersOf(socket: UpgradeArguments[1]): number {
  return socket.listenerCount('data') + socket.listenerCount('readable');
}
