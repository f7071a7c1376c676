import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import { clockOf, LOOP_GRACE } from './clock.js';

/** The places of what does not stand in the heap. */
const OUTSIDE = -1;
const TAKEN = -2;
/** It is told in the next turn of the event loop. */
const LATE = -3;
/** It is told in this turn, which is the one after its time has come. */
const LAST = -4;

/** Something that is due at a time. The queue alone writes `dueAt` and `place`. */
export interface Due {
  /** By the clock of the queue, in milliseconds. */
  dueAt: number;
  /** Where it stands among those whose time is to come; negative while it does not. */
  place: number;
  /**
   * Whether it is told one turn of the event loop after its time has come, so that what lies in the kernel by then is read first: a
   * loop that was blocked finds its timers due before it reads, and must not blame the peer.
   */
  readonly readsFirst?: boolean;
  /** Its time has come. It stands in the queue no more, and may be added again. */
  due(): void;
}

/**
 * The deadlines of all connections on one timer: a heap, the earliest first. A timer for each would cost much more memory than the place
 * in an array, and a connection has a deadline as long as it lives (see `bench: idle, 5 000 connections`).
 */
export class DeadlineQueue {
  static readonly #shared = new DeadlineQueue(asyncScheduler);

  readonly clock: () => number;
  readonly #scheduler: SchedulerLike;
  readonly #heap: Due[] = [];
  /** Those whose time has come, and that are told in the next turn; and what has left since. */
  #late: Due[] = [];
  /** How many of these have not left. */
  #lateCount = 0;
  #timer: Subscription | undefined;
  /** When the timer fires. */
  #timerAt = 0;
  #isRunning = false;

  /** The queue of a scheduler: one for all in real time; any other time may end before its connections do. */
  static of(scheduler: SchedulerLike): DeadlineQueue {
    return scheduler === asyncScheduler ? DeadlineQueue.#shared : new DeadlineQueue(scheduler);
  }

  constructor(scheduler: SchedulerLike, clock: () => number = clockOf(scheduler)) {
    this.#scheduler = scheduler;
    this.clock = clock;
  }

  /** Adds `item`, which does not stand here, to be due in `delay` milliseconds. */
  add(item: Due, delay: number): void {
    // Whole milliseconds need no memory of their own, and timers know no others.
    const now = this.clock();
    if (item.place === LATE) this.#lateCount--;
    item.dueAt = Math.ceil(now + delay);
    this.#put(item);
    this.#arm(now);
  }

  /** Takes `item` out. Harmless when it does not stand here. */
  remove(item: Due): void {
    const stood = item.place >= 0 || item.place === LATE;
    if (item.place >= 0) this.#takeOut(item);
    else if (stood) this.#lateCount--;
    item.place = OUTSIDE;
    if (stood && this.#heap.length === 0 && this.#lateCount === 0) this.#disarm();
  }

  #put(item: Due): void {
    item.place = this.#heap.length;
    this.#heap.push(item);
    this.#rise(item);
  }

  #takeOut(item: Due): void {
    const { place } = item;
    const last = this.#heap.pop() as Due;
    item.place = TAKEN;
    if (last === item) return;
    last.place = place;
    this.#heap[place] = last;
    this.#rise(last);
    this.#sink(last);
  }

  /** Has the timer fire when the first is due. One that is early already stays: it looks again then. */
  #arm(now: number): void {
    if (this.#isRunning) return;
    const at = this.#lateCount > 0 ? Math.ceil(now) : this.#heap[0]?.dueAt;
    if (at === undefined) return;
    if (this.#timer !== undefined) {
      // One that should have fired long ago never will: it was set in a virtual time that is over.
      const isLost = now - this.#timerAt > LOOP_GRACE;
      if (this.#timerAt <= at && !isLost) return;
      this.#disarm();
    }
    this.#timerAt = at;
    this.#timer = this.#scheduler.schedule(() => this.#run(), Math.max(0, at - now));
  }

  #disarm(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  /** All that were due before this began: what is added meanwhile has to wait for the next turn of the loop. */
  #run(): void {
    this.#timer = undefined;
    this.#isRunning = true;
    // The clock may be a fraction behind the timer.
    const now = Math.max(this.clock(), this.#timerAt);
    const due = this.#takeLate();
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= now; first = this.#heap[0]) {
      this.#takeOut(first);
      due.push(first);
    }
    try {
      for (const item of due) this.#tell(item);
    } finally {
      // Where one threw, the others are told in the next turn.
      for (const item of due) this.#putBack(item);
      this.#isRunning = false;
      this.#arm(this.clock());
    }
  }

  #takeLate(): Due[] {
    const late = this.#late.filter(({ place }) => place === LATE);
    this.#late = [];
    this.#lateCount = 0;
    for (const item of late) item.place = LAST;
    return late;
  }

  /** Unless one before has taken it out, or added it anew. */
  #tell(item: Due): void {
    if (item.place === TAKEN && item.readsFirst === true) this.#tellLater(item);
    else if (item.place === TAKEN || item.place === LAST) {
      item.place = OUTSIDE;
      item.due();
    }
  }

  #tellLater(item: Due): void {
    item.place = LATE;
    this.#lateCount++;
    this.#late.push(item);
  }

  #putBack(item: Due): void {
    if (item.place === TAKEN) this.#put(item);
    else if (item.place === LAST) this.#tellLater(item);
  }

  #rise(item: Due): void {
    while (item.place > 0) {
      const parent = this.#heap[(item.place - 1) >> 1] as Due;
      if (parent.dueAt <= item.dueAt) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: Due): void {
    for (;;) {
      const left = 2 * item.place + 1;
      const child = this.#earlier(this.#heap[left], this.#heap[left + 1]);
      if (child === undefined || item.dueAt <= child.dueAt) return;
      this.#swap(item, child);
    }
  }

  #earlier(left: Due | undefined, right: Due | undefined): Due | undefined {
    if (left === undefined || right === undefined) return left;
    return right.dueAt < left.dueAt ? right : left;
  }

  #swap(upper: Due, lower: Due): void {
    const { place } = upper;
    this.#heap[lower.place] = upper;
    this.#heap[place] = lower;
    upper.place = lower.place;
    lower.place = place;
  }
}
