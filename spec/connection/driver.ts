/** What an implementation of `Connection` brings to the conformance suite: itself, a peer, and what it lacks. */
import type { Subscription } from 'rxjs';
import type { Connection, Supports } from 'sluice';

/** A connection of any type. */
// biome-ignore lint/suspicious/noExplicitAny: a suite for all implementations cannot know their types
export type AnyConnection = Connection<any, any, any>;

/** The members that a connection and a `PersistentConnection` have in common. */
export type FlowConnection = Pick<
  AnyConnection,
  'messages$' | 'hold' | 'pause' | 'resume' | 'send' | 'trySend' | 'readyState' | 'bufferedAmount' | 'ignoreMessages'
>;

/** A behaviour in which an implementation differs from design.md. The suite tests what it does instead. */
export type Difference =
  /** It answers a ping with the next pong, whatever its payload, and its peer sees no pings or pongs. */
  | 'sends no control frames'
  /** `send.ready$` stays true between `close()` and the end. */
  | 'stays ready while it closes'
  /** A message that comes after `close()` is kept for a later subscriber. */
  | 'keeps messages after close() without demand'
  /** Where both ends close at once, `close$` names the peer as the initiator. */
  | 'blames the peer for crossing closes';

/** A value that an implementation cannot send. */
export interface Unsendable {
  readonly value: unknown;
  /** The `code` of the `UsageError`. */
  readonly code: string;
}

/** An implementation, and what it can do. */
export interface Driver<C extends FlowConnection = AnyConnection> {
  /** The heading of its tests. */
  readonly name: string;
  /** What `supports` has to say. Tests of what is `false` here are replaced by one that checks this. */
  readonly supports: Supports;
  /** Whether messages may be bytes. Not the same as `supports.binary`: a codec may take text only. */
  readonly takesBytes: boolean;
  /** Whether the peer can stop the sender: without it `stall` of its peers does nothing. */
  readonly hasBackpressure: boolean;
  /** Whether the peer of the driver can close without a code. */
  readonly peerMayOmitCode: boolean;
  /** More bytes than leave while the peer does not read. */
  readonly fill: number;
  /** A value that cannot be sent; `undefined` if every value can. */
  readonly unsendable: Unsendable | undefined;
  readonly differences: readonly Difference[];
  /** The kind of Observable that emits the connection; `undefined` if it is not emitted by one. */
  readonly emittedBy: 'server' | 'client' | undefined;
  /** Makes an open connection, and its peer. */
  open(options?: SubjectOptions): Promise<Subject<C>>;
}

/** How a connection is to be opened. */
export interface SubjectOptions {
  /** As the option of connections, in bytes. @default that of the implementation */
  readonly highWaterMark?: number;
}

/** An open connection and its surroundings. */
export interface Subject<C extends FlowConnection = AnyConnection> {
  readonly conn: C;
  readonly peer: Peer;
  /** The Observable that emitted the connection; `undefined` if the driver has no `emittedBy`. */
  readonly source: Source | undefined;
  /** How many messages have arrived, whether or not they are delivered. */
  readonly arrived: number;
  /** What waits for a subscriber, in bytes. */
  readonly inboxBytes: number;
  /** Ends the connection, its peer and its server, whatever their state. */
  end(): unknown;
}

/** The Observable that emitted a connection. */
export interface Source {
  /** Its terminal notification; `undefined` before. */
  readonly ending: SourceEnding | undefined;
  /** Unsubscribes. */
  leave(): void;
}

/** A terminal notification. */
export type SourceEnding = { readonly type: 'complete' } | { readonly type: 'error'; readonly error: unknown };

/** The other end of a connection. Messages are the values that the subject takes and emits. */
export interface Peer {
  /** The messages that came from the subject, in order. */
  readonly received: readonly unknown[];
  /** The payloads of pongs that came from the subject. */
  readonly pongs: readonly string[];
  /** How the subject ended it; 1006 if it was terminated. `undefined` before. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
  send(...messages: readonly unknown[]): void;
  ping(data: string): void;
  /** Sends a pong that nobody asked for. */
  pong(data: string): void;
  /** Answers the pings of the subject. Does nothing where the peer does that by itself. */
  answerPings(): void;
  close(code?: number, reason?: string): void;
  /** Loses the network between both ends: no Close frame comes. */
  lose(): void;
  /** Stops reading until the Subscription is unsubscribed. */
  stall(): Subscription;
}
