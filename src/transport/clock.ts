import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * Milliseconds for measuring spans: monotonic for the default scheduler, whose own clock follows the wall clock, and virtual for
 * a test scheduler.
 */
export function clockOf(scheduler: SchedulerLike): () => number {
  return scheduler === asyncScheduler ? () => performance.now() : () => scheduler.now();
}
