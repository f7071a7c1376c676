import { firstValueFrom, type Observable, toArray } from 'rxjs';
import { endAfterEach } from '../support/end-after-each.js';
import type { Driver, FlowConnection, Subject, SubjectOptions } from './driver.js';

/** Opens subjects, and ends them after each test of the `describe` in which this is called. */
export function opener<C extends FlowConnection>(driver: Driver<C>): (options?: SubjectOptions) => Promise<Subject<C>> {
  const end = endAfterEach();
  return async (options) => {
    const subject = await driver.open(options);
    end(() => subject.end());
    return subject;
  };
}

/** All messages from now on. */
export function record(conn: Pick<FlowConnection, 'messages$'>): unknown[] {
  const seen: unknown[] = [];
  conn.messages$.subscribe((message) => seen.push(message));
  return seen;
}

/** All values, once it completes. */
export function all<T>(source$: Observable<T>): Promise<T[]> {
  return firstValueFrom(source$.pipe(toArray()));
}
