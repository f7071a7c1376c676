/** Marks outgoing messages of every build of sluice, with the name of what made them. */
export const outgoingSymbol: unique symbol = Symbol.for('sluice.outgoing') as never;

/**
 * A message that goes to several connections. What the first of them makes of it, the others use: see `classify`.
 *
 * @typeParam Item what a connection makes of the value.
 */
export interface SharedMessage<T = unknown, Item = unknown> {
  readonly [outgoingSymbol]: 'shared';
  /** What would be sent to one connection. */
  readonly value: T;
  /** Filled in by the first connection. */
  item: Item | undefined;
}

/** Makes a message of `value`, for several connections. */
export function shareMessage<T>(value: T): SharedMessage<T> {
  return { [outgoingSymbol]: 'shared', value, item: undefined };
}
