import { randomUUID } from 'node:crypto';
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** Whether `path` names a file. The pipes of Windows and the abstract sockets of Linux disappear with their process. */
export function isSocketFile(path: string, platform: string = process.platform): boolean {
  return platform !== 'win32' && !path.startsWith('\0');
}

/**
 * Removes the Unix socket at `path` if nothing listens on it: a killed process leaves the file behind, which blocks the path forever.
 * A socket that something listens on, a socket in an unclear state, and a file that is not a socket are kept.
 *
 * The file is moved aside before it is removed, and probed again there. If two processes start at the same time,
 * neither removes the new socket of the other: that socket is put back.
 *
 * @param done called once with whether the path is free. It may be taken again by then.
 */
export function removeStaleSocket(path: string, done: (isFree: boolean) => void): void {
  if (!attempt(() => lstatSync(path).isSocket())) {
    done(false);
    return;
  }
  probe(path, (isDead) => {
    const aside = join(dirname(path), `.${randomUUID().slice(0, 8)}`);
    if (!isDead || !attempt(() => renameSync(path, aside))) done(false);
    else probe(aside, (isStillDead) => done(attempt(() => (isStillDead ? unlinkSync(aside) : putBack(aside, path)))));
  });
}

/** Moves the file back, but never over a new file at `path`. */
function putBack(aside: string, path: string): false {
  linkSync(aside, path);
  unlinkSync(aside);
  return false;
}

/** Calls `answer` with whether nothing listens on the socket at `path`. */
function probe(path: string, answer: (isDead: boolean) => void): void {
  const socket = connect(path);
  socket.once('connect', () => {
    socket.destroy();
    answer(false);
  });
  socket.once('error', ({ code }: NodeJS.ErrnoException) => answer(code === 'ECONNREFUSED'));
}

/** Returns whether `step` succeeded. It may fail because another process was faster, or for lack of permissions. */
function attempt(step: () => unknown): boolean {
  try {
    return step() !== false;
  } catch {
    return false;
  }
}
