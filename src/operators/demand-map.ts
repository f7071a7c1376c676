import {
  from,
  Observable,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { Fifo } from '../base/fifo.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { type CanHold, holdOf } from './hold-of.js';

/** Options of {@link demandMap}. */
export interface DemandMapOptions {
  /** How many inner Observables may run at a time. @default 1 */
  readonly concurrency?: number;
  /** The connection to hold, where the source is not its `messages$` itself. */
  readonly on?: CanHold;
}

/**
 * Like `mergeMap(project, concurrency)`, but holds its connection while it is busy instead of buffering.
 *
 * Completes when the source and all inner Observables have; errors with the first of them that errors, or with what `project` throws,
 * and releases the hold; unsubscribing releases it too. Errors with `UsageError` NOT_HOLDABLE on a source that carries no hold, unless
 * `on` names one. An inner Observable that completes at once never pauses the connection. The next one begins when all that the one
 * before it held is released.
 *
 *     messages   -a-b----c--|      each takes 3 frames, concurrency 1
 *     held       -^--^--!^--!
 *     result     ----a--b---(c|)
 *
 * @throws RangeError at the call when `concurrency` is not a number of at least 1.
 * @example conn.messages$.pipe(demandMap((order) => save(order), 4)).subscribe();
 */
export function demandMap<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  options: number | DemandMapOptions = {},
): OperatorFunction<T, ObservedValueOf<O>> {
  const { concurrency = 1, on } = typeof options === 'number' ? { concurrency: options } : options;
  if (!(concurrency >= 1)) throw new RangeError(`concurrency is ${concurrency}, allowed are numbers from 1`);
  return (source) =>
    new Observable((subscriber) => {
      const work = new DemandMapper(subscriber, project, concurrency, holdOf('demandMap', source, on));
      work.run(source);
      // Behind the subscription to the source: when the hold is released nobody is there to take what waits.
      subscriber.add(() => work.stop());
    });
}

class DemandMapper<T, O extends ObservableInput<unknown>> {
  readonly #subscriber: Subscriber<ObservedValueOf<O>>;
  readonly #project: (value: T, index: number) => O;
  readonly #concurrency: number;
  readonly #takeHold: () => Subscription;
  /** What came in spite of the hold: more than one value of one message, or values of other sources. */
  readonly #waiting = new Fifo<T>();
  #hold: Subscription | undefined;
  #active = 0;
  #isFilling = false;
  #index = 0;
  #isSourceDone = false;

  constructor(
    subscriber: Subscriber<ObservedValueOf<O>>,
    project: (value: T, index: number) => O,
    concurrency: number,
    takeHold: () => Subscription,
  ) {
    this.#subscriber = subscriber;
    this.#project = project;
    this.#concurrency = concurrency;
    this.#takeHold = takeHold;
  }

  run(source: Observable<T>): void {
    subscribeWithin(this.#subscriber, source, {
      next: (value) => {
        if (this.#hasPlace && this.#waiting.isEmpty) this.#begin(value);
        else this.#waiting.push(value);
      },
      error: (error: unknown) => this.#subscriber.error(error),
      complete: () => {
        this.#isSourceDone = true;
        this.#completeIfDone();
      },
    });
  }

  stop(): void {
    this.#waiting.clear();
    this.#release();
  }

  get #hasPlace(): boolean {
    return this.#active < this.#concurrency;
  }

  #begin(value: T): void {
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
    if (!this.#hasPlace && !this.#subscriber.closed) this.#hold ??= this.#takeHold();
  }

  #end(): void {
    this.#active--;
    // One loop, however many inner Observables complete at once: the stack does not grow with what waits.
    if (this.#isFilling) return;
    this.#isFilling = true;
    while (!this.#waiting.isEmpty && this.#hasPlace) this.#begin(this.#waiting.shift());
    this.#isFilling = false;
    if (this.#hasPlace) this.#release();
    this.#completeIfDone();
  }

  #completeIfDone(): void {
    if (this.#isSourceDone && this.#active === 0 && this.#waiting.isEmpty) this.#subscriber.complete();
  }

  #release(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.unsubscribe();
  }
}
