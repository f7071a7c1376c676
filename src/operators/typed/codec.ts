import { excerpt } from '../../base/excerpt.js';
import { describeThrown, propertyOf } from '../../base/thrown.js';
import type { Connection, Message } from '../../connection/connection.js';
import type { Outgoing } from '../../connection/outgoing.js';
import { ProtocolError } from '../../protocol/errors.js';

/** What happens to a message that cannot be decoded: the connection closes with 1007, or the message is dropped and reported. */
export type InvalidPolicy = 'close' | 'drop';

/** Decides about an invalid message, synchronously. May send an answer. If it throws or returns another value, the close code is 1011. */
export type InvalidHandler = (error: ProtocolError, conn: Connection) => InvalidPolicy;

/**
 * Turns messages into values and back, for `withCodec`.
 *
 * @typeParam I the type of received values. @typeParam O the type of sent values.
 */
export interface Codec<I, O = I> {
  /**
   * Returns the value of a received message. Throws if the message is invalid: that is the peer's fault, unless it throws a `UsageError`.
   * Called again for a message that was decoded for a question of `ask` and waited afterwards: it should depend only on the message.
   */
  decode(message: Message): I;
  /** Returns the message to send for `value`. Throws if it cannot be sent: that is the application's fault. */
  encode(value: O): Outgoing;
  /**
   * What happens to a message that cannot be decoded. It is never an error of `messages$`, where one bad peer would end every pipeline
   * that its connection is merged into, and with it the process.
   *
   * @default 'close'
   */
  readonly invalid?: InvalidPolicy | InvalidHandler;
}

/** The option `codec` of everything that makes connections. */
export interface CodecOption<In, Out> {
  /**
   * Makes typed connections, like `map(withCodec(codec))`. Use it if messages are JSON, as `json<Chat>()`, or have any other format that
   * a {@link Codec} implements. Only with the `binaryType` 'nodebuffer', which codecs decode. @default messages are text and bytes
   */
  readonly codec?: Codec<In, Out>;
}

/**
 * Checks the option `codec`, and that `binaryType` fits it.
 *
 * @throws TypeError that names what was found and what is allowed.
 */
export function checkCodecOption(options: { readonly codec?: unknown; readonly binaryType?: unknown }): void {
  const { codec, binaryType = 'nodebuffer' } = options;
  if (codec === undefined) return;
  if (typeof codec === 'function') throw new TypeError('codec must be a codec, such as json() returns, got a function');
  checkCodec(codec);
  if (binaryType === 'nodebuffer') return;
  throw new TypeError(`binaryType must be "nodebuffer" with a codec, got ${excerpt(binaryType)}`);
}

/**
 * Checks the policy of a codec for an invalid message: undefined or a Promise would leave the message undecided.
 *
 * @throws TypeError that names what was found and what is allowed.
 */
export function checkPolicy(policy: unknown): InvalidPolicy {
  if (policy === 'close' || policy === 'drop') return policy;
  if (typeof propertyOf(policy, 'then') !== 'function') {
    throw new TypeError(`invalid must return "close" or "drop", got ${excerpt(policy)}`);
  }
  // Nothing awaits the Promise: a rejection must not end the process.
  Promise.resolve(policy).catch(() => {});
  throw new TypeError('invalid must return "close" or "drop" synchronously, got a Promise');
}

/** @throws TypeError for anything but a codec, which names the wrong member, what was found and what is allowed. */
export function checkCodec(codec: unknown): void {
  const { decode, encode, invalid } = (codec ?? {}) as Partial<Codec<unknown>>;
  for (const [name, member] of Object.entries({ decode, encode })) {
    if (typeof member === 'function') continue;
    throw new TypeError(`${name} of a codec must be a function, got ${excerpt(member)}`);
  }
  if (invalid !== undefined && typeof invalid !== 'function' && invalid !== 'close' && invalid !== 'drop') {
    throw new TypeError(`invalid of a codec must be "close", "drop" or a function, got ${excerpt(invalid)}`);
  }
}

/** Creates the error for a message that a codec cannot decode. The cause comes first, since a Close frame has room for 123 bytes. */
export function invalidMessage(message: Message, cause: unknown): ProtocolError {
  const found = typeof message === 'string' ? excerpt(message) : `a binary message of ${message.length} bytes`;
  const text = `invalid message: ${describeThrown(cause)}; found ${found}`;
  return new ProtocolError('MESSAGE_INVALID', 1007, text, { cause });
}
