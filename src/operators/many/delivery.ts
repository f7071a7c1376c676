import { propertyOf, textOf } from '../../base/thrown.js';
import { ReadyState } from '../../connection/connection.js';
import type { SendResult } from '../../connection/send-result.js';
import { type SharedMessage, shareMessage } from '../../connection/shared-message.js';
import { LatestKeeper } from './latest-keeper.js';
import { sendShared, trySendShared } from './send-shared.js';
import { isSlow, type Target } from './target.js';

/**
 * What becomes of a message for a connection that is slow (more than `highWaterMark` bytes wait there):
 *
 * - `'buffer'`: it waits behind the others, up to the connection's `maxBufferedAmount`; then the connection's own `overflow` decides.
 * - `'drop'`: it is dropped.
 * - `'latest'`, as `{ latest: (message) => key }`: only the latest message of each key is kept, and sent once the connection is ready.
 * - `'close'`: the connection is closed with 1013. What it was sent before is flushed; after its `closeTimeout` it is terminated.
 */
export type SlowPolicy<Out> = 'buffer' | 'drop' | 'close' | LatestPolicy<Out>;

/** The {@link SlowPolicy} that keeps the latest message of each key. */
export interface LatestPolicy<Out> {
  /** The key of a message. */
  readonly latest: (message: Out) => unknown;
}

/** How many connections a message was for, by what became of it there. */
export interface BroadcastResult {
  /** Leaves with this tick. */
  readonly sent: number;
  /** Waits behind others, or as the latest of its key. */
  readonly buffered: number;
  /** Was dropped: by `overflow` here or of the connection. */
  readonly dropped: number;
  /** The connection is closing or closed, be it by `overflow`. */
  readonly closed: number;
}

/** Options of everything that sends a message to many. */
export interface DeliveryOptions<Out, C> {
  /** What becomes of a message for a connection that is slow. @default 'buffer' */
  readonly overflow?: SlowPolicy<Out>;
  /**
   * Called for each connection with what became of the message there. What it throws, as `latest` and `filter` do, is thrown (by
   * `broadcast`: is its error) once the message has gone to all others.
   */
  readonly onResult?: (result: SendResult, conn: C, message: Out) => void;
}

/** Sends messages to many connections, and never waits for one of them. */
export class Delivery<Out, C extends Target<Out>> {
  readonly #options: DeliveryOptions<Out, C>;
  readonly #kept: LatestKeeper<Out>;

  /**
   * @param kept keeps the latest messages of those who are not ready.
   * @throws RangeError when `overflow` is not allowed.
   */
  constructor(options: DeliveryOptions<Out, C>, kept: LatestKeeper<Out> = new LatestKeeper()) {
    checkOverflow(options.overflow);
    this.#options = options;
    this.#kept = kept;
  }

  /**
   * Sends `message` to each of `connections`.
   *
   * @param isFor whether it is for this one. Asked when it is its turn.
   * @throws UsageError for a message that cannot be sent, before anybody was sent anything.
   * @throws the first error of `isFor`, `latest` or `onResult`, once the message has gone to all others.
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
        // An error of the application about one of them keeps nothing from the others.
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
  /** Whether nobody has accepted the message yet. */
  isFirst: boolean;
  /** Whether the message itself is what was wrong. */
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
