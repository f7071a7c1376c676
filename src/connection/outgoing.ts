import type { ObservableInput } from 'rxjs';
import { describeThrown } from '../base/thrown.js';
import { SharedFrames } from '../channel/out/shared-frames.js';
import { isUsageError, UsageError } from '../protocol/errors.js';
import { headerLength } from '../protocol/frame/frame-header.js';
import { Opcode } from '../protocol/frame/opcode.js';
import { Utf8Validator } from '../protocol/frame/utf8.js';
import { outgoingSymbol as brand, type SharedMessage } from './shared-message.js';

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
 * comes, and unsubscribed when the connection closes; messages that are sent meanwhile wait behind it. Iterables are pulled
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
      `chunks is ${describe(chunks)}, allowed are Observables, iterables, async iterables and promises of parts`,
    );
  }
  const { timeout } = options;
  if (timeout !== undefined && !(timeout > 0 && timeout < 2 ** 31)) {
    throw new RangeError(`timeout is ${describe(timeout)}, allowed are milliseconds above 0 and below 2^31`);
  }
  return { [brand]: 'fragments', chunks, ...options } as FragmentedMessage;
}

function checkFlags({ binary, compress }: MessageOptions): void {
  for (const [name, value] of Object.entries({ binary, compress })) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`${name} is ${describe(value)}, allowed are true and false`);
    }
  }
}

/** The options of data that is sent without {@link message}. @internal */
export const NO_OPTIONS: MessageOptions = Object.freeze({});

/** A message with a payload that is at hand. */
interface Ready {
  readonly options: MessageOptions;
  /** Its frames, where it goes to several connections. */
  readonly shared: SharedFrames | undefined;
}

/** What an outgoing value is. @internal */
export type Classified =
  | ({ readonly kind: 'text'; readonly text: string } & Ready)
  | ({ readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly binary: boolean } & Ready)
  | { readonly kind: 'blob'; readonly blob: Blob; readonly binary: boolean; readonly options: MessageOptions }
  | { readonly kind: 'fragments'; readonly message: FragmentedMessage };

/**
 * Tells what `value` is.
 *
 * @throws UsageError UNSUPPORTED_DATA for anything that cannot be sent, UTF8_INVALID for bytes that are to be text and are not.
 * @internal
 */
export function classify(value: unknown): Classified {
  // First, because most of what comes here is bytes: to ask them for a brand and a tag costs 0.25 us, as much as their frame.
  if (value instanceof Uint8Array) return classifyPayload(value);
  if (typeof value === 'object' && value !== null && brand in value) {
    const outgoing = value as WholeMessage | FragmentedMessage | SharedMessage<unknown, Classified>;
    if (outgoing[brand] === 'shared') {
      outgoing.item ??= share(classify(outgoing.value));
      return outgoing.item;
    }
    return outgoing[brand] === 'fragments'
      ? { kind: 'fragments', message: outgoing }
      : classifyPayload(outgoing.data, outgoing);
  }
  return classifyPayload(value);
}

/** The frames of a message that goes to several connections, once one of them has looked at it. @internal */
export function sharedFramesOf({ item }: SharedMessage): SharedFrames | undefined {
  return (item as Partial<Ready> | undefined)?.shared;
}

function share(item: Classified): Classified {
  return item.kind === 'text' || item.kind === 'bytes'
    ? { ...item, shared: new SharedFrames(payloadSizeOf(item), item.options.compress) }
    : item;
}

function classifyPayload(data: unknown, options: MessageOptions = NO_OPTIONS): Classified {
  const { binary } = options;
  if (typeof data === 'string')
    return binary === true
      ? { kind: 'bytes', bytes: Buffer.from(data), binary, options, shared: undefined }
      : { kind: 'text', text: data, options, shared: undefined };
  if (!(data instanceof Uint8Array) && isBlob(data)) {
    return { kind: 'blob', blob: data, binary: binary ?? true, options };
  }
  const bytes = toBytes(data);
  if (binary === false && !isUtf8(bytes)) {
    throw new UsageError(
      'UTF8_INVALID',
      'binary: false was given with bytes that are not UTF-8, allowed are bytes of valid text',
    );
  }
  return { kind: 'bytes', bytes, binary: binary ?? true, options, shared: undefined };
}

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

/** A short name of any value, for messages of errors. @internal */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === 'object') return `a ${tagOf(value)}`;
  if (typeof value === 'function') return 'a function';
  return String(value);
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

/** The opcode of a message. RFC 6455 §11.8. @internal */
export function opcodeOf(item: Extract<Classified, { kind: 'text' | 'bytes' }>): Opcode {
  return item.kind === 'bytes' && item.binary ? Opcode.binary : Opcode.text;
}

/** Bytes of the payload of a message, as far as they are known before its turn. @internal */
export function payloadSizeOf(item: Classified): number {
  switch (item.kind) {
    case 'text':
      return item.shared?.size ?? Buffer.byteLength(item.text);
    case 'bytes':
      return item.bytes.length;
    case 'blob':
      return item.blob.size;
    case 'fragments':
      return 0;
    default:
      return item satisfies never;
  }
}

/** Bytes of the frames of a message with a payload of `size` bytes, as far as they are known before its turn. @internal */
export function frameSizeOf({ kind }: Classified, size: number, masked: boolean): number {
  return kind === 'text' || kind === 'bytes' ? headerLength(size, masked) + size : size;
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

function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    // A revoked Proxy, or one whose tag cannot be read.
    return 'Proxy';
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  const validator = new Utf8Validator();
  return (
    validator.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength) &&
    validator.complete
  );
}
