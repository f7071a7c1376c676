import { asyncScheduler, type SchedulerLike } from 'rxjs';

/** A deadline that is noticed later than this, in milliseconds, indicates that our own event loop was late, not the peer. */
export const LOOP_GRACE = 1_000;

/**
 * Returns a clock in milliseconds for measuring spans: monotonic for the default scheduler, whose own clock follows the wall clock, and
 * virtual for a test scheduler.
 */
export function clockOf(scheduler: SchedulerLike): () => number {
  return scheduler === asyncScheduler ? monotonic : () => scheduler.now();
}

function monotonic(): number {
  return performance.now();
}
