import { propertyOf, textOf } from '../../base/thrown.js';
import { ReadyState } from '../../connection/connection.js';
import type { SendResult } from '../../connection/send-result.js';
import { type SharedMessage, shareMessage } from '../../connection/shared-message.js';
import { LatestKeeper } from './latest-keeper.js';
import { sendShared, trySendShared } from './send-shared.js';
import { isSlow, type Target } from './target.js';

/**
 * What happens to a message for a slow connection (more than `highWaterMark` bytes wait there):
 *
 * - `'buffer'`: it is queued, up to the connection's `maxBufferedAmount`; then the connection's own `overflow` decides.
 * - `'drop'`: it is dropped.
 * - `'latest'`, as `{ latest: (message) => key }`: only the latest message of each key is kept, and sent once the connection is ready.
 * - `'close'`: the connection is closed with 1013. Earlier messages are flushed; after its `closeTimeout` it is terminated.
 */
export type SlowPolicy<Out> = 'buffer' | 'drop' | 'close' | LatestPolicy<Out>;

/** The {@link SlowPolicy} that keeps the latest message of each key. */
export interface LatestPolicy<Out> {
  /** Returns the key of a message. */
  readonly latest: (message: Out) => unknown;
}

/** The number of connections of a broadcast, by what happened to the message there. */
export interface BroadcastResult {
  /** It is written in this tick. */
  readonly sent: number;
  /** It waits in the queue, or as the latest of its key. */
  readonly buffered: number;
  /** It was dropped, by `overflow` of the broadcast or of the connection. */
  readonly dropped: number;
  /** The connection is closing or closed, possibly by `overflow`. */
  readonly closed: number;
}

/** Options of everything that sends a message to many connections. */
export interface DeliveryOptions<Out, C> {
  /** What happens to a message for a slow connection. @default 'buffer' */
  readonly overflow?: SlowPolicy<Out>;
  /**
   * Called for each connection with the result there. An error that it throws, or that `latest` or `filter` throws, is thrown (by
   * `broadcast`: emitted as its error) after the message was sent to all others.
   */
  readonly onResult?: (result: SendResult, conn: C, message: Out) => void;
}

/** Sends messages to many connections, and never waits for one of them. */
export class Delivery<Out, C extends Target<Out>> {
  readonly #options: DeliveryOptions<Out, C>;
  readonly #kept: LatestKeeper<Out>;

  /**
   * @param kept keeps the latest messages for slow connections.
   * @throws RangeError if `overflow` is not allowed.
   */
  constructor(options: DeliveryOptions<Out, C>, kept: LatestKeeper<Out> = new LatestKeeper()) {
    checkOverflow(options.overflow);
    this.#options = options;
    this.#kept = kept;
  }

  /**
   * Sends `message` to each of `connections`.
   *
   * @param isFor returns whether the message is for a connection. Called when its turn comes.
   * @throws UsageError for a message that cannot be sent, before it is sent to any connection.
   * @throws the first error of `isFor`, `latest` or `onResult`, after the message was sent to all others.
   */
  send(connections: Iterable<C>, message: Out, isFor?: (conn: C) => boolean): BroadcastResult {
    const { onResult } = this.#options;
    const counts = { sent: 0, buffered: 0, dropped: 0, closed: 0 };
    const shared = shareMessage(message);
    const overflow = this.#options.overflow ?? 'buffer';
    const context: Context<Out> = { overflow, kept: this.#kept, shared, isFirst: true, isUnsendable: false };
    let failure: { readonly error: unknown } | undefined;
    for (const conn of connections) {
      try {
        if (isFor !== undefined && !isFor(conn)) continue;
        const result = deliver(conn, context);
        counts[result]++;
        onResult?.(result, conn, message);
      } catch (error) {
        if (context.isUnsendable) throw error;
        // An error of the application for one connection does not affect the others.
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return counts;
  }
}

interface Context<Out> {
  readonly overflow: SlowPolicy<Out>;
  readonly kept: LatestKeeper<Out>;
  readonly shared: SharedMessage<Out>;
  /** Whether no connection has accepted the message yet. */
  isFirst: boolean;
  /** Whether an error means that the message itself cannot be sent. */
  isUnsendable: boolean;
}

function deliver<Out>(conn: Target<Out>, context: Context<Out>): SendResult {
  const { overflow, kept, shared } = context;
  if (overflow !== 'buffer') {
    const mustKeep = typeof overflow === 'object' ? kept.mustKeep(conn) : isSlow(conn.send);
    if (mustKeep) return deliverSlowly(conn, context);
  }
  return context.isFirst ? sendFirst(conn, context) : sendShared(conn, shared);
}

function sendFirst<Out>(conn: Target<Out>, context: Context<Out>): SendResult {
  context.isUnsendable = true;
  const result = trySendShared(conn, context.shared);
  context.isUnsendable = false;
  context.isFirst = result === 'closed';
  return result;
}

function deliverSlowly<Out>(conn: Target<Out>, { overflow, kept, shared }: Context<Out>): SendResult {
  // Only an open connection can be slow.
  if (conn.readyState !== ReadyState.OPEN) return 'closed';
  if (typeof overflow === 'object') {
    kept.keep(conn, overflow.latest(shared.value), shared);
    return 'buffered';
  }
  if (overflow === 'drop') return 'dropped';
  conn.close(1013, 'too slow');
  return 'closed';
}

function checkOverflow(overflow: unknown): void {
  if (overflow === undefined || overflow === 'buffer' || overflow === 'drop' || overflow === 'close') return;
  if (typeof propertyOf(overflow, 'latest') === 'function') return;
  throw new RangeError(
    `overflow must be 'buffer', 'drop', 'close' or { latest: (message) => key }, got ${textOf(overflow)}`,
  );
}
