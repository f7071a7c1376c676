import type { Observable, Subscription } from 'rxjs';
import type { IncomingMessage } from './incoming-message.js';
import type { Outgoing } from './outgoing.js';
import type { SendResult } from './send-result.js';
import type { SendSubject } from './send-subject.js';

/** A received message: a string for text, a `Uint8Array` (on Node a `Buffer`) for binary. */
export type Message = string | Uint8Array;

/** The form in which binary messages are delivered: a `Buffer`, or a separate `ArrayBuffer` or `Blob`. */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'blob';

/** The type of received messages under a {@link BinaryType}. */
export type MessageOf<B extends BinaryType> = B extends 'arraybuffer'
  ? string | ArrayBuffer
  : B extends 'blob'
    ? string | Blob
    : Message;

/** The states of a connection, with the numbers of the browsers' WebSocket. */
export const ReadyState = {
  /** Never the state of a `Connection`: it does not exist until it is open. */
  CONNECTING: 0,
  /** Messages can be sent and received. */
  OPEN: 1,
  /** A Close frame was sent or received, or the peer has ended its side: nothing more can be sent. */
  CLOSING: 2,
  /** The connection has ended. */
  CLOSED: 3,
} as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];

/** How a connection ended. RFC 6455 §7.1.5 and §7.1.6. */
export interface CloseInfo {
  /** The code of the peer's Close frame; 1005 if it had none; 1006 if no Close frame came; the code that we sent if we failed the connection. */
  readonly code: number;
  /** The reason in the peer's Close frame, or the one that we sent when we failed the connection. */
  readonly reason: string;
  /** Whether Close frames were exchanged in both directions. RFC 6455 §7.1.4. */
  readonly wasClean: boolean;
  /** Which end began to close: this one or the peer. A network failure counts as the peer. */
  readonly initiator: 'local' | 'peer';
  /** The cause of an unrequested end: a `ProtocolError`, `BackpressureError`, `UsageError`, or a system error. */
  readonly error?: Error;
}

/** Capabilities of a connection. */
export interface Supports {
  /** Binary messages. */
  readonly binary: boolean;
  /** Pings and pongs. */
  readonly ping: boolean;
  /** Messages in parts: see `fragments`. */
  readonly fragments: boolean;
  /** Whether the peer is slowed down while there is no demand for messages. */
  readonly backpressure: boolean;
  /** Compressed messages: permessage-deflate was negotiated. */
  readonly compression: boolean;
}

/** Counts since the connection was opened. */
export interface ConnectionStats {
  /** Complete messages parsed so far, delivered or not. */
  readonly messagesReceived: number;
  /** Messages accepted for sending, written or not. */
  readonly messagesSent: number;
  /**
   * Messages that were not sent: dropped by the `overflow` policy, or accepted but still waiting when the connection ended.
   */
  readonly messagesDropped: number;
  /** Pings received from the peer. */
  readonly pingsReceived: number;
  /** Pongs received from the peer, solicited or not. */
  readonly pongsReceived: number;
  /** Bytes received from the transport after the opening handshake, frame headers included. */
  readonly bytesReceived: number;
  /** Bytes written to the transport after the opening handshake, frame headers included. */
  readonly bytesSent: number;
  /** Bytes that wait for a subscriber: queued messages, with 128 added for each, and unparsed data. */
  readonly inboxBytes: number;
  /** Milliseconds from the handshake until now, or until the end. */
  readonly uptime: number;
}

/**
 * One WebSocket connection, on a server or a client.
 *
 * **Subscription is flow control.** While `messages$` has no subscriber, or a hold is taken, incoming messages wait: up to
 * `highWaterMark` bytes here, the rest in TCP. Nothing is lost; unsubscribing never closes.
 *
 * @typeParam Data what `authenticate` returned. @typeParam In the type of received messages. @typeParam Out the type that `send` accepts.
 */
export interface Connection<Data = unknown, In = Message, Out = Outgoing> extends AsyncIterable<In>, AsyncDisposable {
  /**
   * Emits the messages in order, to all subscribers. The first subscriber gets the messages that waited; later ones get no replay.
   * Completes when the connection has ended and all waiting messages are delivered. Never errors. Unsubscribing pauses the peer.
   */
  readonly messages$: Observable<In>;
  /** The payloads of received pings, emitted as they are answered. Hot; completes with the connection; never errors. RFC 6455 §5.5.2. */
  readonly pings$: Observable<Uint8Array>;
  /** The payloads of received pongs. Hot; completes with the connection; never errors. RFC 6455 §5.5.3. */
  readonly pongs$: Observable<Uint8Array>;
  /** How the connection ended: emits exactly one value, replayed, and completes. Never errors. */
  readonly close$: Observable<CloseInfo>;
  /** Sends messages: an Observer to pass to `subscribe` of any Observable of data. See {@link SendSubject}. */
  readonly send: SendSubject<Out>;

  /** Suspends the delivery of messages until the Subscription is unsubscribed. Holds are counted. */
  hold(): Subscription;
  /** Takes one hold, which all callers of `pause` share. */
  pause(): void;
  /** Releases the hold that `pause` took. */
  resume(): void;

  /**
   * Sends a ping on subscription, emits the round trip in milliseconds and completes. Errors with
   * `ConnectionClosedError` if the connection ends first. Unsubscribing stops waiting for the answer.
   *
   * @param data at most 125 bytes. If it is empty, the default is sent, because an empty pong may be unsolicited. RFC 6455 §5.5.3.
   *   @default a unique payload
   * @throws TypeError or RangeError, synchronously, if `data` is neither a string nor bytes, or is too long.
   */
  ping(data?: string | ArrayBufferView | ArrayBuffer): Observable<number>;
  /** Sends an unsolicited pong immediately. Throws the same errors as {@link ping}. RFC 6455 §5.5.3. */
  pong(data?: string | ArrayBufferView | ArrayBuffer): void;

  /**
   * Begins the closing handshake: earlier sends are flushed, later ones are ignored. Terminates the connection if it has not
   * ended within `closeTimeout`. Has no effect if the connection is already closing. RFC 6455 §7.1.2.
   *
   * @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999. @default 1000
   * @param reason at most 123 bytes of UTF-8. @default ''
   * @throws TypeError or RangeError for any other code or reason; nothing is sent.
   */
  close(code?: number, reason?: string): void;
  /** Ends the connection immediately, with a reset if the transport supports it. Everything that waits in either direction is dropped. */
  terminate(): void;

  /**
   * Sends a message and returns the outcome: `'sent'` if it leaves in this tick, `'buffered'` if it waits after others, `'dropped'` if
   * the overflow policy dropped it, `'closed'` if the connection is closing or closed.
   *
   * @throws UsageError UNSUPPORTED_DATA for a value that cannot be sent; the connection is unaffected.
   */
  trySend(data: Out): SendResult;
  /**
   * Sends the items of `source`. When the source ends, emits how many were sent, and leaves the connection open. Iterables and
   * async iterables are pulled only while `send.ready$` is true. Errors with the source's error, or with `UsageError` for a value
   * that cannot be sent. Completes early, with the count so far, if the connection ends. Unsubscribing stops the source.
   *
   * @throws TypeError, synchronously, for a string (its characters would be the items) and anything else that is not a source.
   */
  sendFrom(source: SendSource<Out>): Observable<number>;
  /** Emits once and completes when everything sent so far was handed to the operating system; only completes if the connection ends first. */
  flush(): Observable<void>;
  /** Reads and discards messages until unsubscribed, so that pings and the peer's end are noticed without a reader. */
  ignoreMessages(): Subscription;

  /** What `authenticate` returned; `undefined` if there is no `authenticate`. */
  readonly data: Data;
  /** The handshake's request, on a server: the object that the hooks received, or without hooks one rebuilt from its fields. */
  readonly request: IncomingMessage | undefined;
  /** The handshake's response, on a client. */
  readonly response: IncomingMessage | undefined;
  /** On a client, the URL that it is connected to; on a server, the URL of the request. */
  readonly url: string;
  /** The negotiated subprotocol, or ''. */
  readonly protocol: string;
  /** The negotiated extensions. */
  readonly extensions: Readonly<Record<string, readonly Readonly<Record<string, string | number | true>>[]>>;
  /** 13, or 8 on a client that requested it. */
  readonly protocolVersion: number;
  /** The capabilities of the connection: on Node all of them, with `compression` only if both ends want it. */
  readonly supports: Supports;
  /** The address of the peer; undefined on a Unix domain socket and with `wrap`. */
  readonly remoteAddress: string | undefined;
  /** One of {@link ReadyState}. */
  readonly readyState: ReadyState;
  /** Bytes not yet handed to the operating system; the same as `send.bufferedAmount`. */
  readonly bufferedAmount: number;
  /** The same as `stats.bytesReceived`. */
  readonly bytesReceived: number;
  /** The same as `stats.bytesSent`. */
  readonly bytesSent: number;
  /** The last round trip of a ping, from the heartbeat or `ping()`, in milliseconds; `undefined` before the first. */
  readonly latency: number | undefined;
  /** A snapshot of the connection's counters. */
  readonly stats: ConnectionStats;
}

/** A source that {@link Connection.sendFrom} accepts. */
export type SendSource<Out> = Observable<Out> | Iterable<Out> | AsyncIterable<Out> | PromiseLike<Out>;
