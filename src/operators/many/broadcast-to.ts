import type { Outgoing } from '../../connection/outgoing.js';
import { type BroadcastResult, Delivery, type DeliveryOptions } from './delivery.js';
import { LatestKeeper } from './latest-keeper.js';
import { type Except, isNotIn, type Target } from './target.js';

/** Options of {@link broadcastTo}. */
export interface BroadcastToOptions<Out = Outgoing, C extends Target<Out> = Target<Out>>
  extends DeliveryOptions<Out, C> {
  /** Whom the message is not for: a connection (the one that it came from), or a set of them. */
  readonly except?: Except;
}

/** The latest messages by key and connection, of all that is sent here: an options object may be made for each call. */
// biome-ignore lint/suspicious/noExplicitAny: messages of any type
const kept = new LatestKeeper<any>();

/**
 * Sends `message` to each of `connections`, and tells how many it was `sent` to, `buffered`, `dropped` or `closed`.
 *
 * Framed once for all servers' connections and compressed once for those with the same parameters. Never waits: `overflow` says what
 * becomes of it for a connection that is not ready. Those that `connections` has when it is called get it, as far as they are open
 * when it is their turn. Data of more than 4 KiB is not copied: do not change it until it has left everywhere.
 *
 *     broadcastTo      m--n----o      [a, b], { latest: () => '' }
 *     b.send.ready$    t-f-------t
 *     to a             m--n----o
 *     to b             m---------o
 *
 * @throws UsageError for a message that cannot be sent, before anybody was sent anything. What cannot be sent to one of them only
 *   closes that one with 1011.
 * @throws what `latest` or `onResult` throws, once the message has gone to all others.
 * @throws RangeError when `overflow` is not allowed.
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
