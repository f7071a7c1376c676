import type { ProtocolError } from '../protocol/errors.js';
import type { Connection, Message } from '../reactive/connection.js';
import type { Outgoing } from '../reactive/outgoing.js';

/** What becomes of a message that cannot be decoded: the connection closes with 1007, or the message is dropped and reported. */
export type InvalidPolicy = 'close' | 'drop';

/** Decides about one bad message. May send an answer; a policy that throws closes with 1011. */
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
