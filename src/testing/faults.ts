import { Subscription } from 'rxjs';
import { portOf } from './connection-pair.js';
import type { AnyConnection } from './test-server.js';

/**
 * Nothing that is sent to `conn`, an end of a `connectionPair`, arrives any more, as if its process hung: the other end fills up. When
 * the Subscription is unsubscribed all of it arrives.
 *
 * @throws UsageError NOT_A_PAIR
 */
export function stallReads(conn: AnyConnection): Subscription {
  const port = portOf('stallReads', conn);
  port.stalls++;
  return new Subscription(() => {
    port.stalls--;
    port.deliver();
  });
}

/**
 * Bytes arrive at `conn`, an end of a `connectionPair`, in chunks of at most `size`, as slow networks cut them. Until the Subscription
 * is unsubscribed.
 *
 * @throws UsageError NOT_A_PAIR, RangeError for a size below 1
 */
export function splitEvery(conn: AnyConnection, size: number): Subscription {
  const port = portOf('splitEvery', conn);
  if (!(Number.isInteger(size) && size >= 1))
    throw new RangeError(`size must be an integer of at least 1, got ${size}`);
  const before = port.chunkSize;
  port.chunkSize = size;
  return new Subscription(() => {
    port.chunkSize = before;
  });
}

/**
 * The network between both ends of a `connectionPair` is lost: what has not arrived is gone, and both get 1006 with ECONNRESET.
 *
 * @throws UsageError NOT_A_PAIR
 */
export function reset(conn: AnyConnection): void {
  portOf('reset', conn).loseBoth();
}

/**
 * No pong arrives at `conn`, an end of a `connectionPair`, so that its heartbeat and its `ping()` see a silent peer. Until the
 * Subscription is unsubscribed.
 *
 * @throws UsageError NOT_A_PAIR
 */
export function dropPongs(conn: AnyConnection): Subscription {
  const port = portOf('dropPongs', conn);
  port.pongDrops++;
  return new Subscription(() => {
    port.pongDrops--;
  });
}
