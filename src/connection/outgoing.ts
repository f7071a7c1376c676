import type { ObservableInput } from 'rxjs';
import { describe, tagOf } from '../base/describe.js';
import { describeThrown } from '../base/thrown.js';
import { isUsageError, UsageError } from '../protocol/errors.js';
import { outgoingSymbol as brand } from './shared-message.js';

/** Data of a message: a string is sent as text, all else as binary. */
export type Payload = string | ArrayBuffer | ArrayBufferView | Blob;

/** What a connection sends. An Observable is not sendable: flatten it, or say `fragments(...)`. */
export type Outgoing = Payload | OutgoingMessage;

/** A part of a fragmented message. */
export type Fragment = string | ArrayBuffer | ArrayBufferView;

/** Options of one message. */
export interface MessageOptions {
  /** Sends it as binary (`true`) or as text (`false`: bytes must be UTF-8). @default by the type of the data */
  readonly binary?: boolean;
  /**
   * `false` sends it uncompressed, `true` compresses it though it is short; both without asking `perMessageDeflate.compress`.
   * A message that is made once and sent to many connections is compressed once for all that keep no context: its data must not
   * change meanwhile. @default by `perMessageDeflate`
   */
  readonly compress?: boolean;
}

/** Options of a message in parts. */
export interface FragmentsOptions extends MessageOptions {
  /** The longest wait for the next part in milliseconds; then the connection closes with 1011. @default none */
  readonly timeout?: number;
}

/** A message with options; made by {@link message} or {@link fragments}. */
export interface OutgoingMessage extends MessageOptions {
  /** Which of the two made it. Nothing for applications. */
  readonly [brand]: 'message' | 'fragments';
}

/** @internal */
export interface WholeMessage extends OutgoingMessage {
  readonly [brand]: 'message';
  readonly data: Payload;
}

/** @internal */
export interface FragmentedMessage extends OutgoingMessage, FragmentsOptions {
  readonly [brand]: 'fragments';
  readonly chunks: ObservableInput<Fragment>;
}

/**
 * A message with options, for `send`.
 *
 * @example conn.send.next(message(buffer, { binary: false }));
 */
export function message(data: Payload, options: MessageOptions = {}): OutgoingMessage {
  checkFlags(options);
  return { [brand]: 'message', data, ...options } as WholeMessage;
}

/**
 * One message whose parts come from `chunks`, sent as a fragmented message (RFC 6455 §5.4). `chunks` is subscribed to when its turn
 * comes, and unsubscribed when the connection closes; messages that are sent meanwhile wait until it is complete. Iterables are pulled
 * only while the peer reads. An error of `chunks`, or a part of another type than the first one, closes the connection with 1011:
 * a message that was begun cannot be withdrawn.
 *
 * @throws TypeError when `chunks` is a string (its characters would be the parts) or nothing that can be subscribed to.
 * @example conn.send.next(fragments(createReadStream('video.mp4')));
 */
export function fragments(chunks: ObservableInput<Fragment>, options: FragmentsOptions = {}): OutgoingMessage {
  checkFlags(options);
  if (typeof chunks !== 'object' && typeof chunks !== 'function') {
    throw new TypeError(
      `chunks must be an Observable, iterable, async iterable or Promise of parts, got ${describe(chunks)}`,
    );
  }
  const { timeout } = options;
  if (timeout !== undefined && !(timeout > 0 && timeout < 2 ** 31)) {
    throw new RangeError(`timeout must be milliseconds above 0 and below 2^31, got ${describe(timeout)}`);
  }
  return { [brand]: 'fragments', chunks, ...options } as FragmentedMessage;
}

function checkFlags({ binary, compress }: MessageOptions): void {
  for (const [name, value] of Object.entries({ binary, compress })) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`${name} must be true or false, got ${describe(value)}`);
    }
  }
}

/** The options of data that is sent without {@link message}. @internal */
export const NO_OPTIONS: MessageOptions = Object.freeze({});

/** What a message can be, for messages of errors. */
const MESSAGES = 'a string, ArrayBuffer, ArrayBufferView, Blob, message(...) or fragments(...)';

/** What a part of a message can be, for messages of errors. @internal */
export const PARTS = 'a string, ArrayBuffer or ArrayBufferView';

/**
 * Bytes of a value without copying them.
 *
 * @param allowed what could be sent instead, for the message of the error.
 * @throws UsageError UNSUPPORTED_DATA
 * @internal
 */
export function toBytes(data: unknown, allowed: string = MESSAGES): Uint8Array {
  if (data instanceof Uint8Array && data.byteLength > 0 && !isShared(data.buffer)) return data;
  if (ArrayBuffer.isView(data)) {
    if (isShared(data.buffer)) throw unsupported(`${describe(data)} of a SharedArrayBuffer`, allowed);
    requireAttached(data.buffer as ArrayBuffer, allowed);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (tagOf(data) === 'ArrayBuffer') {
    requireAttached(data as ArrayBuffer, allowed);
    return new Uint8Array(data as ArrayBuffer);
  }
  throw unsupported(describe(data), allowed);
}

/** Whether `data` is a Blob, whichever realm it comes from. @internal */
export function isBlob(data: unknown): data is Blob {
  const tag = tagOf(data);
  return tag === 'Blob' || tag === 'File';
}

/**
 * What a connection says of a value that could not be sent, or not to its end: a `UsageError` as it is; anything else was thrown by the
 * value itself when it was looked at, as by the trap of a Proxy.
 *
 * @internal
 */
export function unsendable(thrown: unknown): UsageError {
  if (isUsageError(thrown)) return thrown;
  const message = `cannot send a value that throws when it is read: ${describeThrown(thrown)}`;
  return new UsageError('UNSUPPORTED_DATA', message, { cause: thrown });
}

function requireAttached(buffer: ArrayBuffer, allowed: string): void {
  if (buffer.byteLength > 0) return;
  try {
    new Uint8Array(buffer);
  } catch {
    throw unsupported('a detached ArrayBuffer', allowed);
  }
}

function unsupported(found: string, allowed: string): UsageError {
  return new UsageError('UNSUPPORTED_DATA', `cannot send ${found}, allowed is ${allowed}`);
}

/** Asked of every binary message: an ArrayBuffer of this realm needs no closer look. */
function isShared(buffer: ArrayBufferLike): boolean {
  return !(buffer instanceof ArrayBuffer) && tagOf(buffer) === 'SharedArrayBuffer';
}
