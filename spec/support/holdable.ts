import { Observable, type SchedulerLike, type Subscriber, Subscription } from 'rxjs';

/** The symbol as other packages get at it. */
const holdKey: unique symbol = Symbol.for('sluice.hold') as never;

/** When a hold was taken and released, as `expectSubscriptions` compares it. In frames. */
interface HoldLog {
  readonly subscribedFrame: number;
  unsubscribedFrame: number;
}

/**
 * A double of a connection's `messages$`: the values of `source$` wait while it is held, and so does its end. One subscriber at a
 * time; what is left is for the next one.
 */
export class Holdable<T> extends Observable<T> {
  /** Each hold that was taken: `expectSubscriptions(source.holds).toBe('-^--!')`. */
  readonly holds: HoldLog[] = [];
  readonly [holdKey]: () => Subscription = () => this.hold();
  readonly #clock: Pick<SchedulerLike, 'now'>;
  readonly #waiting: T[] = [];
  #subscriber: Subscriber<T> | undefined;
  #holds = 0;
  #isDone = false;
  #isDelivering = false;

  constructor(source$: Observable<T>, clock: Pick<SchedulerLike, 'now'> = { now: () => 0 }) {
    super((subscriber) => {
      this.#subscriber = subscriber;
      subscriber.add(() => {
        this.#subscriber = undefined;
      });
      this.#deliver();
      subscriber.add(
        source$.subscribe({
          next: (value) => {
            this.#waiting.push(value);
            this.#deliver();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            this.#isDone = true;
            this.#deliver();
          },
        }),
      );
    });
    this.#clock = clock;
  }

  /** What has come and was not delivered. */
  get waiting(): readonly T[] {
    return this.#waiting;
  }

  /** Whether it is held at present. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  hold(): Subscription {
    const log: HoldLog = { subscribedFrame: this.#clock.now(), unsubscribedFrame: Number.POSITIVE_INFINITY };
    this.holds.push(log);
    this.#holds++;
    return new Subscription(() => {
      log.unsubscribedFrame = this.#clock.now();
      this.#holds--;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let at = this.#subscriber; at !== undefined && !this.isHeld; at = this.#subscriber) {
      if (this.#waiting.length > 0) at.next(this.#waiting.shift() as T);
      else break;
    }
    this.#isDelivering = false;
    if (this.#isDone && !this.isHeld && this.#waiting.length === 0) this.#subscriber?.complete();
  }
}
