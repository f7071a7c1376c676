import { type MonoTypeOperatorFunction, Observable, type Subscription } from 'rxjs';
import { type CanHold, holdOf } from './hold-source.js';

/** Options of {@link gate}. */
export interface GateOptions {
  /** The connection to hold, where the source is not its `messages$` itself. */
  readonly on?: CanHold;
}

/**
 * Lets values pass while the latest value of `open$` is `true`, and holds the connection otherwise, from the beginning on.
 *
 * Completes with the source, and when `open$` completes; errors with either; unsubscribing releases the hold. Errors with
 * `UsageError` NOT_HOLDABLE on a source that carries no hold, unless `on` names one.
 *
 *     messages   -a-b-c------
 *     open$      t--f----t---
 *     result     -a------(bc)
 *
 * @example a.messages$.pipe(gate(b.send.ready$), sendTo(b)).subscribe();
 */
export function gate<T>(open$: Observable<boolean>, { on }: GateOptions = {}): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      const takeHold = holdOf('gate', source, on);
      const waiting: T[] = [];
      let hold: Subscription | undefined = takeHold();
      let isSourceDone = false;
      const finish = (): void => {
        if (isSourceDone && waiting.length === 0) subscriber.complete();
      };
      const open = (): void => {
        while (waiting.length > 0 && hold === undefined) subscriber.next(waiting.shift() as T);
        finish();
      };
      subscriber.add(() => {
        waiting.length = 0;
        hold?.unsubscribe();
      });
      subscriber.add(
        source.subscribe({
          // What comes in spite of the hold waits here: more than one value of one message, or values of other sources.
          next: (value) => (hold === undefined && waiting.length === 0 ? subscriber.next(value) : waiting.push(value)),
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isSourceDone = true;
            finish();
          },
        }),
      );
      subscriber.add(
        open$.subscribe({
          next: (isOpen) => {
            if (!isOpen) {
              hold ??= takeHold();
              return;
            }
            const released = hold;
            hold = undefined;
            open();
            released?.unsubscribe();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
    });
}
