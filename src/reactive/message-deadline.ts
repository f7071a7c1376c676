import type { SchedulerLike, Subscription } from 'rxjs';
import { LOOP_GRACE } from '../transport/clock.js';

/** A message that arrives at least this fast may take as long as it wants. In bytes per second. */
const MIN_RATE = 8_192;

/** The message that is arriving. */
export interface ArrivingMessage {
  /** Its ordinal; 0 when none has begun. */
  readonly partialMessage: number;
  /** How much of it has come, in bytes. */
  readonly partialBytes: number;
}

/**
 * Gives each incoming message a fixed time, and more only while it arrives at {@link MIN_RATE}. One timer, that is not armed anew
 * for each message. A blocked event loop raises no false alarm.
 */
export class MessageDeadline {
  readonly #message: ArrivingMessage;
  readonly #timeout: number;
  readonly #scheduler: SchedulerLike;
  readonly #clock: () => number;
  readonly #expired: (bytes: number) => void;
  #timer: Subscription | undefined;
  #watched = 0;
  #since = 0;
  #bytes = 0;

  /**
   * @param timeout in milliseconds.
   * @param expired called with the bytes that came in that time.
   */
  constructor(
    message: ArrivingMessage,
    timeout: number,
    time: { readonly scheduler: SchedulerLike; readonly clock: () => number },
    expired: (bytes: number) => void,
  ) {
    this.#message = message;
    this.#timeout = timeout;
    this.#scheduler = time.scheduler;
    this.#clock = time.clock;
    this.#expired = expired;
  }

  /** Bytes were parsed: a message may have begun or ended. */
  check(): void {
    const current = this.#message.partialMessage;
    if (current === this.#watched) return;
    this.#watched = current;
    if (current === 0) return;
    this.#begin(0);
    this.#timer ??= this.#schedule(this.#timeout);
  }

  /** Stands still, until the next `check`. */
  stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#watched = 0;
  }

  /** Until the deadline, in milliseconds. */
  get #left(): number {
    return this.#timeout - (this.#clock() - this.#since);
  }

  #begin(bytes: number): void {
    this.#since = this.#clock();
    this.#bytes = bytes;
  }

  #schedule(delay: number): Subscription {
    return this.#scheduler.schedule(() => this.#due(), delay);
  }

  #due(): void {
    this.#timer = undefined;
    if (this.#watched === 0) return;
    const left = this.#left;
    // What lies in the kernel is read in the next turn of the loop: only then is it known what has come.
    if (left > 0) this.#timer = this.#schedule(left);
    else this.#timer = this.#scheduler.schedule(() => this.#decide());
  }

  #decide(): void {
    this.#timer = undefined;
    const left = this.#left;
    if (this.#watched === 0 || left > 0) {
      this.#due();
      return;
    }
    const arrived = this.#message.partialBytes - this.#bytes;
    if (left >= -LOOP_GRACE && arrived * 1000 < MIN_RATE * this.#timeout) {
      this.#expired(arrived);
      return;
    }
    this.#begin(this.#message.partialBytes);
    this.#timer = this.#schedule(this.#timeout);
  }
}
