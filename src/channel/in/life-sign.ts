import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import type { Watched } from './heartbeat.js';

/** The shortest time between two unsolicited pongs, in milliseconds. */
const MIN_PERIOD = 1_000;

/** Pings that arrive within this many milliseconds of each other were delayed in transit, and do not show how often the peer pings. */
const TOGETHER = 100;

/** No ping has arrived since reading was stopped. */
const NONE = -1;

/**
 * Shows a pinging peer that this end is alive while reading is stopped and the pings stay unread. It sends unsolicited pongs, which
 * RFC 6455 §5.5.3 allows as "a unidirectional heartbeat", twice as often as the peer pings.
 *
 * A slow consumer stops reading again and again, each time for less than that period, and still leaves pings unread. Therefore reading
 * that resumes for a moment does not restart the period.
 */
export class LifeSign implements Due {
  dueAt = 0;
  place = -1;
  readonly #watched: Pick<Watched, 'isReading' | 'signLife'>;
  /** The assumed time between two pings while only one has arrived, in milliseconds. */
  readonly #interval: number;
  readonly #queue: DeadlineQueue;
  /** The shortest time between two pings, in milliseconds; 0 before two have arrived. */
  #distance = 0;
  #pingedAt = NONE;
  #isRunning = false;
  /** Whether reading was stopped since the deadline was last due. */
  #isInterrupted = false;

  constructor(watched: Pick<Watched, 'isReading' | 'signLife'>, interval: number, queue: DeadlineQueue) {
    this.#watched = watched;
    this.#interval = interval;
    this.#queue = queue;
  }

  /** A ping arrived. */
  pinged(): void {
    // Integers take no separate memory.
    const now = Math.floor(this.#queue.clock());
    const distance = now - this.#pingedAt;
    const isKnown = this.#pingedAt !== NONE && distance > TOGETHER;
    if (isKnown && (this.#distance === 0 || distance < this.#distance)) this.#distance = distance;
    this.#pingedAt = now;
  }

  /** Reading was stopped: the time at which the next ping is read does not show when it was sent. */
  interrupt(): void {
    this.#pingedAt = NONE;
    this.#isInterrupted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#goOn();
  }

  stop(): void {
    this.#queue.remove(this);
  }

  /** Called by the queue when the deadline is due. */
  due(): void {
    const { isReading } = this.#watched;
    this.#isRunning = this.#isInterrupted || !isReading;
    this.#isInterrupted = false;
    if (!this.#isRunning) return;
    this.#goOn();
    // Last, because the write may end the connection.
    if (!isReading) this.#watched.signLife();
  }

  #goOn(): void {
    const distance = this.#distance === 0 ? this.#interval : this.#distance;
    this.#queue.add(this, Math.max(MIN_PERIOD, distance / 2));
  }
}
