import type { Observable, Subscription, Unsubscribable } from 'rxjs';
import type { CloseInfo, Connection } from './connection.js';
import type { Interceptor, InterceptorKey } from './interceptors.js';
import type { SendResult } from './send-result.js';
import type { SharedMessage } from './shared-message.js';

/** A listener that is notified when a connection has ended. */
export interface FinishListener {
  finished(info: CloseInfo): void;
}

/*
 * Members of a connection for operators, besides the public ones. Their keys are registered symbols, so that the ESM and CommonJS
 * builds and other implementations of `Connection` agree on them.
 */

/** The key of `MessageHooks` for taking a hold. */
export const holdSymbol: unique symbol = Symbol.for('sluice.hold') as never;

/** The key of `MessageHooks` for messages that a tap is given first. */
export const tapSymbol: unique symbol = Symbol.for('sluice.tap') as never;

/** The key of `ConnectionHooks` for the end of a connection. */
export const finishedSymbol: unique symbol = Symbol.for('sluice.finished') as never;

/** The key of `ConnectionHooks` for reports to the diagnostics. */
export const reportSymbol: unique symbol = Symbol.for('sluice.report') as never;

/** The key of `ConnectionHooks` for the number of subscribers of messages. */
export const subscribersSymbol: unique symbol = Symbol.for('sluice.subscribers') as never;

/** The key of `ConnectionHooks` for intercepting messages before they are queued. */
export const interceptSymbol: unique symbol = Symbol.for('sluice.intercept') as never;

/** The key of `ConnectionHooks` for the successive connections of a persistent one, each over one socket. */
export const sessionsSymbol: unique symbol = Symbol.for('sluice.sessions') as never;

/** The key of `ConnectionHooks` for a place in the queue of outgoing messages. */
export const turnSymbol: unique symbol = Symbol.for('sluice.turn') as never;

/** The key of `ConnectionHooks` for messages that go to several connections. */
export const shareSymbol: unique symbol = Symbol.for('sluice.share') as never;

/** An object that is given each message before the subscriber. */
export interface Tap<In> {
  next(message: In): void;
}

/** Hooks on the `messages$` of a connection. */
export interface MessageHooks<In> {
  /** Takes a hold, and returns the Subscription that releases it. */
  readonly [holdSymbol]: () => Subscription;
  /**
   * Returns the same messages, but gives each to `tap.next` before it is emitted, and errors if that throws. `sendTo` uses it: a
   * separate operator would cost each connection 0.3 KiB more, and each message three calls.
   */
  readonly [tapSymbol]: (tap: Tap<In>) => Observable<In>;
}

/** Options of an interception. */
export interface InterceptOptions<In> {
  /** Which messages are shown to the interceptor. @default all */
  readonly key?: InterceptorKey<In>;
  /**
   * Passed by operators that wait for a message: the read-ahead limit is doubled during the interception. Called when even that is used
   * up and nothing more can be read until there is a subscriber. Must not run application code.
   */
  readonly onStuck?: () => void;
}

/** An interception of messages. Lasts until unsubscribed. */
export interface Interception extends Unsubscribable {
  /** Whether messages are being read: false while the queue is full. */
  readonly isReading: boolean;
  /** Whether reading has stopped until there is a subscriber. False during a hold, because its owner is expected to release it. */
  readonly isStuck: boolean;
}

/** A message that needs more than sending, such as a request whose reply is awaited. Exactly one of these is called. */
export interface Turn<Out> {
  /** Its turn has come on an open connection: nothing that was sent before it is still waiting. Never throws. */
  // biome-ignore lint/suspicious/noExplicitAny: only the way out of a connection matters here
  begin(session: Connection<any, any, Out>, message: Out): void;
  /** The overflow policy dropped the message. */
  dropped(): void;
  /** Nothing more will be sent, because of `error` if there is one. */
  ended(error?: unknown): void;
}

/** Hooks on a connection. Each implementation has some of them. */
export interface ConnectionHooks<In, Out> {
  /**
   * Calls `listener.finished(closeInfo)` once, when the connection has ended and no hold keeps anything back, or `closeTimeout` has
   * passed since. Cleanup after a connection waits for it. Not an Observable, because a server has one listener for every connection
   * and a subscription costs 0.6 KiB.
   */
  readonly [finishedSymbol]: (listener: FinishListener) => void;
  /**
   * Reports an error to the diagnostics.
   *
   * @param isMistake whether the application sent something invalid: then the developer is warned too. @default false
   */
  readonly [reportSymbol]: (error: unknown, isMistake?: boolean) => void;
  /** Returns the number of subscribers of `messages$`. */
  readonly [subscribersSymbol]: () => number;
  /**
   * Shows `take` each message when it is parsed, before it is queued, whether or not there is demand. A message for which it returns
   * `true` is taken out. With `options.key` only messages with that key are shown. With `options.onStuck` the read-ahead limit is
   * doubled, so that there is room beyond a full queue; `onStuck` is called when that room is used up and there is no subscriber.
   *
   * @returns undefined if the underlying connection does not support it.
   */
  readonly [interceptSymbol]: (take: Interceptor<In>, options?: InterceptOptions<In>) => Interception | undefined;
  /**
   * `trySend` for a message that goes to several connections, so that a broadcast is framed and compressed once. A connection that
   * transforms its outgoing messages must not inherit it.
   */
  readonly [shareSymbol]: (message: SharedMessage<Out>) => SendResult;
  /** On a persistent connection: the connections over its successive sockets. Replays the latest. */
  readonly [sessionsSymbol]: Observable<Connection<unknown, In, Out>>;
  /**
   * On a persistent connection: calls `turn.begin` once, with an open connection and the message, when everything sent before it has
   * left: immediately, or later from the queue. Unsubscribing removes it from the queue.
   */
  readonly [turnSymbol]: (message: Out, turn: Turn<Out>) => Unsubscribable;
}

/** Returns `conn` typed with the hooks that it may have. */
export function hooksOf<In, Out>(conn: object): Partial<ConnectionHooks<In, Out>> {
  return conn;
}

/** Closes `conn` with 1011 because of a value that it cannot send, and warns the developer. */
export function closeUnsendable(conn: { readonly send: { error(error: unknown): void } }, error: unknown): void {
  hooksOf(conn)[reportSymbol]?.(error, true);
  conn.send.error(error);
}

/** Returns `messages$` typed with the hooks that it may have. */
export function messageHooksOf<In>(messages$: Observable<In>): Partial<MessageHooks<In>> {
  return messages$ as Observable<In> & Partial<MessageHooks<In>>;
}

/** Adds `hooks` to all objects of a class, hidden from `Object.keys` and the console. */
// biome-ignore lint/suspicious/noExplicitAny: a class is for all message types
export function carryHooks(prototype: object, hooks: Partial<ConnectionHooks<any, any>>): void {
  for (const key of Object.getOwnPropertySymbols(hooks)) {
    Object.defineProperty(prototype, key, { value: Reflect.get(hooks, key) as unknown });
  }
}
