import { Observable, type SchedulerLike, take } from 'rxjs';
import type { CloseInfo } from '../connection/connection.js';
import { ConnectionClosedError } from '../protocol/errors.js';

/** What a {@link pingDouble} follows. */
export interface PingDoubleInputs {
  /** The pongs of the peer; `undefined` for one that answers at once. */
  readonly pongs$: Observable<unknown> | undefined;
  readonly close$: Observable<CloseInfo>;
  readonly scheduler: SchedulerLike;
}

/** As `Connection.ping`: the time until the next pong, in milliseconds; errors when the connection ends first. */
export function pingDouble({ pongs$, close$, scheduler }: PingDoubleInputs): Observable<number> {
  return new Observable((subscriber) => {
    const began = scheduler.now();
    const answered = (): void => {
      subscriber.next(scheduler.now() - began);
      subscriber.complete();
    };
    subscriber.add(
      close$.subscribe((info) => subscriber.error(new ConnectionClosedError({ ...info, cause: info.error }))),
    );
    if (subscriber.closed) return;
    if (pongs$ === undefined) answered();
    else subscriber.add(pongs$.pipe(take(1)).subscribe(answered));
  });
}
