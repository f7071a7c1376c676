import type { Observable, SchedulerLike } from 'rxjs';
import type { CloseInfo, Connection, Message } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';

/** What the peer, the network and the operating system do. All are subscribed to once, when the connection is made. */
export interface TestConnectionInputs<In = Message, Data = undefined> {
  /**
   * The messages of the peer. Completion closes with 1000, behind the last of them, unless `close$` is given; an error is a lost
   * connection (1006, with that error).
   */
  readonly messages$?: Observable<In>;
  /** The pings of the peer. */
  readonly pings$?: Observable<Uint8Array | string>;
  /** The pongs of the peer. Without it a `ping()` is answered at once, with it by the next one. */
  readonly pongs$?: Observable<Uint8Array | string>;
  /** How the connection ends: a close code of the peer, or (parts of) the whole record; any string is 1000. An error is a lost connection. */
  readonly close$?: Observable<number | string | Partial<CloseInfo>>;
  /** What `send.ready$` says; true at first. Without it, what `highWaterMark` makes of what is not flushed. */
  readonly ready$?: Observable<boolean>;
  /** Emits when what was sent so far is handed to the operating system. Without it that is at once. */
  readonly flushed$?: Observable<unknown>;
  /** As the option of a connection: for what waits in either direction, in bytes. @default 65_536 */
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

/** How the application ended a connection: what it gave to `close`, or code 1006 for `terminate`. */
export interface Closed {
  /** The code. */
  readonly code: number;
  /** The reason. */
  readonly reason: string;
}

/** A connection whose peer is scripted, and that shows what the application does to it. */
export interface TestConnection<Data = undefined, In = Message, Out = Outgoing> extends Connection<Data, In, Out> {
  /** What the application has sent. Replayed; completes with the connection. */
  readonly sent$: Observable<Out>;
  /** How the application has ended it: at most one value. Replayed; completes with the connection. */
  readonly closed$: Observable<Closed>;
  /** Whether messages are wanted: `true` with a subscriber and without a hold. The first demand, and each change. Replayed; completes with the connection. */
  readonly demand$: Observable<boolean>;
}
