import { isError, propertyOf } from '../base/thrown.js';
import { isSendableCloseCode } from '../protocol/message/close-code.js';
import { truncateReason } from '../protocol/message/close-reason.js';

/** The code and reason for a Close frame. */
export interface RequestedClose {
  readonly code: number;
  readonly reason: string;
}

/**
 * The code and reason with which `thrown` asks to close a connection: its `code` and `reason`, or its `closeCode` and `reason`, as in a
 * `CloseEvent`, a browser's `WebSocketError` or a plain object. A `closeCode` without a `reason` is sent with the message, as for a
 * `ProtocolError`. Undefined if `thrown` has no code that an application may send: the code 20 of an AbortError is not one.
 */
export function requestedClose(thrown: unknown): RequestedClose | undefined {
  const code = propertyOf(thrown, 'code');
  if (isSendable(code)) return { code, reason: reasonOf(thrown, 'reason') };
  const closeCode = propertyOf(thrown, 'closeCode');
  if (!isSendable(closeCode)) return undefined;
  const hasReason = typeof propertyOf(thrown, 'reason') === 'string';
  return { code: closeCode, reason: reasonOf(thrown, hasReason ? 'reason' : 'message') };
}

/** The text under `key`, truncated to fit into a Close frame. */
export function reasonOf(thrown: unknown, key: 'reason' | 'message'): string {
  const reason = propertyOf(thrown, key);
  return typeof reason === 'string' ? truncateReason(reason) : '';
}

/** A connection that {@link leave} closes. */
interface Leavable {
  close(): void;
  readonly send: { error(error: unknown): void };
}

/**
 * Closes `conn` when a stream over it is abandoned: with the code that `thrown` asks for, with 1000 if it is null or only an
 * abort, and otherwise with `code`.
 */
export function leave(conn: Leavable, thrown: unknown, code: 1000 | 1011): void {
  const cause = causeOfLeaving(thrown);
  const hasRequest = requestedClose(cause) !== undefined;
  if (hasRequest || (code === 1011 && cause !== null && !isAbort(cause))) conn.send.error(cause);
  else conn.close();
}

/**
 * The reason why a stream was abandoned. Node's streams wrap the reason of an AbortSignal in their own error, as its `cause`: the cause
 * is used if it is an Error or asks for a close code.
 */
function causeOfLeaving(thrown: unknown): unknown {
  if (!isAbort(thrown)) return thrown;
  const cause = propertyOf(thrown, 'cause');
  return isError(cause) || requestedClose(cause) !== undefined ? cause : thrown;
}

/** Whether `thrown` is an AbortError of Node or of the browser, which gives no reason. */
function isAbort(thrown: unknown): boolean {
  return propertyOf(thrown, 'name') === 'AbortError';
}

function isSendable(code: unknown): code is number {
  return typeof code === 'number' && isSendableCloseCode(code);
}
