import { Subscription } from 'rxjs';
import { portOf } from './connection-pair.js';
import type { AnyConnection } from './test-server.js';

/**
 * Stops delivery to `conn`, an end of a `connectionPair`, as if its process hung: the buffers of the other end fill up. When the
 * Subscription is unsubscribed, everything arrives.
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
 * Delivers bytes to `conn`, an end of a `connectionPair`, in chunks of at most `size`, as slow networks do, until the Subscription is
 * unsubscribed.
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
 * Cuts the network between both ends of a `connectionPair`: data in transit is lost, and both ends get 1006 with ECONNRESET.
 *
 * @throws UsageError NOT_A_PAIR
 */
export function reset(conn: AnyConnection): void {
  portOf('reset', conn).loseBoth();
}

/**
 * Drops all pongs to `conn`, an end of a `connectionPair`, so that its heartbeat and its `ping()` see a silent peer, until the
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
