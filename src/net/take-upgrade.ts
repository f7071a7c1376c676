import type { SchedulerLike } from 'rxjs';
import type { Duplex, UpgradeArguments } from '../connection/incoming-message.js';
import { UsageError } from '../protocol/errors.js';
import { afterAnswersRead, ignore } from './open-answers.js';
import { SocketUpgrade } from './socket-upgrade.js';

/**
 * Under this symbol a socket says that sluice answers its request. It is registered, so that other copies of sluice in the process see
 * it: the ESM and the CommonJS build, and other versions.
 */
const takenSymbol: unique symbol = Symbol.for('sluice.taken') as never;

interface TakenSocket {
  [takenSymbol]?: true;
}

/** Says that `socket` is answered here, and by nothing else of sluice. */
export function markTaken(socket: Duplex): void {
  (socket as TakenSocket)[takenSymbol] = true;
}

/** Whether this or another copy of sluice answers the request on `socket`. */
export function isTaken(socket: Duplex): boolean {
  return (socket as TakenSocket)[takenSymbol] === true;
}

/**
 * Takes the socket of an 'upgrade' event, and calls `ready` with its request once the earlier requests on the connection are answered: at
 * once, unless the peer pipelines. A socket that has been ended is left to whatever ended it.
 *
 * @returns undefined, or why the socket is left alone: there would be two answers on it.
 */
export function takeUpgrade(
  upgrade: UpgradeArguments,
  scheduler: SchedulerLike,
  ready: (upgrade: SocketUpgrade) => void,
): UsageError | undefined {
  const [request, socket] = upgrade;
  const fault = faultOf(socket);
  if (fault !== undefined) return fault;
  markTaken(socket);
  afterAnswersRead(upgrade, (head) => {
    if (socket.writableEnded) socket.on('error', ignore);
    else ready(new SocketUpgrade(request, socket, head, scheduler));
  });
  return undefined;
}

/** @returns undefined for a socket that nothing answers yet. */
function faultOf(socket: Duplex): UsageError | undefined {
  if (isTaken(socket)) return alreadyUpgraded('sluice answers the request on it already');
  return isRead(socket) ? alreadyUpgraded('another listener reads it') : undefined;
}

/**
 * Whether something reads it, as every library does once it has answered. Node's 'upgrade' event hands out a socket that is neither
 * flowing nor paused, so one that flows into a listener was put to use since.
 */
function isRead(socket: Duplex): boolean {
  if (socket.listenerCount('readable') > 0) return true;
  return socket.readableFlowing === true && socket.listenerCount('data') > 0;
}

function alreadyUpgraded(why: string): UsageError {
  return new UsageError(
    'ALREADY_UPGRADED',
    `found a socket that is upgraded already: ${why}. It is left alone; pass each 'upgrade' event on to one server only`,
  );
}
