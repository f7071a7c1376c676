import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import type { Watched } from './heartbeat.js';

/** The shortest time between two unsolicited pongs, in milliseconds. */
const MIN_PERIOD = 1_000;

/** Pings that arrive within this many milliseconds of each other were held up on the way, and say nothing of how often the peer pings. */
const TOGETHER = 100;

/** No ping has come since reading was stopped. */
const NONE = -1;

/**
 * Tells a peer that pings that this end lives, while reading is stopped and the pings stay unread: by pongs that were not asked for, which
 * RFC 6455 §5.5.3 allows as "a unidirectional heartbeat". They leave twice as often as the peer pings.
 *
 * A slow consumer stops reading again and again, each time for less than that, and leaves the pings unread all the same. So reading that
 * goes on for a moment does not restart the time.
 */
export class LifeSign implements Due {
  dueAt = 0;
  place = -1;
  readonly #watched: Pick<Watched, 'isReading' | 'signLife'>;
  /** The time between two pings while only one has been seen, in milliseconds. */
  readonly #interval: number;
  readonly #queue: DeadlineQueue;
  /** The shortest time between two pings, in milliseconds; 0 before two have come. */
  #distance = 0;
  #pingedAt = NONE;
  #isRunning = false;
  /** Whether reading was stopped since it was due last. */
  #isInterrupted = false;

  constructor(watched: Pick<Watched, 'isReading' | 'signLife'>, interval: number, queue: DeadlineQueue) {
    this.#watched = watched;
    this.#interval = interval;
    this.#queue = queue;
  }

  /** A ping came. */
  pinged(): void {
    // Whole numbers need no memory of their own.
    const now = Math.floor(this.#queue.clock());
    const distance = now - this.#pingedAt;
    const isKnown = this.#pingedAt !== NONE && distance > TOGETHER;
    if (isKnown && (this.#distance === 0 || distance < this.#distance)) this.#distance = distance;
    this.#pingedAt = now;
  }

  /** Reading was stopped: when the next ping is read says nothing of when it was sent. */
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

  /** The queue says that its time has come. */
  due(): void {
    const { isReading } = this.#watched;
    this.#isRunning = this.#isInterrupted || !isReading;
    this.#isInterrupted = false;
    if (!this.#isRunning) return;
    this.#goOn();
    // Last: what is written may bring the end.
    if (!isReading) this.#watched.signLife();
  }

  #goOn(): void {
    const distance = this.#distance === 0 ? this.#interval : this.#distance;
    this.#queue.add(this, Math.max(MIN_PERIOD, distance / 2));
  }
}
