/**
 * The errors of sluice. The class tells whose fault it was, the literal `code` names the cause and never changes, and the message
 * tells what was expected and what was found. Every `code` is listed in docs/reference/errors.md.
 */
import { inOneLine } from '../base/excerpt.js';
import { propertyOf } from '../base/thrown.js';

/** The base class of all errors of sluice. `instanceof` fails across the ESM and CommonJS builds: use {@link isWebSocketError}. */
export class WebSocketError extends Error {
  /** The name of the class. */
  override readonly name: string = 'WebSocketError';
  /** The cause, as a stable literal. On a {@link ConnectionClosedError} it is the close code. */
  readonly code: string | number;
  /** How long the connection was open, in milliseconds; 0 if it never opened. Set on every error of `connect()`. */
  uptime?: number;

  constructor(code: string | number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Marks the errors of every build of sluice. @internal */
  get [Symbol.for('sluice.error')](): true {
    return true;
  }
}

/** The peer broke the protocol. The connection is failed with `closeCode` (RFC 6455 §7.1.7). */
export class ProtocolError extends WebSocketError {
  override readonly name = 'ProtocolError';
  declare readonly code: ProtocolErrorCode;
  /** The close code sent to the peer: 1002, 1007, 1008 or 1009. RFC 6455 §7.4.1. */
  readonly closeCode: number;

  constructor(code: ProtocolErrorCode, closeCode: number, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.closeCode = closeCode;
  }
}

/**
 * Reading what the peer sent failed, and neither the peer nor the caller is to blame: memory ran out, or sluice or Node.js has a
 * bug. Only this connection is failed, with 1011. `cause` is the value that was thrown.
 */
export class InternalError extends WebSocketError {
  override readonly name = 'InternalError';
  declare readonly code: 'INTERNAL_ERROR';
  /** The close code sent to the peer. RFC 6455 §7.4.1. */
  readonly closeCode = 1011;

  constructor(cause: unknown) {
    // The message is sent to the peer, which must not learn details.
    super('INTERNAL_ERROR', 'internal error', { cause });
  }
}

/** The cause of a {@link ProtocolError}. MESSAGE_INVALID comes from codecs, all others from the protocol. */
export type ProtocolErrorCode =
  | 'RESERVED_BIT'
  | 'RESERVED_OPCODE'
  | 'LENGTH_NOT_MINIMAL'
  | 'LENGTH_TOO_LARGE'
  | 'MASK_REQUIRED'
  | 'MASK_FORBIDDEN'
  | 'CONTROL_FRAGMENTED'
  | 'CONTROL_TOO_LONG'
  | 'CONTINUATION_UNEXPECTED'
  | 'CONTINUATION_EXPECTED'
  | 'CLOSE_PAYLOAD_TOO_SHORT'
  | 'CLOSE_CODE_INVALID'
  | 'UTF8_INVALID'
  | 'COMPRESSION_INVALID'
  | 'TOO_MANY_STREAMS'
  | 'MESSAGE_TOO_LONG'
  | 'TOO_MANY_FRAGMENTS'
  | 'MESSAGE_TOO_SLOW'
  | 'MESSAGE_INVALID';

/** The opening handshake of a client failed. RFC 6455 §4.1. */
export class HandshakeError extends WebSocketError {
  override readonly name = 'HandshakeError';
  declare readonly code: HandshakeErrorCode;
  /** The HTTP status of the response; 0 if there was none. */
  readonly status: number;
  /** The header fields of the response, with lower-case names; empty if there was none. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first 64 KiB of the response body, decoded as UTF-8. */
  readonly body: string;
  readonly #bodyBytes: Uint8Array;

  constructor(
    code: HandshakeErrorCode,
    message: string,
    answer: { status?: number; headers?: HandshakeError['headers']; body?: string | Uint8Array; cause?: unknown } = {},
  ) {
    super(code, message, answer.cause === undefined ? undefined : { cause: answer.cause });
    const { status = 0, headers = {}, body = '' } = answer;
    this.status = status;
    this.headers = headers;
    this.body = typeof body === 'string' ? body : new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
    this.#bodyBytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  }

  /** The bytes of `body`, for responses that are not UTF-8; empty if there was no body. Not printed on a console. */
  get bodyBytes(): Uint8Array {
    return this.#bodyBytes;
  }
}

/** The cause of a {@link HandshakeError}. */
export type HandshakeErrorCode =
  | 'UNEXPECTED_STATUS'
  | 'UPGRADE_INVALID'
  | 'ACCEPT_INVALID'
  | 'PROTOCOL_INVALID'
  | 'EXTENSION_INVALID'
  | 'RESPONSE_INVALID'
  | 'RESPONSE_REFUSED'
  | 'REDIRECT_INVALID'
  | 'TOO_MANY_REDIRECTS'
  | 'HANDSHAKE_TIMEOUT'
  | 'TARGET_INVALID';

/** The connection ended unexpectedly: the peer closed with an unexpected code, or there was no close frame (1006). */
export class ConnectionClosedError extends WebSocketError {
  override readonly name = 'ConnectionClosedError';
  /** The close code; 1006 if there was no close frame. RFC 6455 §7.4. */
  declare readonly code: number;
  /** The reason sent with the code, at most 123 bytes of UTF-8. */
  readonly reason: string;
  /** Whether the closing handshake completed. RFC 6455 §7.1.4. */
  readonly wasClean: boolean;

  /** @param info how the connection ended, as `close$` emits it. */
  constructor(info: {
    code: number;
    reason: string;
    wasClean: boolean;
    initiator?: 'local' | 'peer';
    cause?: unknown;
  }) {
    const because = info.reason === '' ? '' : `: ${inOneLine(info.reason)}`;
    super(info.code, `${endingOf(info)}${because}`, info.cause === undefined ? undefined : { cause: info.cause });
    this.reason = info.reason;
    this.wasClean = info.wasClean;
  }
}

function endingOf({ code, initiator }: { code: number; initiator?: 'local' | 'peer' }): string {
  if (code !== 1006) return `closed with ${code}`;
  return initiator === 'local'
    ? 'ended by this side, without a close frame of the peer'
    : 'connection lost without a close frame';
}

/** The peer does not read what we send: a buffer reached its limit. */
export class BackpressureError extends WebSocketError {
  override readonly name = 'BackpressureError';
  declare readonly code: 'BUFFER_FULL';
  /** The option that set the limit. */
  readonly limit: string;
  /** The limit, in bytes. */
  readonly configured: number;
  /** How much would have been buffered, in bytes. */
  readonly observed: number;

  constructor(limit: string, configured: number, observed: number) {
    super('BUFFER_FULL', `the peer does not read: ${observed} bytes would be buffered, ${limit} allows ${configured}`);
    this.limit = limit;
    this.configured = configured;
    this.observed = observed;
  }
}

/** The caller used sluice wrongly: a value that cannot be sent, a source that cannot be held. */
export class UsageError extends WebSocketError {
  override readonly name = 'UsageError';
  declare readonly code: UsageErrorCode;

  constructor(code: UsageErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The cause of a {@link UsageError}. */
export type UsageErrorCode =
  | 'UNSUPPORTED_DATA'
  | 'NOT_HOLDABLE'
  | 'NOT_INTERCEPTABLE'
  | 'ASK_BLOCKED'
  | 'ASK_DROPPED'
  | 'FRAGMENTS_FAILED'
  | 'FRAGMENT_TYPE'
  | 'FRAGMENTS_TIMEOUT'
  | 'BLOB_FAILED'
  | 'COMPRESS_FAILED'
  | 'UTF8_INVALID'
  | 'ENCODE_FAILED'
  | 'ASYNC_SCHEMA'
  | 'ALREADY_UPGRADED'
  | 'NULL_MESSAGE'
  | 'NOT_A_PAIR';

/** A value does not match its schema: the `cause` of a {@link ProtocolError} MESSAGE_INVALID or a {@link UsageError} ENCODE_FAILED. */
export class SchemaError extends WebSocketError {
  override readonly name = 'SchemaError';
  declare readonly code: 'SCHEMA_MISMATCH';
  /** All problems, each with its path of keys, the outermost first. */
  readonly issues: readonly {
    /** The problem. */
    readonly message: string;
    /** The path of keys to the invalid value. */
    readonly path: readonly PropertyKey[];
  }[];

  constructor(issues: SchemaError['issues']) {
    const shown = issues.slice(0, 3).map(({ message, path }) => {
      const where = path.map(String).join('.');
      return where === '' ? cut(message) : `${cut(where)}: ${cut(message)}`;
    });
    if (issues.length > shown.length) shown.push(`${issues.length - shown.length} more`);
    super('SCHEMA_MISMATCH', shown.join(', '));
    this.issues = issues;
  }
}

/** Shortens a validator's text, which may quote long or arbitrary input. */
function cut(text: string): string {
  return inOneLine(text.length <= 100 ? text : `${text.slice(0, 100)}...`);
}

/** Whether `error` is a `UsageError` of any build of sluice. @internal */
export function isUsageError(error: unknown): error is UsageError {
  return isWebSocketError(error) && propertyOf(error, 'name') === 'UsageError';
}

/** Whether `error` comes from sluice, from any of its builds. */
export function isWebSocketError(error: unknown): error is WebSocketError {
  return typeof error === 'object' && propertyOf(error, Symbol.for('sluice.error')) === true;
}
