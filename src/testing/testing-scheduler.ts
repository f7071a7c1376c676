import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * The default scheduler of the doubles: virtual within `TestScheduler.run`, and real elsewhere. Unlike `asyncScheduler` it is also its own
 * clock, so that spans are measured in virtual time.
 */
export const testingScheduler: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler) as SchedulerLike['schedule'],
};
