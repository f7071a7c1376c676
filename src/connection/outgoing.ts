import type { ObservableInput } from 'rxjs';
import { describe, tagOf } from '../base/describe.js';
import { isObservableLike, isThenable } from '../base/hook-answer.js';
import { complain, originOf } from '../base/mistake.js';
import { describeThrown, propertyOf } from '../base/thrown.js';
import { isUsageError, UsageError } from '../protocol/errors.js';
import { outgoingSymbol as brand } from './shared-message.js';

/** The data of a message: a string is sent as text, anything else as binary. */
export type Payload = string | ArrayBuffer | ArrayBufferView | Blob;

/** A value that a connection can send. An Observable cannot be sent: flatten it, or use `fragments(...)`. */
export type Outgoing = Payload | OutgoingMessage;

/** A part of a fragmented message. */
export type Fragment = string | ArrayBuffer | ArrayBufferView;

/** Options of one message. */
export interface MessageOptions {
  /** Sends the message as binary (`true`) or as text (`false`: bytes must be UTF-8). @default by the type of the data */
  readonly binary?: boolean;
  /**
   * `false` sends the message uncompressed, `true` compresses it even if it is short; neither calls `perMessageDeflate.compress`.
   * A message object that is sent to many connections is compressed once for all those without context takeover: its data must
   * not change in the meantime. @default by `perMessageDeflate`
   */
  readonly compress?: boolean;
}

/** Options of a message in parts. */
export interface FragmentsOptions extends MessageOptions {
  /** The longest wait for the next part, in milliseconds. After it the connection closes with 1011. @default none */
  readonly timeout?: number;
}

/** A message with options, made by {@link message} or {@link fragments}. */
export interface OutgoingMessage extends MessageOptions {
  /** Which of the two functions made it. Not for applications. */
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
 * Makes a message with options, for `send`.
 *
 * @example conn.send.next(message(buffer, { binary: false }));
 */
export function message(data: Payload, options: MessageOptions = {}): OutgoingMessage {
  checkFlags(options);
  return { [brand]: 'message', data, ...options } as WholeMessage;
}

/**
 * Makes one message from the parts in `chunks`, sent as a fragmented message (RFC 6455 §5.4). `chunks` is subscribed to when the
 * message's turn comes, and unsubscribed when the connection closes; messages sent later wait until it is complete. Iterables are
 * pulled only while the peer reads. If `chunks` errors, or a part has a different type than the first one, the connection closes
 * with 1011, because a message cannot be withdrawn once it has begun.
 *
 * @throws TypeError if `chunks` is a string (its characters would be the parts) or cannot be subscribed to.
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

/** The values that a message can be, for error messages. */
const MESSAGES = 'a string, ArrayBuffer, ArrayBufferView, Blob, message(...) or fragments(...)';

/** The values that a part of a message can be, for error messages. @internal */
export const PARTS = 'a string, ArrayBuffer or ArrayBufferView';

/**
 * Returns the bytes of a value without copying them.
 *
 * @param allowed what could be sent instead, for the error message.
 * @throws UsageError UNSUPPORTED_DATA
 * @internal
 */
export function toBytes(data: unknown, allowed: string = MESSAGES): Uint8Array {
  if (data instanceof Uint8Array && data.byteLength > 0 && !isShared(data.buffer)) return data;
  if (ArrayBuffer.isView(data)) {
    if (isShared(data.buffer)) throw unsupported(`${describe(data)} of a SharedArrayBuffer`, `send ${allowed}`);
    requireAttached(data.buffer as ArrayBuffer, allowed);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (tagOf(data) === 'ArrayBuffer') {
    requireAttached(data as ArrayBuffer, allowed);
    return new Uint8Array(data as ArrayBuffer);
  }
  throw unsupported(nameOf(data), adviceFor(data, allowed));
}

/** Whether `data` is a Blob, from any realm. @internal */
export function isBlob(data: unknown): data is Blob {
  const tag = tagOf(data);
  return tag === 'Blob' || tag === 'File';
}

/**
 * The error for a value that could not be sent, or not to its end. A `UsageError` is returned as it is; anything else was thrown by
 * the value itself when it was read, for example by the trap of a Proxy.
 *
 * @internal
 */
export function unsendable(thrown: unknown): UsageError {
  if (isUsageError(thrown)) return thrown;
  const message = `cannot send a value that throws when it is read: ${describeThrown(thrown)}`;
  return new UsageError('UNSUPPORTED_DATA', message, { cause: thrown });
}

/**
 * Warns the developer that a value cannot be sent.
 *
 * @param place the object for which each mistake is reported once. @default the process
 * @internal
 */
export function complainOfValue(place: object | undefined, error: unknown): void {
  const key = isUsageError(error) ? error.code : originOf(error);
  const message = `${describeThrown(error)}; the connection was closed with 1011`;
  complain(place, { kind: 'send', key, message });
}

function requireAttached(buffer: ArrayBuffer, allowed: string): void {
  if (buffer.byteLength > 0) return;
  try {
    new Uint8Array(buffer);
  } catch {
    throw unsupported('a detached ArrayBuffer', `send ${allowed}`);
  }
}

function unsupported(found: string, advice: string): UsageError {
  return new UsageError('UNSUPPORTED_DATA', `cannot send ${found}: ${advice}`);
}

/** Describes `data`, which is not bytes. */
function nameOf(data: unknown): string {
  if (isObservableLike(data)) return 'an Observable';
  if (isThenable(data)) return 'a Promise';
  return isOutgoing(data) ? 'message(...) or fragments(...) within another' : describe(data);
}

/** What to send instead of `data`. */
function adviceFor(data: unknown, allowed: string): string {
  if (allowed === PARTS) return `send ${allowed} as a part of a message`;
  if (isObservableLike(data))
    return 'flatten it, for example with mergeMap, or send it as one message with fragments(...)';
  if (isThenable(data)) return 'await it, or flatten it, for example with concatMap';
  const isPlain = !isOutgoing(data) && ['Object', 'Array'].includes(tagOf(data));
  return isPlain ? 'send a string or bytes, or use withCodec(json())' : `send ${allowed}`;
}

function isOutgoing(data: unknown): boolean {
  return propertyOf(data, brand) !== undefined;
}

/** Runs for every binary message: an ArrayBuffer of this realm needs no closer look. */
function isShared(buffer: ArrayBufferLike): boolean {
  return !(buffer instanceof ArrayBuffer) && tagOf(buffer) === 'SharedArrayBuffer';
}
