import { LOOP_GRACE } from '../../base/clock.js';
import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import type { HeartbeatOptions } from '../settings.js';

/** A connection that a heartbeat watches. */
export interface Watched {
  /** Increases with every byte received from the peer. */
  readonly bytesReceived: number;
  /** Whether received bytes would be noticed: false while reading is stopped. */
  readonly isReading: boolean;
  /** Increases with each message that is sent or queued, and with each byte of a message that is written. */
  readonly effort: number;
  /** Changes when the operating system takes bytes that it had no room for before. Undefined if it has taken everything. */
  readonly taken: number | undefined;
  sendPing(): void;
  /** Sends an unsolicited pong. */
  signLife(): void;
  /** The peer gave no sign of life. @param silence how long and in which situation, for the error message. */
  died(silence: string): void;
}

/** The next step of a heartbeat. */
type Step = 'ping' | 'look' | 'decide';

/**
 * Pings a peer every `interval`, and gives up on it if no byte arrives within `timeout` after a ping. A peer that does not read cannot
 * answer a ping that is preceded by messages: while there may be some, the heartbeat gives up only when nothing has arrived from the
 * peer and nothing has left for it for `stalledTimeout`.
 *
 * It has one deadline and does no work per message. It is suspended while reading is stopped. A blocked event loop raises no false alarm.
 */
export class Heartbeat implements Due {
  dueAt = 0;
  place = -1;
  readonly #watched: Watched;
  readonly #times: Required<HeartbeatOptions>;
  readonly #queue: DeadlineQueue;
  #step: Step = 'ping';
  #isStopped = false;
  /** Whether reading was stopped at some time since the last ping. */
  #isInterrupted = false;
  /** Bytes received before the last ping. */
  #seen = 0;
  /** The effort of the connection when the last answered ping was sent: the peer has read everything before it. */
  #read = 0;
  /** The silence since the last ping, if messages may precede that ping. */
  #stall: Stall | undefined;

  constructor(watched: Watched, times: Required<HeartbeatOptions>, queue: DeadlineQueue) {
    this.#watched = watched;
    this.#times = times;
    this.#queue = queue;
  }

  /** @param random from 0 to 1: the position of the first ping in the first interval, which spreads the pings of many connections. */
  start(random: number): void {
    this.#after(this.#times.interval * random, 'ping');
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue.remove(this);
  }

  /** Reading was stopped, so the silence since the last ping is inconclusive. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  /** A ping was answered. @param effort the effort of the connection when that ping was sent. */
  answered(effort: number): void {
    this.#read = effort;
  }

  /** Called by the queue when the deadline is due. */
  due(): void {
    if (this.#step === 'ping') this.#ping();
    else if (this.#step === 'look') this.#look();
    else this.#decide();
  }

  #ping(): void {
    this.#stall = undefined;
    if (!this.#watched.isReading) {
      this.#after(this.#times.interval, 'ping');
      return;
    }
    this.#seen = this.#watched.bytesReceived;
    this.#isInterrupted = false;
    this.#watched.sendPing();
    if (this.#hasMessagesBefore) this.#stall = new Stall(this.#watched, this.#queue.clock());
    const { interval, timeout } = this.#times;
    if (interval < timeout) this.#after(interval, 'look');
    else this.#after(timeout, 'decide');
  }

  /** The next ping is due before the timeout of a silent peer. */
  #look(): void {
    const { interval, timeout } = this.#times;
    if (this.#watched.bytesReceived === this.#seen) this.#after(timeout - interval, 'decide');
    else this.#ping();
  }

  #decide(): void {
    const { interval, timeout } = this.#times;
    if (this.#watched.bytesReceived !== this.#seen) {
      this.#stall = undefined;
      this.#after(Math.max(0, interval - timeout), 'ping');
    } else if (this.#isInterrupted || this.#queue.clock() - this.dueAt > LOOP_GRACE) this.#ping();
    else if (this.#hasMessagesBefore) this.#waitOn();
    else this.#watched.died(`no byte came for ${timeout} ms after a ping`);
  }

  /** Whether the peer may have messages to read before the last ping. */
  get #hasMessagesBefore(): boolean {
    return this.#watched.effort !== this.#read;
  }

  /** Handles a silence with messages before the ping. It is checked every `timeout`, because there is no event for progress. */
  #waitOn(): void {
    const { timeout, stalledTimeout } = this.#times;
    const now = this.#queue.clock();
    this.#stall ??= new Stall(this.#watched, now - timeout);
    const left = this.#stall.since(this.#watched, now) + stalledTimeout - now;
    if (left > 0) this.#after(Math.min(timeout, left), 'decide');
    else
      this.#watched.died(
        `no byte came or went for ${stalledTimeout} ms while the peer had messages to read before a ping`,
      );
  }

  #after(delay: number, step: Step): void {
    if (this.#isStopped) return;
    this.#step = step;
    this.#queue.add(this, delay);
  }
}

/** Tracks since when nothing has left for a silent peer. Made only while there is data that could. */
class Stall {
  #since: number;
  #taken: number | undefined;

  constructor(watched: Watched, now: number) {
    this.#since = now;
    this.#taken = watched.taken;
  }

  /**
   * The time of the last observable progress. Bytes that the kernel takes at once only show that it had room, as it has for a dead peer
   * too. When it takes bytes that it had no room for before, the peer has read.
   */
  since(watched: Watched, now: number): number {
    const { taken } = watched;
    if (this.#taken !== undefined && taken !== this.#taken) this.#since = now;
    this.#taken = taken;
    return this.#since;
  }
}
