import {
  from,
  Observable,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { checkNames } from '../base/check.js';
import { HeldLine, type Passage } from '../base/held-line.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { type CanHold, holdOf } from './hold-of.js';

/** Options of {@link demandMap}. */
export interface DemandMapOptions {
  /** How many inner Observables may run at a time. @default 1 */
  readonly concurrency?: number;
  /** The connection to hold, if the source is not its `messages$` itself. */
  readonly on?: CanHold;
}

/**
 * Like `mergeMap(project, concurrency)`, but holds its connection while it is busy instead of buffering.
 *
 * Completes when the source and all inner Observables have completed; errors with the first of them that errors, or with what `project`
 * throws, and releases the hold; unsubscribing releases it too. Errors with `UsageError` NOT_HOLDABLE if the source cannot be held, unless
 * `on` is given. An inner Observable that completes at once never pauses the connection. The next one starts after the resources of the
 * one before it are released.
 *
 *     messages   -a-b----c--|      each takes 3 frames, concurrency 1
 *     held       -^--^--!^--!
 *     result     ----a--b---(c|)
 *
 * @throws RangeError at the call if `concurrency` is not a number of at least 1.
 * @example conn.messages$.pipe(demandMap((order) => save(order), 4)).subscribe();
 */
export function demandMap<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  options: number | DemandMapOptions = {},
): OperatorFunction<T, ObservedValueOf<O>> {
  if (typeof options !== 'number') checkNames(options, ['concurrency', 'on']);
  const { concurrency = 1, on } = typeof options === 'number' ? { concurrency: options } : options;
  if (!(concurrency >= 1)) throw new RangeError(`concurrency must be a number of at least 1, got ${concurrency}`);
  return (source) =>
    new Observable((subscriber) => {
      const work = new DemandMapper(subscriber, project, concurrency, holdOf('demandMap', source, on));
      work.run(source);
      // After the subscription to the source, so that releasing the hold delivers nothing more.
      subscriber.add(() => work.stop());
    });
}

class DemandMapper<T, O extends ObservableInput<unknown>> implements Passage<T> {
  readonly #subscriber: Subscriber<ObservedValueOf<O>>;
  readonly #project: (value: T, index: number) => O;
  readonly #concurrency: number;
  readonly #line: HeldLine<T>;
  #active = 0;
  #index = 0;

  constructor(
    subscriber: Subscriber<ObservedValueOf<O>>,
    project: (value: T, index: number) => O,
    concurrency: number,
    takeHold: () => Subscription,
  ) {
    this.#subscriber = subscriber;
    this.#project = project;
    this.#concurrency = concurrency;
    this.#line = new HeldLine(subscriber, this, takeHold);
  }

  run(source: Observable<T>): void {
    this.#line.run(source);
  }

  stop(): void {
    this.#line.stop();
  }

  get isOpen(): boolean {
    return this.#active < this.#concurrency;
  }

  get isBusy(): boolean {
    return this.#active > 0;
  }

  pass(value: T): void {
    let inner: Observable<ObservedValueOf<O>>;
    try {
      inner = from(this.#project(value, this.#index++));
    } catch (error) {
      this.#subscriber.error(error);
      return;
    }
    this.#active++;
    let isComplete = false;
    subscribeWithin(
      this.#subscriber,
      inner,
      {
        next: (result) => this.#subscriber.next(result),
        error: (error: unknown) => this.#subscriber.error(error),
        complete: () => {
          isComplete = true;
        },
      },
      () => {
        if (isComplete) this.#end();
      },
    );
    if (!this.isOpen && !this.#subscriber.closed) this.#line.hold();
  }

  #end(): void {
    this.#active--;
    this.#line.advance();
  }
}
