import { TestScheduler } from 'rxjs/testing';

/** What a body of {@link marbles} gets: RxJS's helpers, and the scheduler for everything that takes one. */
export type Marbles = Parameters<Parameters<TestScheduler['run']>[0]>[0] & { readonly scheduler: TestScheduler };

/** Runs `body` in virtual time, one frame a millisecond, and compares with jest what was expected in it. */
export function marbles(body: (helpers: Marbles) => void): void {
  const scheduler = new TestScheduler((found, expected) => expect(found).toEqual(expected));
  scheduler.run((helpers) => body({ ...helpers, scheduler }));
}
