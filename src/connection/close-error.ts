import { ConnectionClosedError, isWebSocketError } from '../protocol/errors.js';

/** How a connection ended: see `CloseInfo`. */
interface Ending {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly initiator: 'local' | 'peer';
  readonly error?: Error;
}

/**
 * The error that an end is for those who wanted more; nothing when it was wanted: when the peer closed with 1000 or without a code, and
 * when we closed without a cause.
 */
export function closeErrorOf(ending: Ending): Error | undefined {
  const { code, initiator, error } = ending;
  if (isWebSocketError(error)) return error;
  // Whatever becomes of the transport once we have closed: the end was wanted.
  const byUs = initiator === 'local' && (error === undefined || code === 1006);
  if (byUs || (error === undefined && (code === 1000 || code === 1005))) return undefined;
  return closedError(ending);
}

/**
 * The error of a write that came too late, which was not sent: as {@link closeErrorOf}, and with the code of the peer also if it closed
 * normally. Nothing if we have closed.
 */
export function refusedError(info: Ending): Error | undefined {
  return closeErrorOf(info) ?? (info.initiator === 'local' ? undefined : closedError(info));
}

/** How a connection ended, as an error. */
export function closedError({ error, ...ending }: Ending): ConnectionClosedError {
  return new ConnectionClosedError({ ...ending, cause: error });
}

/** Notes on an error how long its connection was open, in milliseconds, if the error takes it. Errors of Node and of the application too. */
export function withUptime(error: unknown, uptime: number): unknown {
  try {
    if (typeof error === 'object' && error !== null && Object.isExtensible(error)) Object.assign(error, { uptime });
  } catch {
    // It has an uptime of its own, or is a Proxy.
  }
  return error;
}
