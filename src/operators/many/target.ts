import type { Observable } from 'rxjs';
import type { SendResult } from '../../connection/send-result.js';

/** What tells how a connection sends: the part of its `send` that a broadcast looks at. */
export interface TargetSend {
  /** Whether less than `highWaterMark` waits. */
  readonly isReady: boolean;
  /** The same, replayed, with each change. */
  readonly ready$: Observable<boolean>;
  /** Closes the connection with 1011, because of `error`. */
  error(error: unknown): void;
}

/** A connection, as far as messages are sent to it. One that sends more types than needed will do. */
export interface Target<Out> {
  /** Sends, and tells what became of it. */
  readonly trySend: (data: Out) => SendResult;
  /** How it sends. */
  readonly send: TargetSend;
  /** Emits once, when it has ended. */
  readonly close$: Observable<unknown>;
  /** 1 while it is open. */
  readonly readyState: number;
  /** Begins to close it. */
  close(code?: number, reason?: string): void;
}

/**
 * Whether more than `highWaterMark` bytes wait there. A connection is not ready either while its producer rests, and then nothing is said
 * about its peer.
 */
export function isSlow(send: TargetSend & { readonly isSlow?: boolean }): boolean {
  return send.isSlow ?? !send.isReady;
}

/** Whom a message is not for: a connection (the one that it came from), or a set of them. */
export type Except = Target<never> | ReadonlySet<Target<never>>;

/** Tells whether a connection is none of `except`; nothing when that excepts nobody. */
export function isNotIn(except: Except | undefined): ((conn: Target<never>) => boolean) | undefined {
  if (except === undefined) return undefined;
  return 'has' in except ? (conn) => !except.has(conn) : (conn) => conn !== except;
}
