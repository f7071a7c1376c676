/**
 * The symbols under which a connection carries what operators need beside its public members. They are registered, so that the ESM and
 * CommonJS builds and other implementations of `Connection` agree on them.
 */

/** On a connection's `messages$`: a function that takes a hold, and returns the Subscription that releases it. */
export const holdSymbol: unique symbol = Symbol.for('sluice.hold') as never;

/**
 * On a connection's `messages$`: `(tap) => Observable` of the same messages, each of which is given to `tap.next` before it is emitted;
 * errors where that throws. `sendTo` is that: as an operator of its own it would cost each connection 0.3 KiB more, and every message
 * three calls.
 */
export const tapSymbol: unique symbol = Symbol.for('sluice.tap') as never;

/**
 * On a connection: `(listener) => void`. Calls `listener.told(closeInfo)` once, when it has ended and nothing is kept back by a hold
 * any more, or was for longer than `closeTimeout`. What cleans up after a connection waits for it. No Observable: every connection of
 * a server is waited for so, and a subscription costs 0.6 KiB.
 */
export const finishedSymbol: unique symbol = Symbol.for('sluice.finished') as never;

/** On a connection: a function that reports an error of the application to the diagnostics. */
export const reportSymbol: unique symbol = Symbol.for('sluice.report') as never;

/**
 * On a connection: `(take, options) => Interception`. Shows `take` each message when it is parsed, before it is queued, whether or
 * not anybody wants messages; one for which it returns `true` is taken out. With `options.key` only messages of that key are shown. With
 * `options.onStuck` it reads ahead twice as far meanwhile, so that there is room to look behind a full queue, and calls that when the
 * room is used up and nobody subscribes.
 */
export const interceptSymbol: unique symbol = Symbol.for('sluice.intercept') as never;

/** On a connection that outlives its sockets: an Observable of the connections over them, that replays the latest. */
export const sessionsSymbol: unique symbol = Symbol.for('sluice.sessions') as never;

/**
 * On a connection that outlives its sockets: `(message, turn) => Unsubscribable`. Calls `turn.begin` once, with an open connection and
 * the message, when all that was sent before has left: at once, or out of the queue. Unsubscribing takes it out of that.
 */
export const turnSymbol: unique symbol = Symbol.for('sluice.turn') as never;

/**
 * On a connection: `trySend` for a `SharedMessage`, so that a broadcast is framed and compressed once. A connection that changes what
 * it sends must not inherit it.
 */
export const shareSymbol: unique symbol = Symbol.for('sluice.share') as never;
