import type { SchedulerLike } from 'rxjs';
import type { CloseInfo, ConnectionStats, ReadyState, Supports } from './connection.js';
import type { SendResult } from './send-result.js';
import type { SendTarget } from './send-subject.js';
import type { SharedMessage } from './shared-message.js';

/** What a channel tells of its options. Sizes are bytes, times milliseconds. */
export interface ChannelSettings {
  /** How much is read ahead while there is no demand. */
  readonly highWaterMark: number;
  /** How long a hold may keep back what waits after the end. */
  readonly closeTimeout: number;
  /** For that, and for `stats.uptime`. */
  readonly scheduler: SchedulerLike;
}

/** What a channel has counted since it was made. */
export interface ChannelCounts extends Omit<ConnectionStats, 'inboxBytes' | 'uptime'> {
  /** Bytes that have come and that the inbox has not been given. */
  readonly unread: number;
}

/** Where a channel puts the messages of the peer. */
export interface ChannelInbox<In> {
  /** Whether a message would be delivered at once: there is a subscriber, and no hold. */
  readonly hasDemand: boolean;
  /** Whether a message may be put in: it is wanted, or there is room to keep it. Asked before each one. */
  readonly hasRoom: boolean;
  /**
   * Takes in a message.
   *
   * @param size in bytes. @param isKept whether it is queued if there is no demand. @default true
   */
  put(message: In, size: number, isKept?: boolean): void;
  /** Delivers one message that waits, or the end. Returns `false` when there is no demand, or nothing waits. */
  deliverNext(): boolean;
  /** No message follows those that were put in. */
  end(): void;
}

/** What a channel tells the connection over it. */
export interface ChannelEvents {
  /** A ping came. */
  ping(payload: Uint8Array): void;
  /** A pong came. */
  pong(payload: Uint8Array): void;
  /** The connection has ended: nothing can be sent any more, and `readyState` says so. Once. */
  ended(info: CloseInfo): void;
  /** Everything that can be delivered now was delivered, and pings without a pong have failed. Once, after `ended`. */
  settled(): void;
  /** A message cannot be sent, though it was accepted: the connection is to be closed for it. */
  failed(error: unknown): void;
  /** Something went wrong by no fault of the peer. The channel has acted on it. */
  report(error: Error): void;
}

/** A short way for messages that go to many connections. */
export interface ChannelLane {
  /** Takes `shared`, if it may go this way now. */
  offer(shared: SharedMessage): boolean;
  /** Closes for good. */
  shut(): void;
}

/**
 * Messages to and from one peer: frames over bytes, the WebSocket of a browser, marbles. What a live connection runs over.
 *
 * - Only the channel pauses: it asks `inbox.hasRoom` before each message, and first delivers what waits (`inbox.deliverNext`).
 * - Its state changes before it tells of that.
 * - After `close` it reads on until the peer has answered, whatever the demand.
 * - After `ended` nothing is put in that had not come before, and nothing is sent.
 * - It checks what it is given to send, and no other method throws unless it says so.
 */
export interface Channel<In, Out> extends SendTarget<Out> {
  readonly settings: ChannelSettings;
  readonly supports: Supports;
  readonly readyState: ReadyState;
  readonly counts: ChannelCounts;
  /** The last round trip of a ping in milliseconds; `undefined` before the first. */
  readonly latency: number | undefined;
  /** The short way for messages to many, if there is one. Asked before `trySendShared`. */
  readonly lane?: ChannelLane | undefined;

  /** Becomes the channel of a connection. Once, before anything else; values may be sent from now on. */
  attach(inbox: ChannelInbox<In>, events: ChannelEvents): void;
  /** Lets messages in. Once. */
  start(): void;
  /** Demand has begun or ended. Called within `put` and `deliverNext` too. */
  pump(): void;

  /** As `trySend(shared.value)`, which it is if this is missing: what one connection makes of the value, others use. */
  trySendShared?(shared: SharedMessage<Out>, onHanded: (() => void) | undefined): SendResult;

  /** Calls `done` when everything that was sent so far is with the operating system: at once if it is already. */
  whenHanded(done: () => void): void;
  /** Whether a producer has to leave the rest for `defer`. @param now what `performance.now()` gives. */
  isTurnOver(now: number): boolean;
  /** Calls `task` in a later turn of the event loop. */
  defer(task: () => void): void;

  /**
   * Sends a ping. Calls `answered` with the round trip in milliseconds, or `lost` when the connection ends first.
   *
   * @param payload if it is empty, one that no other ping has is sent.
   * @returns what forgets it.
   */
  ping(payload: Uint8Array, answered: (roundTrip: number) => void, lost: () => void): () => void;
  /** Sends an unsolicited pong. */
  pong(payload: Uint8Array): void;

  /**
   * Begins to close. Harmless when it is closing.
   *
   * @param error why: it stands in `close$` if it is an Error.
   * @throws TypeError or RangeError for a code or reason that an application may not send.
   */
  close(code: number, reason: string, error?: unknown): void;
  /** Forgets what has come and was not put in. */
  discard(): void;
  /** Ends at once, with `ended`. */
  abort(): void;
}
