import { randomUUID } from 'node:crypto';
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** Whether `path` names a file: the pipes of Windows and the abstract sockets of Linux are gone with their process. */
export function isSocketFile(path: string, platform: string = process.platform): boolean {
  return platform !== 'win32' && !path.startsWith('\0');
}

/**
 * Removes the Unix socket at `path` if nothing listens on it: a process that was killed leaves the file, and with it the path is taken
 * for ever. Everything else stays: a socket on which something listens, or whose answer is not clear, and a file that is no socket.
 *
 * The file is moved aside before it is removed, and asked once more there. So of two processes that start at the same time
 * neither removes the new socket of the other: it gets it back.
 *
 * @param done told once whether the path is free. It may be taken again by then.
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

/** Never over what has come to the path meanwhile. */
function putBack(aside: string, path: string): false {
  linkSync(aside, path);
  unlinkSync(aside);
  return false;
}

/** Whether nothing listens on the socket at `path`. */
function probe(path: string, answer: (isDead: boolean) => void): void {
  const socket = connect(path);
  socket.once('connect', () => {
    socket.destroy();
    answer(false);
  });
  socket.once('error', ({ code }: NodeJS.ErrnoException) => answer(code === 'ECONNREFUSED'));
}

/** Whether `step` succeeded. It may fail because another process was faster, or for lack of rights. */
function attempt(step: () => unknown): boolean {
  try {
    return step() !== false;
  } catch {
    return false;
  }
}
