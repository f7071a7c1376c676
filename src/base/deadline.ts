import { type SchedulerLike, Subscription } from 'rxjs';
import { DeadlineQueue, type Due } from './deadline-queue.js';

/**
 * Calls `expire` when `delay` ms have passed, one turn of the event loop late, as all that stands in a {@link DeadlineQueue}.
 *
 * @returns how to call it off.
 */
export function deadline(scheduler: SchedulerLike, delay: number, expire: () => void): Subscription {
  const queue = DeadlineQueue.of(scheduler);
  const item: Due = { dueAt: 0, place: -1, due: expire };
  queue.add(item, delay);
  return new Subscription(() => queue.remove(item));
}
