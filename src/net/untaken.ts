import type { SchedulerLike } from 'rxjs';
import { deadline } from '../base/clock.js';
import type { UpgradeArguments } from '../connection/incoming-message.js';
import { afterAnswers, ignore } from './open-answers.js';
import { isTaken } from './take-upgrade.js';

/** How long a listener may take until it does something with a socket. */
export interface UntakenLimits {
  /** In milliseconds. */
  readonly handshakeTimeout: number;
  readonly scheduler: SchedulerLike;
}

/**
 * Looks after a socket that is left to other 'upgrade' listeners: it gets an error listener, since Node has removed its own and they may
 * all pass it by. Calls `unwanted` if none of them has taken it when the time is up, or when the peer ends.
 *
 * Taken is a socket that was written to, ended, read, resumed or paused since, or is marked by a copy of sluice. One that was taken is
 * not touched again.
 */
export function watchUntaken(upgrade: UpgradeArguments, limits: UntakenLimits, unwanted: () => void): void {
  const [request, socket] = upgrade;
  const isUnread = readDetector(upgrade);
  // As Node does at the FIN of a client, whatever is not answered by then.
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

/** Returns how to ask whether nothing has begun to read the socket, or ended it, since. */
function readDetector([{ socket: transport }, socket]: UpgradeArguments): () => boolean {
  const readers = readersOf(socket);
  return () => {
    if (isTaken(socket) || socket.destroyed || socket.writableEnded || readersOf(socket) !== readers) return false;
    // The stream that newer versions of Node put around the socket of a request with a body resumes itself at its end.
    return socket.readableFlowing === null || (socket !== transport && socket.readableEnded);
  };
}

/** Returns how to ask whether nothing was written either. */
function writeDetector([{ socket }]: UpgradeArguments, isUnread: () => boolean): () => boolean {
  const { bytesWritten } = socket;
  return () => isUnread() && socket.bytesWritten === bytesWritten;
}

function readersOf(socket: UpgradeArguments[1]): number {
  return socket.listenerCount('data') + socket.listenerCount('readable');
}
