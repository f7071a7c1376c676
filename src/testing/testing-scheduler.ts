import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * The default scheduler of the doubles: virtual within `TestScheduler.run`, and the real one elsewhere. Unlike `asyncScheduler` it is
 * its own clock too, so that spans are measured in virtual time.
 */
export const testingScheduler: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler) as SchedulerLike['schedule'],
};
