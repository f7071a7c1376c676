import type { Observable, Subscription } from 'rxjs';
import type { Connection, Message, ReadyState } from '../../connection/connection.js';
import type { Outgoing } from '../../connection/outgoing.js';
import type { SendResult } from '../../connection/send-result.js';
import type { SendSubject } from '../../connection/send-subject.js';

/**
 * The reason why a {@link PersistentConnection} has lost its socket, or got none: an error of sluice (`isWebSocketError`; usually
 * `HandshakeError`, `ConnectionClosedError`, `ProtocolError` or `BackpressureError`), an error of Node.js with a `code` such as
 * 'ECONNREFUSED', or what the target threw. A thrown value that is not an Error is the `cause` of one.
 */
export type PersistentFailure = Error & {
  /** The code of the error, if it has one. */
  readonly code?: string | number;
};

/** The state of a {@link PersistentConnection}, distinguished by its `type`. */
export type PersistentState<In = Message, Out = Outgoing> =
  | {
      /** It is dialing. */
      readonly type: 'connecting';
    }
  | {
      /** Messages pass both ways. */
      readonly type: 'open';
      /** The open connection. Messages sent on it while this is emitted, such as a login, go before all queued messages. */
      readonly connection: Connection<unknown, In, Out>;
    }
  | {
      /** It waits before it dials again. */
      readonly type: 'waiting';
      /** Counts from 1, and again from 1 after a connection that has worked. */
      readonly attempt: number;
      /** In milliseconds. */
      readonly delay: number;
      /** The reason; undefined if the peer closed with 1000 or without a code. */
      readonly error?: PersistentFailure;
    }
  | {
      /** No Subscription of `open()` is left, or the client has given up. */
      readonly type: 'closed';
      /** The reason for giving up. */
      readonly error?: PersistentFailure;
    };

/**
 * A connection that outlives its sockets. Made by `persistent`.
 *
 * @typeParam In the type of messages. @typeParam Out what `send` takes.
 */
export interface PersistentConnection<In = Message, Out = Outgoing> {
  /**
   * Dials, unless the client is open already, and keeps the connection up until the last of these Subscriptions is unsubscribed, which
   * closes with 1000. After `complete()` it does nothing.
   *
   * The client **gives up** after an error that is not worth another attempt, after the last of `maxAttempts`, if `overflow` says so, if the
   * peer has closed normally and `repeat` is off, and on its `signal`. It then accepts no messages: `trySend` returns `'closed'`,
   * `messages$` and `ready$` complete, and waiting questions error with the reason. A new `open()` dials again; subscribe after it.
   * Messages that waited for a socket stay queued, and are sent first.
   */
  open(): Subscription;
  /**
   * Emits the current state on subscription, then each change, to all subscribers in the same order. Completes after `complete()`. Never
   * errors: see the `error` of its states.
   */
  readonly state$: Observable<PersistentState<In, Out>>;
  /**
   * The messages of all its sockets, in order. Demand and holds carry over from socket to socket. Undelivered messages of a lost socket
   * are kept until the next one is open. Completes after `complete()`, and when the client gives up, which `state$` emits first; never
   * errors. Subscribing does not dial: see {@link open}.
   */
  readonly messages$: Observable<In>;
  /** Discards messages on every socket until the Subscription is unsubscribed: for clients that only send, or only `ask`. Does not dial. */
  ignoreMessages(): Subscription;
  /**
   * Sends. While no socket is open, up to `offlineBuffer` bytes wait for the next one, then `overflow` applies. Messages that were handed to
   * a lost socket are not sent again. `ready$` is `true` only while a socket is open and takes more. `complete()` sends what is queued,
   * closes with 1000 and ends the client for good; `error(e)` closes at once, as on a connection.
   */
  readonly send: SendSubject<Out>;
  /**
   * Like `send.next`, and returns what happened to the message: `'buffered'` also if it waits for a socket, `'closed'` after `complete()`
   * and after the client has given up.
   */
  trySend(data: Out): SendResult;
  /** The same as `send.complete()`. */
  complete(): void;
  /** Suspends the delivery of messages, on this socket and later ones, until the Subscription is unsubscribed. Holds are counted. */
  hold(): Subscription;
  /** Takes a hold that all callers of `pause` share. */
  pause(): void;
  /** Releases the hold that `pause` took. */
  resume(): void;
  /** `OPEN` or `CLOSING` like its socket; `CONNECTING` while it dials or waits; `CLOSED` if it is not opened, or has given up. */
  readonly readyState: ReadyState;
  /** Bytes that wait for a socket, or in it. */
  readonly bufferedAmount: number;
}
