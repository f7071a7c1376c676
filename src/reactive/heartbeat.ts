import type { SchedulerLike, Subscription } from 'rxjs';
import { LOOP_GRACE } from '../transport/clock.js';

/** What a heartbeat watches. */
export interface Patient {
  /** Grows with every byte of the peer. */
  readonly bytesReceived: number;
  /** Whether bytes would be seen: not while reading is stopped. */
  readonly isReading: boolean;
  sendPing(): void;
  /** Nothing came in time. */
  died(): void;
}

/** When a peer counts as dead. In milliseconds. */
export interface HeartbeatTimes {
  readonly interval: number;
  readonly timeout: number;
}

/**
 * Pings a peer every `interval`, and gives it up when no byte of any kind comes within `timeout` after a ping. One timer; nothing is
 * done per message. It stands still while reading is stopped, and a blocked event loop raises no false alarm.
 */
export class Heartbeat {
  readonly #patient: Patient;
  readonly #times: HeartbeatTimes;
  readonly #scheduler: SchedulerLike;
  readonly #clock: () => number;
  #timer: Subscription | undefined;
  #isStopped = false;
  /** Whether reading was stopped since the last ping. */
  #isInterrupted = false;

  constructor(patient: Patient, times: HeartbeatTimes, scheduler: SchedulerLike, clock: () => number) {
    this.#patient = patient;
    this.#times = times;
    this.#scheduler = scheduler;
    this.#clock = clock;
  }

  /** @param random from 0 to 1: where in the first interval the first ping falls, so that many connections spread. */
  start(random: number): void {
    this.#after(this.#times.interval * random, () => this.#beat());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.unsubscribe();
  }

  /** Reading was stopped: the silence since the last ping says nothing. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  #beat(): void {
    if (!this.#patient.isReading) {
      this.#after(this.#times.interval, () => this.#beat());
      return;
    }
    const seen = this.#patient.bytesReceived;
    this.#isInterrupted = false;
    this.#patient.sendPing();
    this.#wait(seen);
  }

  #wait(seen: number): void {
    const { interval, timeout } = this.#times;
    const due = this.#clock() + timeout;
    this.#after(timeout, () => {
      const rest = Math.max(0, interval - timeout);
      // What lies in the kernel is read in the next turn of the loop: only then is silence sure.
      this.#after(0, () => {
        if (this.#patient.bytesReceived !== seen) this.#after(rest, () => this.#beat());
        else if (this.#isInterrupted || this.#clock() - due > LOOP_GRACE) this.#beat();
        else this.#patient.died();
      });
    });
  }

  #after(delay: number, work: () => void): void {
    if (this.#isStopped) return;
    this.#timer = this.#scheduler.schedule(work, delay);
  }
}
