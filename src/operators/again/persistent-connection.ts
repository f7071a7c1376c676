import type { Observable, Subscription } from 'rxjs';
import type { Connection, Message, ReadyState } from '../../connection/connection.js';
import type { Outgoing } from '../../connection/outgoing.js';
import type { SendResult } from '../../connection/send-result.js';
import type { SendSubject } from '../../connection/send-subject.js';

/**
 * Why a {@link PersistentConnection} has lost its socket, or got none: an error of sluice (`isWebSocketError`; `HandshakeError`,
 * `ConnectionClosedError`, `ProtocolError` and `BackpressureError` are the usual ones), one of Node.js, whose `code` is 'ECONNREFUSED', say, or what
 * the target threw. What is no Error is the `cause` of one.
 */
export type PersistentFailure = Error & {
  /** What it is, where it has a code. */
  readonly code?: string | number;
};

/** Where a {@link PersistentConnection} stands, by its `type`. */
export type PersistentState<In = Message, Out = Outgoing> =
  | {
      /** It dials. */
      readonly type: 'connecting';
    }
  | {
      /** Messages pass both ways. */
      readonly type: 'open';
      /** What is sent on it while this is emitted goes before all that waited: to log in, say. */
      readonly connection: Connection<unknown, In, Out>;
    }
  | {
      /** It dials again. */
      readonly type: 'waiting';
      /** Counts from 1, and anew behind a connection that has worked. */
      readonly attempt: number;
      /** In milliseconds. */
      readonly delay: number;
      /** Why; not there when the peer closed with 1000 or without a code. */
      readonly error?: PersistentFailure;
    }
  | {
      /** No Subscription of `open()` is left, or it was given up. */
      readonly type: 'closed';
      /** Why it was given up. */
      readonly error?: PersistentFailure;
    };

/**
 * A connection that outlives its sockets. Made by `persistent`.
 *
 * @typeParam In the type of messages. @typeParam Out what `send` takes.
 */
export interface PersistentConnection<In = Message, Out = Outgoing> {
  /**
   * Dials, unless that was done already, and keeps it up until the last of these Subscriptions is unsubscribed: that closes with 1000.
   * After `complete()` it does nothing.
   *
   * It is **given up** by an error that is not worth another attempt, after the last of `maxAttempts`, when `overflow` says so, when the peer
   * has closed normally and `repeat` is off, and by its `signal`. Then it takes no more: `trySend` says `'closed'`, `messages$` and `ready$`
   * complete, and questions that wait error with the reason. A new `open()` dials anew; subscribe after it. What has waited for a socket still
   * waits, and leaves first.
   */
  open(): Subscription;
  /**
   * Where it stands: replayed, then each change, to all subscribers in the same order. Completes after `complete()`. Never errors: see the
   * `error` of its states.
   */
  readonly state$: Observable<PersistentState<In, Out>>;
  /**
   * The messages of all its sockets, in order. Demand and holds carry over from socket to socket. What a lost socket has left is
   * kept until the next one is open. Completes after `complete()`, and when it is given up, which the state tells first; never errors.
   * Subscribing does not dial: see {@link open}.
   */
  readonly messages$: Observable<In>;
  /** Discards messages while it lasts, on every socket: for clients that only send, or only `ask`. Does not dial. */
  ignoreMessages(): Subscription;
  /**
   * Sends. While nothing is open, up to `offlineBuffer` bytes wait for the next socket, then `overflow` decides. What was handed to a
   * socket that is lost is not sent again. `ready$` is `true` only while a socket is open and takes more. `complete()` lets what waits
   * leave, closes with 1000 and ends it for good; `error(e)` closes at once, as on a connection.
   */
  readonly send: SendSubject<Out>;
  /**
   * As `send.next`, and tells what became of it: `'buffered'` while it waits for a socket too, `'closed'` after `complete()` and while it is
   * given up.
   */
  trySend(data: Out): SendResult;
  /** The same as `send.complete()`. */
  complete(): void;
  /** Suspends the delivery of messages, on this socket and on those that follow, until the Subscription is unsubscribed. Counted. */
  hold(): Subscription;
  /** Takes one hold, shared by all callers of `pause`. */
  pause(): void;
  /** Releases the hold that `pause` took. */
  resume(): void;
  /** `OPEN`, `CLOSING` as its socket; `CONNECTING` while it dials or waits; `CLOSED` while it is not opened, or given up. */
  readonly readyState: ReadyState;
  /** Bytes that wait for a socket, or in it. */
  readonly bufferedAmount: number;
}
