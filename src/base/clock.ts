import { asyncScheduler, type SchedulerLike, Subscription } from 'rxjs';

/** A deadline that is noticed later than this says more about our own event loop than about the peer. In milliseconds. */
export const LOOP_GRACE = 1_000;

/**
 * Milliseconds for measuring spans: monotonic for the default scheduler, whose own clock follows the wall clock, and virtual for
 * a test scheduler.
 */
export function clockOf(scheduler: SchedulerLike): () => number {
  return scheduler === asyncScheduler ? monotonic : () => scheduler.now();
}

/**
 * Calls `expire` when `delay` ms have passed, one turn of the event loop late: what lies in the kernel by then is read first. So a
 * loop that was blocked, which finds its timers due before it reads, does not blame the peer.
 *
 * @returns how to call it off.
 */
export function deadline(scheduler: SchedulerLike, delay: number, expire: () => void): Subscription {
  const timers = new Subscription();
  timers.add(scheduler.schedule(() => timers.add(scheduler.schedule(expire)), delay));
  return timers;
}

function monotonic(): number {
  return performance.now();
}
