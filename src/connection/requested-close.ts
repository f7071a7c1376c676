import { isError, propertyOf } from '../base/thrown.js';
import { isSendableCloseCode } from '../protocol/message/close-code.js';
import { truncateReason } from '../protocol/message/close-reason.js';

/** What a Close frame is to say. */
export interface RequestedClose {
  readonly code: number;
  readonly reason: string;
}

/**
 * How `thrown` asks a connection to be closed: with its `code` and `reason`, or with its `closeCode` and `reason`, as a `CloseEvent`, a
 * `WebSocketError` of the web and an object made by hand have them. Without a reason a `closeCode` goes with the message, as a
 * `ProtocolError` has it. `undefined` if it has no code that an application may send: the code 20 of an AbortError is none.
 */
export function requestedClose(thrown: unknown): RequestedClose | undefined {
  const code = propertyOf(thrown, 'code');
  if (isSendable(code)) return { code, reason: reasonOf(thrown, 'reason') };
  const closeCode = propertyOf(thrown, 'closeCode');
  if (!isSendable(closeCode)) return undefined;
  const hasReason = typeof propertyOf(thrown, 'reason') === 'string';
  return { code: closeCode, reason: reasonOf(thrown, hasReason ? 'reason' : 'message') };
}

/** The text under `key`, as far as a Close frame carries it. */
export function reasonOf(thrown: unknown, key: 'reason' | 'message'): string {
  const reason = propertyOf(thrown, key);
  return typeof reason === 'string' ? truncateReason(reason) : '';
}

/** What {@link leave} closes. */
interface Leavable {
  close(): void;
  readonly send: { error(error: unknown): void };
}

/**
 * Closes for somebody who leaves a stream of `conn`: with what `thrown` asks for, with 1000 if it is nothing or says only that, and
 * otherwise with `code`.
 */
export function leave(conn: Leavable, thrown: unknown, code: 1000 | 1011): void {
  const cause = causeOfLeaving(thrown);
  const hasRequest = requestedClose(cause) !== undefined;
  if (hasRequest || (code === 1011 && cause !== null && !isAbort(cause))) conn.send.error(cause);
  else conn.close();
}

/**
 * What a stream was left for. Streams of Node wrap what an AbortSignal was aborted with in an error of their own, as its `cause`: that
 * counts if it is an Error or asks for a close code.
 */
function causeOfLeaving(thrown: unknown): unknown {
  if (!isAbort(thrown)) return thrown;
  const cause = propertyOf(thrown, 'cause');
  return isError(cause) || requestedClose(cause) !== undefined ? cause : thrown;
}

/** Whether `thrown` says no more than that somebody has left: the AbortError of Node and of the web. */
function isAbort(thrown: unknown): boolean {
  return propertyOf(thrown, 'name') === 'AbortError';
}

function isSendable(code: unknown): code is number {
  return typeof code === 'number' && isSendableCloseCode(code);
}
