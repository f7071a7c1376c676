import { ConnectionClosedError, isWebSocketError } from '../protocol/errors.js';

/** The end of a connection: see `CloseInfo`. */
interface Ending {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly initiator: 'local' | 'peer';
  readonly error?: Error;
}

/**
 * The error for an unexpected end of a connection. Undefined if the end was intended: the peer closed with 1000 or without a code, or
 * this end closed without a cause.
 */
export function closeErrorOf(ending: Ending): Error | undefined {
  const { code, initiator, error } = ending;
  if (isWebSocketError(error)) return error;
  // The end was intended, whatever happened to the transport after this end closed.
  const byUs = initiator === 'local' && (error === undefined || code === 1006);
  if (byUs || (error === undefined && (code === 1000 || code === 1005))) return undefined;
  return closedError(ending);
}

/**
 * The error for a write after the end, which was not sent. Like {@link closeErrorOf}, but also an error with the peer's code if the
 * peer closed normally. Undefined if this end closed.
 */
export function refusedError(info: Ending): Error | undefined {
  return closeErrorOf(info) ?? (info.initiator === 'local' ? undefined : closedError(info));
}

/** Makes an error of how a connection ended. */
export function closedError({ error, ...ending }: Ending): ConnectionClosedError {
  return new ConnectionClosedError({ ...ending, cause: error });
}

/** Adds to an error, if possible, how long its connection was open, in milliseconds. Also for errors of Node and of the application. */
export function withUptime(error: unknown, uptime: number): unknown {
  try {
    if (typeof error === 'object' && error !== null && Object.isExtensible(error)) Object.assign(error, { uptime });
  } catch {
    // It has its own uptime, or is a Proxy.
  }
  return error;
}
