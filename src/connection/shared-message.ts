/** The key that marks outgoing messages in every build of sluice. Its value is the kind of message. */
export const outgoingSymbol: unique symbol = Symbol.for('sluice.outgoing') as never;

/**
 * A message that goes to several connections. The first one classifies it, and the others reuse the result: see `classify`.
 *
 * @typeParam Item the result of classifying the value.
 */
export interface SharedMessage<T = unknown, Item = unknown> {
  readonly [outgoingSymbol]: 'shared';
  /** The value to send. */
  readonly value: T;
  /** Set by the first connection. */
  item: Item | undefined;
}

/** Makes a message of `value` that goes to several connections. */
export function shareMessage<T>(value: T): SharedMessage<T> {
  return { [outgoingSymbol]: 'shared', value, item: undefined };
}
