/**
 * The symbols under which a connection carries what operators need beside its public members. They are registered, so that the ESM and
 * CommonJS builds and other implementations of `Connection` agree on them.
 */

/** On a connection's `messages$`: a function that takes a hold, and returns the Subscription that releases it. */
export const holdSymbol: unique symbol = Symbol.for('sluice.hold') as never;

/**
 * On a connection: an Observable that emits how it ended and completes, when nothing is kept back by a hold any more, or was for
 * longer than `closeTimeout`. What cleans up after a connection waits for it.
 */
export const finishedSymbol: unique symbol = Symbol.for('sluice.finished') as never;

/** On a connection: a function that reports an error of the application to the diagnostics. */
export const reportSymbol: unique symbol = Symbol.for('sluice.report') as never;

/**
 * On a connection: `trySend` for a `SharedMessage`, so that a broadcast is framed and compressed once. A connection that changes what
 * it sends must not inherit it.
 */
export const shareSymbol: unique symbol = Symbol.for('sluice.share') as never;
