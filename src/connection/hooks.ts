import type { Observable, Subscription, Unsubscribable } from 'rxjs';
import type { CloseInfo, Connection } from './connection.js';
import type { Interceptor, InterceptorKey } from './interceptors.js';
import type { SendResult } from './send-result.js';
import type { SharedMessage } from './shared-message.js';

/** Whom a connection tells that it is over. */
export interface FinishListener {
  finished(info: CloseInfo): void;
}

/*
 * What a connection carries for operators beside its public members, under symbols that are registered, so that the ESM and CommonJS
 * builds and other implementations of `Connection` agree on them.
 */

/** The key of `MessageHooks` for taking a hold. */
export const holdSymbol: unique symbol = Symbol.for('sluice.hold') as never;

/** The key of `MessageHooks` for messages that an interceptor may take first. */
export const tapSymbol: unique symbol = Symbol.for('sluice.tap') as never;

/** The key of `ConnectionHooks` for the end of a connection. */
export const finishedSymbol: unique symbol = Symbol.for('sluice.finished') as never;

/** The key of `ConnectionHooks` for reports to the diagnostics. */
export const reportSymbol: unique symbol = Symbol.for('sluice.report') as never;

/** The key of `ConnectionHooks` for looking at messages before they are queued. */
export const interceptSymbol: unique symbol = Symbol.for('sluice.intercept') as never;

/** The key of `ConnectionHooks` for the connections over single sockets. */
export const sessionsSymbol: unique symbol = Symbol.for('sluice.sessions') as never;

/** The key of `ConnectionHooks` for a place in the line of what is sent. */
export const turnSymbol: unique symbol = Symbol.for('sluice.turn') as never;

/** The key of `ConnectionHooks` for messages that go to several connections. */
export const shareSymbol: unique symbol = Symbol.for('sluice.share') as never;

/** A hook's way to be given each message before the subscriber is. */
export interface Tap<In> {
  next(message: In): void;
}

/** What the `messages$` of a connection carries. */
export interface MessageHooks<In> {
  /** Takes a hold, and returns the Subscription that releases it. */
  readonly [holdSymbol]: () => Subscription;
  /**
   * The same messages, each of which is given to `tap.next` before it is emitted; errors where that throws. `sendTo` is that: as an
   * operator of its own it would cost each connection 0.3 KiB more, and every message three calls.
   */
  readonly [tapSymbol]: (tap: Tap<In>) => Observable<In>;
}

/** How messages are intercepted. */
export interface InterceptOptions<In> {
  /** Which messages are shown. @default all */
  readonly key?: InterceptorKey<In>;
  /**
   * Given by operators that wait for a message: twice as much is read ahead while it lasts. Called when even that is full, and nothing more
   * can be read before there is a subscriber. Runs no code of the application.
   */
  readonly onStuck?: () => void;
}

/** An interception of messages, which lasts until it is unsubscribed. */
export interface Interception extends Unsubscribable {
  /** Whether messages are read at present: not while the queue is full. */
  readonly isReading: boolean;
  /** Whether nothing more is read before there is a subscriber. False during a hold, because its owner is expected to release it. */
  readonly isStuck: boolean;
}

/** Something that is more than sent when its turn has come: a question, whose answer is waited for. Exactly one of these is called. */
export interface Turn<Out> {
  /** It is its turn, on an open connection: nothing that was sent before waits any more. Never throws. */
  // biome-ignore lint/suspicious/noExplicitAny: only the way out of a connection matters here
  begin(session: Connection<any, any, Out>, message: Out): void;
  /** The overflow policy dropped it. */
  dropped(): void;
  /** Nothing is sent any more, because of `error` if there is one. */
  ended(error?: unknown): void;
}

/** What a connection carries. Each implementation has some of it. */
export interface ConnectionHooks<In, Out> {
  /**
   * Calls `listener.finished(closeInfo)` once, when the connection has ended and nothing is kept back by a hold any more, or was for longer
   * than `closeTimeout`. What cleans up after a connection waits for it. No Observable: every connection of a server is waited for so,
   * and a subscription costs 0.6 KiB.
   */
  readonly [finishedSymbol]: (listener: FinishListener) => void;
  /** Reports an error of the application to the diagnostics. */
  readonly [reportSymbol]: (error: unknown) => void;
  /**
   * Shows `take` each message when it is parsed, before it is queued, whether or not there is demand; one for which it returns
   * `true` is taken out. With `options.key` only messages of that key are shown. With `options.onStuck` it reads ahead twice as far
   * meanwhile, so that there is room after a full queue, and calls that when the room is used up and there is no subscriber.
   *
   * @returns undefined if the underlying connection cannot do it.
   */
  readonly [interceptSymbol]: (take: Interceptor<In>, options?: InterceptOptions<In>) => Interception | undefined;
  /**
   * `trySend` for a message that goes to several connections, so that a broadcast is framed and compressed once. A connection that
   * changes what it sends must not inherit it.
   */
  readonly [shareSymbol]: (message: SharedMessage<Out>) => SendResult;
  /** Of one that outlives its sockets: the connections over them, the latest replayed. */
  readonly [sessionsSymbol]: Observable<Connection<unknown, In, Out>>;
  /**
   * Of one that outlives its sockets: calls `turn.begin` once, with an open connection and the message, when all that was sent before
   * has left: at once, or out of the queue. Unsubscribing takes it out of that.
   */
  readonly [turnSymbol]: (message: Out, turn: Turn<Out>) => Unsubscribable;
}

/** `conn`, with the hooks that it may carry. */
export function hooksOf<In, Out>(conn: object): Partial<ConnectionHooks<In, Out>> {
  return conn;
}

/** `messages$`, with the hooks that it may carry. */
export function messageHooksOf<In>(messages$: Observable<In>): Partial<MessageHooks<In>> {
  return messages$ as Observable<In> & Partial<MessageHooks<In>>;
}

/** Lets all objects of a class carry `hooks`, where neither `Object.keys` nor a console shows them. */
// biome-ignore lint/suspicious/noExplicitAny: a class is for all types of messages
export function carryHooks(prototype: object, hooks: Partial<ConnectionHooks<any, any>>): void {
  for (const key of Object.getOwnPropertySymbols(hooks)) {
    Object.defineProperty(prototype, key, { value: Reflect.get(hooks, key) as unknown });
  }
}
