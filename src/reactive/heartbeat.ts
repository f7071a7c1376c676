import { LOOP_GRACE } from '../transport/clock.js';
import type { DeadlineQueue, Due } from '../transport/deadline-queue.js';

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

/** What a heartbeat does next. */
type Step = 'ping' | 'doubt' | 'decide';

/**
 * Pings a peer every `interval`, and gives it up when no byte of any kind comes within `timeout` after a ping. One deadline; nothing
 * is done per message. It stands still while reading is stopped, and a blocked event loop raises no false alarm.
 */
export class Heartbeat implements Due {
  dueAt = 0;
  place = -1;
  readonly #patient: Patient;
  readonly #times: HeartbeatTimes;
  readonly #queue: DeadlineQueue;
  #step: Step = 'ping';
  #isStopped = false;
  /** Whether reading was stopped since the last ping. */
  #isInterrupted = false;
  /** What had come at the last ping, in bytes. */
  #seen = 0;
  /** When the answer to it was due. */
  #answerDue = 0;

  constructor(patient: Patient, times: HeartbeatTimes, queue: DeadlineQueue) {
    this.#patient = patient;
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

  /** The queue says that its time has come. */
  due(): void {
    switch (this.#step) {
      case 'ping':
        this.#ping();
        break;
      case 'doubt':
        this.#answerDue = this.dueAt;
        // What lies in the kernel is read in the next turn of the loop: only then is silence sure.
        this.#after(0, 'decide');
        break;
      case 'decide':
        this.#decide();
        break;
      default:
        this.#step satisfies never;
    }
  }

  #ping(): void {
    if (!this.#patient.isReading) {
      this.#after(this.#times.interval, 'ping');
      return;
    }
    this.#seen = this.#patient.bytesReceived;
    this.#isInterrupted = false;
    this.#patient.sendPing();
    this.#after(this.#times.timeout, 'doubt');
  }

  #decide(): void {
    const { interval, timeout } = this.#times;
    if (this.#patient.bytesReceived !== this.#seen) this.#after(Math.max(0, interval - timeout), 'ping');
    else if (this.#isInterrupted || this.#queue.clock() - this.#answerDue > LOOP_GRACE) this.#ping();
    else this.#patient.died();
  }

  #after(delay: number, step: Step): void {
    if (this.#isStopped) return;
    this.#step = step;
    this.#queue.add(this, delay);
  }
}
