import { asyncScheduler, type SchedulerLike, Subscription } from 'rxjs';
import { clockOf, LOOP_GRACE } from './clock.js';

/** The places of items that are not in the heap. */
const OUTSIDE = -1;
const TAKEN = -2;

/** An item with a deadline. Only the queue writes `dueAt` and `place`. */
export interface Due {
  /** By the clock of the queue, in milliseconds. */
  dueAt: number;
  /** The index in the heap; negative while it is not there. */
  place: number;
  /** Called after its deadline passed, one turn of the loop later. The item has left the queue, and may be added again. */
  due(): void;
}

/**
 * A queue of the deadlines of all connections on one timer: a heap, the earliest first. A timer for each would cost 0.5 KiB instead of
 * a place in an array, and a connection has a deadline as long as it lives.
 *
 * Each expires one turn of the event loop late, so that data that the kernel has received by then is read first. A blocked loop finds its timers
 * due before it reads, and would otherwise blame the peer.
 */
export class DeadlineQueue {
  static readonly #shared = new DeadlineQueue(asyncScheduler);

  readonly clock: () => number;
  readonly #scheduler: SchedulerLike;
  readonly #heap: Due[] = [];
  #timer: Subscription | undefined;
  /** When the timer fires; when it was noticed, once it has fired. */
  #timerAt = 0;
  /** Whether the timer has fired and the due deadlines expire in the next turn. */
  #isNoticed = false;
  #isRunning = false;

  /** Returns the queue of a scheduler: one shared queue for real time, a new one otherwise, because virtual time may end before its connections. */
  static of(scheduler: SchedulerLike): DeadlineQueue {
    return scheduler === asyncScheduler ? DeadlineQueue.#shared : new DeadlineQueue(scheduler);
  }

  constructor(scheduler: SchedulerLike, clock: () => number = clockOf(scheduler)) {
    this.#scheduler = scheduler;
    this.clock = clock;
  }

  /** Adds `item`, which must not be in the queue, to be due in `delay` milliseconds. */
  add(item: Due, delay: number): void {
    // Whole milliseconds are not allocated on the heap, and timers have no finer resolution.
    const now = this.clock();
    item.dueAt = Math.ceil(now + delay);
    this.#put(item);
    this.#arm(now);
  }

  /** Removes `item`. Harmless if it is not in the queue. */
  remove(item: Due): void {
    if (item.place >= 0) {
      this.#takeOut(item);
      if (this.#heap.length === 0) this.#disarm();
    }
    item.place = OUTSIDE;
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

  /** Sets the timer for the first item. A timer that is already earlier stays, and is set again when it fires. */
  #arm(now: number): void {
    const first = this.#heap[0];
    if (this.#isRunning || first === undefined) return;
    if (this.#timer !== undefined) {
      // A timer that should have fired long ago never will: it was set in a virtual time that is over.
      const isLost = now - this.#timerAt > LOOP_GRACE;
      if ((this.#isNoticed || this.#timerAt <= first.dueAt) && !isLost) return;
      this.#disarm();
    }
    this.#timerAt = first.dueAt;
    this.#timer = this.#scheduler.schedule(() => this.#notice(), Math.max(0, first.dueAt - now));
  }

  #disarm(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#isNoticed = false;
  }

  #notice(): void {
    // The clock may be a fraction behind the timer.
    this.#timerAt = Math.max(this.clock(), this.#timerAt);
    this.#isNoticed = true;
    this.#timer = this.#scheduler.schedule(() => this.#run());
  }

  /** Expires all items that were due when the timer fired. Items that became due or were added since then wait for another turn of the loop. */
  #run(): void {
    const noticedAt = this.#timerAt;
    this.#timer = undefined;
    this.#isNoticed = false;
    this.#isRunning = true;
    const due: Due[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= noticedAt; first = this.#heap[0]) {
      this.#takeOut(first);
      due.push(first);
    }
    try {
      for (const item of due) this.#tell(item);
    } finally {
      // If an item throws, the others expire in the next turn.
      for (const item of due) if (item.place === TAKEN) this.#put(item);
      this.#isRunning = false;
      this.#arm(this.clock());
    }
  }

  /** Expires `item`, unless an earlier one has removed it or added it again. */
  #tell(item: Due): void {
    if (item.place !== TAKEN) return;
    item.place = OUTSIDE;
    item.due();
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

/**
 * Calls `expire` when `delay` ms have passed, one turn of the event loop late, like everything in a {@link DeadlineQueue}.
 *
 * @returns a Subscription that cancels it.
 */
export function deadline(scheduler: SchedulerLike, delay: number, expire: () => void): Subscription {
  const queue = DeadlineQueue.of(scheduler);
  const item: Due = { dueAt: 0, place: -1, due: expire };
  queue.add(item, delay);
  return new Subscription(() => queue.remove(item));
}
