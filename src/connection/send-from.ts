import { Observable, type ObservableInput } from 'rxjs';
import { describe } from '../base/describe.js';
import { Puller } from '../base/puller.js';
import type { CloseInfo } from './connection.js';
import type { SendResult } from './send-result.js';

/** A target that {@link sendFrom} sends to. */
export interface SendFromTarget<Out> {
  /** @throws UsageError for a value that cannot be sent. */
  trySend(value: Out): SendResult;
  readonly ready$: Observable<boolean>;
  readonly isReady: boolean;
  /** Whether items are accepted: false once the connection closes. */
  readonly isOpen: boolean;
  readonly close$: Observable<CloseInfo>;
  isTurnOver(now: number): boolean;
  defer(task: () => void): void;
}

/** See `Connection.sendFrom`. */
export function sendFrom<Out>(target: SendFromTarget<Out>, source: ObservableInput<Out>): Observable<number> {
  if ((typeof source !== 'object' && typeof source !== 'function') || source === null) {
    throw new TypeError(`source must be an Observable, iterable, async iterable or Promise, got ${describe(source)}`);
  }
  return new Observable((subscriber) => {
    let sent = 0;
    const finish = (): void => {
      subscriber.next(sent);
      subscriber.complete();
    };
    const pace = {
      isReady: () => !subscriber.closed && target.isReady,
      isTurnOver: (now: number) => target.isTurnOver(now),
      defer: (task: () => void) => target.defer(task),
    };
    const puller = new Puller<Out>(source, pace, {
      next: (value) => {
        if (subscriber.closed) return;
        try {
          const result = target.trySend(value);
          if (result === 'closed') finish();
          else if (result !== 'dropped') sent++;
        } catch (error) {
          subscriber.error(error);
        }
      },
      error: (error) => subscriber.error(error),
      complete: finish,
    });
    subscriber.add(puller);
    subscriber.add(target.close$.subscribe(() => finish()));
    puller.start();
    subscriber.add(
      target.ready$.subscribe((ready) => {
        if (ready) puller.resume();
        else if (!target.isOpen) finish();
      }),
    );
  });
}
