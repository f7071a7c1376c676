import type { Observable } from 'rxjs';
import type { SendResult } from '../../connection/send-result.js';

/** The part of the `send` of a connection that a broadcast uses. */
export interface TargetSend {
  /** Whether less than `highWaterMark` waits. */
  readonly isReady: boolean;
  /** Emits `isReady` on subscription, and each change. */
  readonly ready$: Observable<boolean>;
  /** Closes the connection with 1011, because of `error`. */
  error(error: unknown): void;
}

/** The part of a connection that sending needs. A connection that sends more types than `Out` fits too. */
export interface Target<Out> {
  /** Sends, and returns what happened to the message. */
  readonly trySend: (data: Out) => SendResult;
  /** Whether it is ready to send. */
  readonly send: TargetSend;
  /** Emits once, when the connection has ended. */
  readonly close$: Observable<unknown>;
  /** 1 while the connection is open. */
  readonly readyState: number;
  /** Starts to close the connection. */
  close(code?: number, reason?: string): void;
}

/**
 * Whether more than `highWaterMark` bytes wait there. A connection is also not ready while its producer pauses, which says nothing about
 * its peer.
 */
export function isSlow(send: TargetSend & { readonly isSlow?: boolean }): boolean {
  return send.isSlow ?? !send.isReady;
}

/** Connections that do not get a message: one (such as its sender), or a set of them. */
export type Except = Target<never> | ReadonlySet<Target<never>>;

/** Returns a predicate for connections that are not in `except`; undefined if `except` is undefined. */
export function isNotIn(except: Except | undefined): ((conn: Target<never>) => boolean) | undefined {
  if (except === undefined) return undefined;
  return 'has' in except ? (conn) => !except.has(conn) : (conn) => conn !== except;
}
