import type { Observable, Subscription } from 'rxjs';
import type { IncomingMessage } from './incoming-message.js';
import type { Outgoing } from './outgoing.js';
import type { SendResult } from './send-result.js';
import type { SendSubject } from './send-subject.js';

/** A received message: text is a string, binary a `Uint8Array` (on Node a `Buffer`). */
export type Message = string | Uint8Array;

/** What binary messages come as: a `Buffer`, or an `ArrayBuffer` or `Blob` of their own. */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'blob';

/** The type of received messages under a {@link BinaryType}. */
export type MessageOf<B extends BinaryType> = B extends 'arraybuffer'
  ? string | ArrayBuffer
  : B extends 'blob'
    ? string | Blob
    : Message;

/** The states of a connection, with the numbers of the browsers' WebSocket. */
export const ReadyState = {
  /** Never the state of a `Connection`, which does not exist before it is open. */
  CONNECTING: 0,
  /** Messages pass both ways. */
  OPEN: 1,
  /** A Close frame was sent or received, or the peer has ended: nothing can be sent any more. */
  CLOSING: 2,
  /** It is over. */
  CLOSED: 3,
} as const;
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];

/** How a connection ended. RFC 6455 §7.1.5 and §7.1.6. */
export interface CloseInfo {
  /** The code of the peer's Close frame; 1005 when it had none; 1006 when no Close frame came; the code that we sent when we failed the connection. */
  readonly code: number;
  /** The reason that came with it, or that we sent with it. */
  readonly reason: string;
  /** Whether both Close frames have passed. RFC 6455 §7.1.4. */
  readonly wasClean: boolean;
  /** Who began to close: we, or the peer (a network that failed counts as the peer). */
  readonly initiator: 'local' | 'peer';
  /** Why, when it was not asked for: a `ProtocolError`, `BackpressureError`, `UsageError`, or an error of the system. */
  readonly error?: Error;
}

/** What a connection can do. */
export interface Supports {
  /** Binary messages. */
  readonly binary: boolean;
  /** Pings and pongs. */
  readonly ping: boolean;
  /** Messages in parts. */
  readonly fragments: boolean;
  /** Whether the peer is slowed down while messages are not wanted here. */
  readonly backpressure: boolean;
  /** Compressed messages: permessage-deflate was agreed to. */
  readonly compression: boolean;
}

/** Counts since the connection was opened. */
export interface ConnectionStats {
  /** Whole messages that were parsed, whether or not they are delivered yet. */
  readonly messagesReceived: number;
  /** Messages that were accepted for sending, whether or not they have left yet. */
  readonly messagesSent: number;
  /**
   * Messages that were not sent: those that `overflow` dropped, and those that were accepted and still waited when the connection ended.
   */
  readonly messagesDropped: number;
  /** Pings of the peer. */
  readonly pingsReceived: number;
  /** Pongs of the peer, solicited or not. */
  readonly pongsReceived: number;
  /** Bytes received from the transport after the opening handshake, frame headers included. */
  readonly bytesReceived: number;
  /** Bytes written to the transport after the opening handshake, frame headers included. */
  readonly bytesSent: number;
  /** What waits for a subscriber, in bytes: messages with 128 each for keeping them, and what is not parsed yet. */
  readonly inboxBytes: number;
  /** Milliseconds from the handshake until now, or until the end. */
  readonly uptime: number;
}

/**
 * One WebSocket connection, of a server or of a client.
 *
 * **Subscription is flow control.** While `messages$` has no subscriber, or a hold is taken, incoming messages wait: up to
 * `highWaterMark` bytes here, the rest in TCP. Nothing is lost; unsubscribing never closes.
 *
 * @typeParam Data what `authenticate` returned. @typeParam In the type of messages. @typeParam Out what `send` takes.
 */
export interface Connection<Data = unknown, In = Message, Out = Outgoing> extends AsyncIterable<In>, AsyncDisposable {
  /**
   * The messages, in order, to all subscribers. The first subscriber gets what waited; later ones get no replay. Completes when
   * the connection has ended and what waited is delivered. Never errors. Unsubscribing pauses the peer.
   */
  readonly messages$: Observable<In>;
  /** The payloads of pings, as they are answered. Hot; completes with the connection; never errors. RFC 6455 §5.5.2. */
  readonly pings$: Observable<Uint8Array>;
  /** The payloads of pongs. Hot; completes with the connection; never errors. RFC 6455 §5.5.3. */
  readonly pongs$: Observable<Uint8Array>;
  /** How it ended: exactly one value, replayed, then completion. Never errors. */
  readonly close$: Observable<CloseInfo>;
  /** Sends: an Observer that any Observable of data can be subscribed to. See {@link SendSubject}. */
  readonly send: SendSubject<Out>;

  /** Suspends the delivery of messages until the Subscription is unsubscribed. Holds are counted. */
  hold(): Subscription;
  /** Takes one hold, shared by all callers of `pause`. */
  pause(): void;
  /** Releases the hold that `pause` took. */
  resume(): void;

  /**
   * Sends a ping when it is subscribed to, emits the round trip in milliseconds and completes. Errors with
   * `ConnectionClosedError` when the connection ends first. Unsubscribing forgets it.
   *
   * @param data at most 125 bytes. If it is empty, the default is sent: an empty pong need not be an answer. RFC 6455 §5.5.3.
   *   @default a payload that no other ping has
   * @throws TypeError or RangeError at the call when `data` is neither a string nor bytes, or too long.
   */
  ping(data?: string | ArrayBufferView | ArrayBuffer): Observable<number>;
  /** Sends an unsolicited pong, now. Throws as {@link ping}. RFC 6455 §5.5.3. */
  pong(data?: string | ArrayBufferView | ArrayBuffer): void;

  /**
   * Begins the closing handshake: what was sent before is flushed, later sends are ignored. After `closeTimeout` without an
   * answer the connection is terminated. Harmless when it is closing already. RFC 6455 §7.1.2.
   *
   * @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999. @default 1000
   * @param reason at most 123 bytes of UTF-8. @default ''
   * @throws TypeError or RangeError for any other; nothing is sent then.
   */
  close(code?: number, reason?: string): void;
  /** Ends it at once, with a reset where the transport has one. What waits in both directions is dropped. */
  terminate(): void;

  /**
   * Sends a message and returns the outcome: `'sent'` leaves with this tick, `'buffered'` waits after others, `'dropped'` by the
   * overflow policy, `'closed'` the connection is closing or closed.
   *
   * @throws UsageError UNSUPPORTED_DATA for a value that cannot be sent; nothing happens then.
   */
  trySend(data: Out): SendResult;
  /**
   * Sends what `source` gives, without closing at its end, and emits how many items were sent when it ends. Iterables and async
   * iterables are pulled only while `send.ready$` is true. Errors with the source's error, or with `UsageError` for a value that
   * cannot be sent. Completes early, with the count so far, when the connection ends. Unsubscribing stops the source.
   *
   * @throws TypeError at the call for a string (its characters would be the items) and anything else that is no source.
   */
  sendFrom(source: SendSource<Out>): Observable<number>;
  /** Emits once and completes when everything sent so far is with the operating system; only completes if the connection ends first. */
  flush(): Observable<void>;
  /** Discards messages until it is unsubscribed, so that pings and the peer's end are seen without a reader. */
  ignoreMessages(): Subscription;

  /** What `authenticate` returned; `undefined` without it. */
  readonly data: Data;
  /** The handshake's request, on a server: the one that hooks were given; where there are none, one that is made again of its fields. */
  readonly request: IncomingMessage | undefined;
  /** The handshake's response, on a client. */
  readonly response: IncomingMessage | undefined;
  /** On a client the URL that it is connected to, on a server the URL of the request. */
  readonly url: string;
  /** The agreed subprotocol, or ''. */
  readonly protocol: string;
  /** The agreed extensions. */
  readonly extensions: Readonly<Record<string, readonly Readonly<Record<string, string | number | true>>[]>>;
  /** 13, or 8 on a client that asked for it. */
  readonly protocolVersion: number;
  /** What it can do: on Node all of it, and `compression` where both ends want it. */
  readonly supports: Supports;
  /** The address of the peer; undefined on a Unix domain socket and with `wrap`. */
  readonly remoteAddress: string | undefined;
  /** One of {@link ReadyState}. */
  readonly readyState: ReadyState;
  /** Bytes that are not handed to the operating system yet; the same as `send.bufferedAmount`. */
  readonly bufferedAmount: number;
  /** The same as `stats.bytesReceived`. */
  readonly bytesReceived: number;
  /** The same as `stats.bytesSent`. */
  readonly bytesSent: number;
  /** The last round trip of a ping in milliseconds, of the heartbeat or of `ping()`; `undefined` before the first. */
  readonly latency: number | undefined;
  /** A snapshot. */
  readonly stats: ConnectionStats;
}

/** What {@link Connection.sendFrom} takes. */
export type SendSource<Out> = Observable<Out> | Iterable<Out> | AsyncIterable<Out> | PromiseLike<Out>;
