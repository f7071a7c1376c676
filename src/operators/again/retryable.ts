import { propertyOf } from '../../base/thrown.js';
import { type ConnectionClosedError, type HandshakeError, isWebSocketError } from '../../protocol/errors.js';

/** Codes of Node's errors for servers that could not be reached, or cannot be reached any more. */
const NETWORK_CODES: ReadonlySet<unknown> = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  // A Unix domain socket without a server.
  'ENOENT',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** RFC 6455 §7.4.1, and the registry: going away, lost, internal error, service restart, try again later, bad gateway. */
const PASSING_CLOSE_CODES: ReadonlySet<unknown> = new Set([1001, 1006, 1011, 1012, 1013, 1014]);

/**
 * Returns whether a failed connection may succeed if it is tried again: the network failed, the server was not reached in time or fell
 * silent, it answered with 408, 429 or 5xx, it closed with 1001, 1006 or 1011 to 1014, or this side failed to process what it sent
 * (`InternalError`). `false` for all other errors, including the application's own.
 */
export function isRetryable(error: unknown): boolean {
  if (!isWebSocketError(error)) return NETWORK_CODES.has(propertyOf(error, 'code'));
  switch (error.name) {
    case 'HandshakeError':
      return isPassingRefusal(error as HandshakeError);
    case 'ConnectionClosedError':
      return PASSING_CLOSE_CODES.has((error as ConnectionClosedError).code);
    case 'InternalError':
      return true;
    default:
      return error.code === 'HEARTBEAT_TIMEOUT';
  }
}

function isPassingRefusal({ code, status }: HandshakeError): boolean {
  if (code === 'HANDSHAKE_TIMEOUT') return true;
  return code === 'UNEXPECTED_STATUS' && (status === 408 || status === 429 || (status >= 500 && status <= 599));
}
