import type { SchedulerLike } from 'rxjs';
import type { CloseInfo, ConnectionStats, ReadyState, Supports } from './connection.js';
import type { SendResult } from './send-result.js';
import type { SendTarget } from './send-subject.js';
import type { SharedMessage } from './shared-message.js';

/** The options of a channel that its connection needs. Sizes are in bytes, times in milliseconds. */
export interface ChannelSettings {
  /** How much is read ahead while there is no demand. */
  readonly highWaterMark: number;
  /** How long after the end a hold may delay the messages that wait. */
  readonly closeTimeout: number;
  /** For `closeTimeout` and `stats.uptime`. */
  readonly scheduler: SchedulerLike;
  /** The server that the connection belongs to, for the diagnostics; undefined if there is none. */
  readonly server?: object | undefined;
  /** The object for which each mistake of the application is reported once. @default the process */
  readonly place?: object | undefined;
}

/** Counters of a channel since it was made. */
export interface ChannelCounts extends Omit<ConnectionStats, 'inboxBytes' | 'uptime'> {
  /** Bytes received but not yet given to the inbox. */
  readonly unread: number;
}

/** The inbox into which a channel puts the peer's messages. */
export interface ChannelInbox<In> {
  /** Whether a message would be delivered immediately: there is a subscriber and no hold. */
  readonly hasDemand: boolean;
  /** Whether a message may be put in: there is demand, or room to keep it. Read before each message. */
  readonly hasRoom: boolean;
  /** Whether reading has stopped until there is a subscriber. */
  readonly isStuck: boolean;
  /** Size of the waiting messages, in bytes. */
  readonly cost: number;
  /**
   * Accepts a message.
   *
   * @param size in bytes. @param isKept whether it is queued if there is no demand. @default true
   */
  put(message: In, size: number, isKept?: boolean): void;
  /** Delivers one waiting message, or the end. Returns `false` if there is no demand or nothing waits. */
  deliverNext(): boolean;
  /** Called after the last message. */
  end(): void;
}

/** Events that a channel reports to its connection. */
export interface ChannelEvents {
  /** A ping arrived. */
  ping(payload: Uint8Array): void;
  /** A pong arrived. */
  pong(payload: Uint8Array): void;
  /** The connection has ended: nothing more can be sent, and `readyState` is `CLOSED`. Called once. */
  ended(info: CloseInfo): void;
  /** Everything deliverable was delivered, and unanswered pings have failed. Called once, after `ended`. */
  settled(): void;
  /** A message was accepted but cannot be sent: the connection must be closed. */
  failed(error: unknown): void;
  /** An error occurred that is not the peer's fault. The channel has already handled it. */
  report(error: Error): void;
}

/** A fast path for messages that go to many connections. */
export interface ChannelLane {
  /** Accepts `shared` if the fast path is open for it. Returns whether it did. */
  offer(shared: SharedMessage): boolean;
  /** Closes permanently. */
  shut(): void;
}

/**
 * Messages to and from one peer: frames over bytes, a browser's WebSocket, or marbles. A live connection runs over one.
 *
 * - Only the channel pauses: it asks `inbox.hasRoom` before each message, and first delivers what waits (`inbox.deliverNext`).
 * - Its state changes before it reports the change.
 * - After `close` it reads until the peer has answered, regardless of demand.
 * - After `ended` it puts in only what had already arrived, and sends nothing.
 * - It validates what it is given to send; other methods throw only where documented.
 */
export interface Channel<In, Out> extends SendTarget<Out> {
  readonly settings: ChannelSettings;
  readonly supports: Supports;
  readonly readyState: ReadyState;
  readonly counts: ChannelCounts;
  /** The last round trip of a ping in milliseconds; `undefined` before the first. */
  readonly latency: number | undefined;
  /** The fast path for broadcast messages, if there is one. Tried before `trySendShared`. */
  readonly lane?: ChannelLane | undefined;

  /** Attaches the channel to a connection. Called once, before anything else; values may be sent from now on. */
  attach(inbox: ChannelInbox<In>, events: ChannelEvents): void;
  /** Starts to receive messages. Called once. */
  start(): void;
  /** Demand has begun or ended. Also called within `put` and `deliverNext`. */
  pump(): void;

  /** Like `trySend(shared.value)`, but connections reuse what the first one encoded. If it is missing, `trySend` is used. */
  trySendShared?(shared: SharedMessage<Out>, onHanded: (() => void) | undefined): SendResult;

  /** Calls `done` when everything sent so far was handed to the operating system: immediately if it already was. */
  whenHanded(done: () => void): void;
  /** Whether a producer must leave the rest to `defer`. @param now the current `performance.now()`. */
  isTurnOver(now: number): boolean;
  /** Calls `task` in a later turn of the event loop. */
  defer(task: () => void): void;

  /**
   * Sends a ping. Calls `answered` with the round trip in milliseconds, or `lost` if the connection ends first.
   *
   * @param payload if it is empty, a unique one is sent.
   * @returns a function that forgets the ping.
   */
  ping(payload: Uint8Array, answered: (roundTrip: number) => void, lost: () => void): () => void;
  /** Sends an unsolicited pong. */
  pong(payload: Uint8Array): void;

  /**
   * Begins to close. Has no effect if the channel is already closing.
   *
   * @param error the cause: `close$` includes it if it is an Error.
   * @throws TypeError or RangeError for a code or reason that an application may not send.
   */
  close(code: number, reason: string, error?: unknown): void;
  /** Discards received data that was not put into the inbox. */
  discard(): void;
  /** Ends immediately and calls `ended`. */
  abort(): void;
}
