import type { Observable, SchedulerLike } from 'rxjs';
import type { CloseInfo, Connection, Message } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';

/** Inputs that script the peer, the network and the operating system. Each is subscribed to once, when the connection is made. */
export interface TestConnectionInputs<In = Message, Data = undefined> {
  /**
   * The messages of the peer. Completion closes with 1000, after the last message, unless `close$` is given; an error is a lost
   * connection (1006, with that error).
   */
  readonly messages$?: Observable<In>;
  /** The pings of the peer. */
  readonly pings$?: Observable<Uint8Array | string>;
  /** The pongs of the peer. Without this input a `ping()` is answered at once; with it, by the next pong. */
  readonly pongs$?: Observable<Uint8Array | string>;
  /** How the connection ends: a close code of the peer, or all or part of its `CloseInfo`; any string means 1000. An error is a lost connection. */
  readonly close$?: Observable<number | string | Partial<CloseInfo>>;
  /** The values of `send.ready$`, which is `true` at first. Without it, readiness follows from `highWaterMark` and the bytes not flushed. */
  readonly ready$?: Observable<boolean>;
  /** Emits when everything sent so far is handed to the operating system. Without it, that happens at once. */
  readonly flushed$?: Observable<unknown>;
  /** Like the option of a connection: a limit for waiting data in either direction, in bytes. @default 65_536 */
  readonly highWaterMark?: number;
  /** For `conn.data`. @default undefined */
  readonly data?: Data;
  /** For `conn.url`. @default '/' */
  readonly url?: string;
  /** For `conn.protocol`. @default '' */
  readonly protocol?: string;
  /** For the end of the connection. @default virtual within `TestScheduler.run`, real elsewhere */
  readonly scheduler?: SchedulerLike;
}

/** How the application ended a connection: the arguments of `close`, or code 1006 for `terminate`. */
export interface Closed {
  /** The code. */
  readonly code: number;
  /** The reason. */
  readonly reason: string;
}

/** A connection with a scripted peer that shows what the application does to it. */
export interface TestConnection<Data = undefined, In = Message, Out = Outgoing> extends Connection<Data, In, Out> {
  /** Emits the values that the application sends. Replayed; completes with the connection. */
  readonly sent$: Observable<Out>;
  /** Emits how the application ended the connection, at most once. Replayed; completes with the connection. */
  readonly closed$: Observable<Closed>;
  /** Emits the first demand, and each change. Demand is `true` with a subscriber and without a hold. Replayed; completes with the connection. */
  readonly demand$: Observable<boolean>;
}
