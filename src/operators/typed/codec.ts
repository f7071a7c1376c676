import { excerpt } from '../../base/excerpt.js';
import { describeThrown, propertyOf } from '../../base/thrown.js';
import type { Connection, Message } from '../../connection/connection.js';
import type { Outgoing } from '../../connection/outgoing.js';
import { ProtocolError } from '../../protocol/errors.js';

/** What becomes of a message that cannot be decoded: the connection closes with 1007, or the message is dropped and reported. */
export type InvalidPolicy = 'close' | 'drop';

/** Decides about one bad message, at once. May send an answer. One that throws, or gives anything else, closes with 1011. */
export type InvalidHandler = (error: ProtocolError, conn: Connection) => InvalidPolicy;

/**
 * Turns messages into values and back, for `withCodec`.
 *
 * @typeParam I the type of received values. @typeParam O the type of sent values.
 */
export interface Codec<I, O = I> {
  /**
   * The value of a received message. Throws when there is none: the peer's fault, unless it throws a `UsageError`. Called again for a message
   * that was shown to a question of `ask` and waited afterwards: it should depend on nothing but the message.
   */
  decode(message: Message): I;
  /** What is sent for `value`. Throws when it cannot be sent: the application's fault. */
  encode(value: O): Outgoing;
  /**
   * What becomes of a message that cannot be decoded. Never an error of `messages$`: there, one bad peer would end every pipeline
   * that its connection is merged into, and with it the process.
   *
   * @default 'close'
   */
  readonly invalid?: InvalidPolicy | InvalidHandler;
}

/** The option `codec` of everything that makes connections. */
export interface CodecOption<In, Out> {
  /**
   * Makes typed connections: the same as `map(withCodec(codec))` after it. Give it where messages are JSON, as `json<Chat>()`, or have any
   * other form that a {@link Codec} knows. Only with the `binaryType` 'nodebuffer', which is what codecs decode. @default messages are text and bytes
   */
  readonly codec?: Codec<In, Out>;
}

/**
 * Checks the option `codec`, and that the connections give codecs what they decode.
 *
 * @throws TypeError that names what was found and what is allowed.
 */
export function checkCodecOption(options: { readonly codec?: unknown; readonly binaryType?: unknown }): void {
  const { codec, binaryType = 'nodebuffer' } = options;
  if (codec === undefined) return;
  if (typeof codec === 'function') throw new TypeError('codec must be a codec, such as json() returns, got a function');
  checkCodec(codec);
  if (binaryType === 'nodebuffer') return;
  throw new TypeError(`binaryType must be "nodebuffer" where codec is given, got ${excerpt(binaryType)}`);
}

/**
 * What a codec says of a bad message, checked: silence or a Promise would leave the message in the air.
 *
 * @throws TypeError that names what was found and what is allowed.
 */
export function checkPolicy(policy: unknown): InvalidPolicy {
  if (policy === 'close' || policy === 'drop') return policy;
  if (typeof propertyOf(policy, 'then') !== 'function') {
    throw new TypeError(`invalid must return "close" or "drop", got ${excerpt(policy)}`);
  }
  // Nobody waits for it: if it rejects, that must not end the process.
  Promise.resolve(policy).catch(() => {});
  throw new TypeError('invalid must return "close" or "drop" synchronously, got a Promise');
}

/** @throws TypeError for anything but a codec, with the member that is wrong, what was found and what is allowed. */
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

/** The error for a message that a codec cannot decode. What was wrong goes first: a Close frame has room for 123 bytes. */
export function invalidMessage(message: Message, cause: unknown): ProtocolError {
  const found = typeof message === 'string' ? excerpt(message) : `a binary message of ${message.length} bytes`;
  const text = `invalid message: ${describeThrown(cause)}; found ${found}`;
  return new ProtocolError('MESSAGE_INVALID', 1007, text, { cause });
}
