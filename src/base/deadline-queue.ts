import { asyncScheduler, type SchedulerLike, Subscription } from 'rxjs';
import { clockOf, LOOP_GRACE } from './clock.js';

/** The places of what does not stand in the heap. */
const OUTSIDE = -1;
const TAKEN = -2;

/** Something that is due at a time. The queue alone writes `dueAt` and `place`. */
export interface Due {
  /** By the clock of the queue, in milliseconds. */
  dueAt: number;
  /** Where it stands in the queue; negative while it does not. */
  place: number;
  /** Its time had come before the last turn of the loop. It stands in the queue no more, and may be added again. */
  due(): void;
}

/**
 * The deadlines of all connections on one timer: a heap, the earliest first. A timer for each would cost 0.5 KiB where this costs
 * the place in an array, and a connection has a deadline as long as it lives.
 *
 * Each expires one turn of the event loop late, so that what the kernel has received by then is read first. So a loop that was blocked, which finds its
 * timers due before it reads, does not blame a peer.
 */
export class DeadlineQueue {
  static readonly #shared = new DeadlineQueue(asyncScheduler);

  readonly clock: () => number;
  readonly #scheduler: SchedulerLike;
  readonly #heap: Due[] = [];
  #timer: Subscription | undefined;
  /** When the timer fires; when it was noticed, once it has fired. */
  #timerAt = 0;
  /** Whether the timer has fired, and the deadlines that were due expire in the next turn. */
  #isNoticed = false;
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
    item.dueAt = Math.ceil(now + delay);
    this.#put(item);
    this.#arm(now);
  }

  /** Takes `item` out. Harmless when it does not stand here. */
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

  /** Has the timer fire when the first is due. One that is early already stays: it looks again then. */
  #arm(now: number): void {
    const first = this.#heap[0];
    if (this.#isRunning || first === undefined) return;
    if (this.#timer !== undefined) {
      // One that should have fired long ago never will: it was set in a virtual time that is over.
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

  /** All that were due when the timer fired: what has become due since, or is added meanwhile, has to wait for another turn of the loop. */
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
      // If one throws, the others expire in the next turn.
      for (const item of due) if (item.place === TAKEN) this.#put(item);
      this.#isRunning = false;
      this.#arm(this.clock());
    }
  }

  /** Unless an earlier one has removed it or added it again. */
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
 * @returns how to call it off.
 */
export function deadline(scheduler: SchedulerLike, delay: number, expire: () => void): Subscription {
  const queue = DeadlineQueue.of(scheduler);
  const item: Due = { dueAt: 0, place: -1, due: expire };
  queue.add(item, delay);
  return new Subscription(() => queue.remove(item));
}
