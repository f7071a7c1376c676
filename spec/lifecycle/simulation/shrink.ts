import type { Schedule } from './schedule.js';

/**
 * `schedule` without the steps that it does not need to break the same rule: halves first, then smaller pieces, down to single steps.
 *
 * @param violationsOf runs a schedule.
 */
export function shrunk(schedule: Schedule, violationsOf: (schedule: Schedule) => readonly string[]): Schedule {
  const kind = kindOf(violationsOf(schedule));
  const fails = (each: Schedule): boolean => kindOf(violationsOf(each)) === kind;
  let { steps } = schedule;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < steps.length; ) {
      const rest = [...steps.slice(0, at), ...steps.slice(at + size)];
      if (fails({ ...schedule, steps: rest })) steps = rest;
      else at += size;
    }
  }
  return { ...schedule, steps };
}

/** The first violation, without what differs from run to run. */
function kindOf([violation = '']: readonly string[]): string {
  return violation.replace(/^[^:]*: /, '').replace(/\d+/g, '');
}
