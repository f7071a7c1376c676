import type { SchedulerLike } from 'rxjs';
import type { Duplex, UpgradeArguments } from '../connection/incoming-message.js';
import { UsageError } from '../protocol/errors.js';
import { afterAnswersRead, ignore } from './open-answers.js';
import { SocketUpgrade } from './socket-upgrade.js';

/**
 * The symbol that marks a socket whose request sluice answers. It is registered, so that other copies of sluice in the process see
 * it: the ESM and the CommonJS build, and other versions.
 */
const takenSymbol: unique symbol = Symbol.for('sluice.taken') as never;

interface TakenSocket {
  [takenSymbol]?: true;
}

/** Marks `socket` as answered here, so that no other part of sluice answers it. */
export function markTaken(socket: Duplex): void {
  (socket as TakenSocket)[takenSymbol] = true;
}

/** Whether this or another copy of sluice answers the request on `socket`. */
export function isTaken(socket: Duplex): boolean {
  return (socket as TakenSocket)[takenSymbol] === true;
}

/**
 * Takes the socket of an 'upgrade' event, and calls `ready` with its request once the earlier requests on the connection are answered:
 * immediately, unless the peer pipelines. A socket that has been ended is left to the code that ended it.
 *
 * @returns undefined, or an error if the socket is left alone because it would get two answers.
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

/** @returns undefined if nothing answers the socket yet. */
function faultOf(socket: Duplex): UsageError | undefined {
  if (isTaken(socket)) return alreadyUpgraded('sluice already answers its request');
  return isRead(socket) ? alreadyUpgraded('another listener reads from it') : undefined;
}

/**
 * Whether another listener reads the socket, as every library does once it has answered. Node's 'upgrade' event passes a socket that is
 * neither flowing nor paused, so a socket that flows into a listener has been used since.
 */
function isRead(socket: Duplex): boolean {
  if (socket.listenerCount('readable') > 0) return true;
  return socket.readableFlowing === true && socket.listenerCount('data') > 0;
}

function alreadyUpgraded(why: string): UsageError {
  return new UsageError(
    'ALREADY_UPGRADED',
    `the socket is already upgraded: ${why}. It is left alone; pass each 'upgrade' event to one server only`,
  );
}
