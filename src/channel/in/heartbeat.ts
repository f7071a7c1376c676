import { LOOP_GRACE } from '../../base/clock.js';
import type { DeadlineQueue, Due } from '../../base/deadline-queue.js';
import type { HeartbeatOptions } from '../settings.js';

/** What a heartbeat watches. */
export interface Watched {
  /** Grows with every byte of the peer. */
  readonly bytesReceived: number;
  /** Whether bytes would be seen: not while reading is stopped. */
  readonly isReading: boolean;
  /** Grows with each message that is sent or queued, and with each byte of one that is written. */
  readonly effort: number;
  /** Changes when the operating system takes bytes that it had no room for. `undefined` when it has taken all. */
  readonly taken: number | undefined;
  sendPing(): void;
  /** Sends an unsolicited pong. */
  signLife(): void;
  /** The peer gave no sign of life. @param silence how long, and in what, for the message of the error. */
  died(silence: string): void;
}

/** What a heartbeat does next. */
type Step = 'ping' | 'decide';

/**
 * Pings a peer every `interval`, and gives it up when no byte of any kind comes within `timeout` after a ping. A peer that does not read
 * cannot answer a ping that has messages before it: while there may be some, the peer is given up when nothing has come from it, and
 * nothing has gone to it, for `stalledTimeout`.
 *
 * One deadline; nothing is done per message. It stands still while reading is stopped, and a blocked event loop raises no false alarm.
 */
export class Heartbeat implements Due {
  dueAt = 0;
  place = -1;
  readonly #watched: Watched;
  readonly #times: Required<HeartbeatOptions>;
  readonly #queue: DeadlineQueue;
  #step: Step = 'ping';
  #isStopped = false;
  /** Whether reading was stopped since the last ping. */
  #isInterrupted = false;
  /** What had come at the last ping, in bytes. */
  #seen = 0;
  /** The effort of the peer's connection when the last ping that was answered was sent: the peer has read everything before it. */
  #read = 0;
  /** What is known of the silence since the last ping, if messages may stand before it. */
  #stall: Stall | undefined;

  constructor(watched: Watched, times: Required<HeartbeatOptions>, queue: DeadlineQueue) {
    this.#watched = watched;
    this.#times = times;
    this.#queue = queue;
  }

  /** @param random from 0 to 1: where in the first interval the first ping falls, so that many connections spread. */
  start(random: number): void {
    this.#after(this.#times.interval * random, 'ping');
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue.remove(this);
  }

  /** Reading was stopped: the silence since the last ping says nothing. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  /** A ping was answered. @param effort the effort of the peer's connection when that ping was sent. */
  answered(effort: number): void {
    this.#read = effort;
  }

  /** The queue says that its time has come. */
  due(): void {
    if (this.#step === 'ping') this.#ping();
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
    this.#after(this.#times.timeout, 'decide');
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

  /** A silence with messages before the ping. It is looked at every `timeout`: progress has no event of its own. */
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

/** Since when nothing has gone to a silent peer. Made only while there is something that could. */
class Stall {
  #since: number;
  #taken: number | undefined;

  constructor(watched: Watched, now: number) {
    this.#since = now;
    this.#taken = watched.taken;
  }

  /**
   * When there was progress last, as far as can be observed. What the kernel takes at once only shows that it had room, which
   * it has for a dead peer too. When it takes what it had no room for before, the peer has read.
   */
  since(watched: Watched, now: number): number {
    const { taken } = watched;
    if (this.#taken !== undefined && taken !== this.#taken) this.#since = now;
    this.#taken = taken;
    return this.#since;
  }
}
