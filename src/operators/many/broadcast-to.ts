import type { Outgoing } from '../../connection/outgoing.js';
import { type BroadcastResult, Delivery, type DeliveryOptions } from './delivery.js';
import { LatestKeeper } from './latest-keeper.js';
import { type Except, isNotIn, type Target } from './target.js';

/** Options of {@link broadcastTo}. */
export interface BroadcastToOptions<Out = Outgoing, C extends Target<Out> = Target<Out>>
  extends DeliveryOptions<Out, C> {
  /** Connections that do not get the message: one (such as its sender), or a set of them. */
  readonly except?: Except;
}

/** The latest messages by key and connection, for all calls: callers may create an options object for each call. */
// biome-ignore lint/suspicious/noExplicitAny: messages of any type
const kept = new LatestKeeper<any>();

/**
 * Sends `message` to each of `connections`, and returns for how many it was `sent`, `buffered`, `dropped` or `closed`.
 *
 * It is framed once for all server connections and compressed once for those with the same parameters. Never waits: `overflow` says what
 * happens for a slow connection. The connections that are in `connections` at the call get it, if they are open when their turn
 * comes. Data of more than 4 KiB is not copied: do not change it until it has been sent everywhere.
 *
 *     broadcastTo      m--n----o      [a, b], { latest: () => '' }
 *     b.send.ready$    t-f-------t
 *     to a             m--n----o
 *     to b             m---------o
 *
 * @throws UsageError for a message that cannot be sent, before it is sent to any connection. If only one connection cannot send it,
 *   that one is closed with 1011.
 * @throws what `latest` or `onResult` throws, after the message was sent to all others.
 * @throws RangeError if `overflow` is not allowed.
 * @example conn.messages$.subscribe((message) => broadcastTo(connections, message, { except: conn }));
 */
export function broadcastTo<Out, C extends Target<Out>>(
  connections: Iterable<C>,
  message: Out,
  { except, ...options }: BroadcastToOptions<Out, C> = {},
): BroadcastResult {
  const delivery = new Delivery<Out, C>(options, kept);
  return delivery.send([...connections], message, isNotIn(except));
}
