import { type SchedulerLike, Subscription } from 'rxjs';

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
