import { type SchedulerLike, Subscription } from 'rxjs';

/**
 * Calls `expire` when `delay` ms have passed, one turn of the event loop late: what lies in the kernel by then is read first. So a
 * loop that was blocked, which finds its timers due before it reads, does not blame the peer. Every deadline of a peer goes this way.
 *
 * @param noticed called when the time has passed, a turn before `expire`.
 * @returns how to call it off.
 */
export function deadline(
  scheduler: SchedulerLike,
  delay: number,
  expire: () => void,
  noticed?: () => void,
): Subscription {
  const timers = new Subscription();
  const notice = (): void => {
    noticed?.();
    timers.add(scheduler.schedule(expire));
  };
  timers.add(scheduler.schedule(notice, delay));
  return timers;
}
