import { type Subscriber, Subscription } from 'rxjs';
import type { ChannelInbox } from './channel.js';
import type { Interception, InterceptOptions, Tap } from './hooks.js';
import { type Interceptor, Interceptors } from './interceptors.js';
import { type Holdable, type InboxSeats, messagesOf, Seat } from './seat.js';

/** Bytes charged for each waiting message in addition to its size, so that empty ones count too. */
const MESSAGE_COST = 128;

interface Waiting<In> {
  readonly message: In;
  readonly cost: number;
}

/** Shared, empty list. Do not add to it. */
const NONE: readonly never[] = [];

/** The owner of an inbox, which is notified when demand changes. */
export interface InboxOwner {
  /** Demand has begun or ended, or there is more room: calls `deliverNext` until it returns `false`, and reads while there is room. */
  pump(): void;
}

/**
 * The queue between a connection and its subscribers. Demand is at least one subscriber and no hold. Without it, messages are kept
 * in order, up to the mark. The end of the connection waits in the same queue.
 */
export class Inbox<In> implements ChannelInbox<In>, InboxSeats<In> {
  readonly #mark: number;
  readonly #owner: InboxOwner;
  #messages$: Holdable<In> | undefined;
  #seats: readonly Seat<In>[] = NONE;
  /** Made when the first interceptor is added. */
  #interceptors: Interceptors<In> | undefined;
  /** Callbacks of operators that wait for a message, called when none can arrive. */
  #waiters: readonly (() => void)[] = NONE;
  #waiting: readonly Waiting<In>[] = NONE;
  #first = 0;
  #cost = 0;
  #holds = 0;
  #onOver: (() => void) | undefined;
  #ending = false;
  #completed = false;
  /** Whether this side has terminated the connection: no hold delays the end. */
  #isGivenUp = false;

  /** @param mark in bytes. */
  constructor(mark: number, owner: InboxOwner) {
    this.#mark = mark;
    this.#owner = owner;
  }

  get messages$(): Holdable<In> {
    this.#messages$ ??= messagesOf(this);
    return this.#messages$;
  }

  /** The number of subscribers. */
  get subscribers(): number {
    return this.#seats.length;
  }

  /** The number of holds taken. */
  get holds(): number {
    return this.#holds;
  }

  get hasDemand(): boolean {
    return this.#seats.length > 0 && this.#holds === 0;
  }

  /** Whether another message may be parsed: there is demand, or room to keep it. */
  get hasRoom(): boolean {
    return this.#cost < this.#mark || this.hasDemand || (this.#waiters.length > 0 && this.#cost < this.#mark * 2);
  }

  get isEmpty(): boolean {
    return this.#first === this.#waiting.length;
  }

  /** Size of the waiting messages, in bytes. */
  get cost(): number {
    return this.#cost;
  }

  /** Whether reading has stopped until there is a subscriber. */
  get isStuck(): boolean {
    return this.#seats.length === 0 && this.#holds === 0 && !this.hasRoom;
  }

  /** Whether the end was delivered. */
  get isCompleted(): boolean {
    return this.#completed;
  }

  /** Whether a hold delays waiting messages or the end. */
  get isHeld(): boolean {
    return this.#holds > 0 && !this.#completed && !this.#isGivenUp && (this.#seats.length > 0 || !this.isEmpty);
  }

  /** Whether the end is still to be delivered: a subscriber has not received it, or a hold delays the messages before it. */
  get isAwaited(): boolean {
    return !this.#completed && (this.#seats.length > 0 || this.isHeld);
  }

  hold(): Subscription {
    if (++this.#holds === 1 && this.#seats.length > 0) this.#owner.pump();
    return new Subscription(() => {
      this.#holds--;
      if (this.#holds === 0 && this.#seats.length > 0) this.#owner.pump();
      this.#tellIfReleased();
      this.#tellIfStuck();
    });
  }

  /** Shows `take` each message that arrives from now on, before it is queued. The first interceptor that takes a message keeps it. */
  intercept(take: Interceptor<In>, { key, onStuck }: InterceptOptions<In> = {}): Interception {
    this.#interceptors ??= new Interceptors();
    const leave = this.#interceptors.add(take, key);
    const stopWaiting = onStuck === undefined ? undefined : this.#waitFor(onStuck);
    if (onStuck !== undefined) this.#owner.pump();
    this.#tellIfStuck();
    const inbox = this;
    return {
      unsubscribe: () => {
        leave();
        stopWaiting?.();
      },
      get isReading() {
        return inbox.hasRoom;
      },
      get isStuck() {
        return inbox.isStuck;
      },
    };
  }

  /**
   * Accepts a message. Delivers it immediately if nothing waits before it and there is demand.
   *
   * @param isKept whether it is queued if there is no demand.
   */
  put(message: In, size: number, isKept = true): void {
    if (this.#interceptors?.offer(message) === true) return;
    if (this.isEmpty && this.hasDemand) {
      this.#deliver(message);
      return;
    }
    if (!isKept) return;
    const cost = size + MESSAGE_COST;
    // The empty list is shared.
    if (this.#waiting === NONE) this.#waiting = [{ message, cost }];
    else (this.#waiting as Waiting<In>[]).push({ message, cost });
    this.#cost += cost;
    this.#tellIfStuck();
  }

  /** Delivers one message, or the end. Returns `false` if there is no demand or nothing waits. */
  deliverNext(): boolean {
    if (this.#completed || !(this.hasDemand || this.#isGivenUp)) return false;
    if (this.isEmpty) {
      if (this.#ending) this.#complete();
      return false;
    }
    this.#deliver(this.#shift());
    return true;
  }

  /** Adds a subscriber of `messages$`. */
  add(subscriber: Subscriber<In>, tap?: Tap<In>): void {
    if (this.#completed) {
      subscriber.complete();
      return;
    }
    const seat = new Seat(this, subscriber, tap);
    this.#seats = this.#seats.concat(seat);
    // Before the first message: it may be the last that the subscriber wants.
    subscriber.add(seat);
    if (this.#holds === 0) this.#owner.pump();
  }

  /** Removes a subscriber. */
  remove(seat: Seat<In>): void {
    this.#seats = this.#seats.filter((other) => other !== seat);
    if (this.#seats.length === 0 && this.#holds === 0 && !this.#completed) this.#owner.pump();
    this.#tellIfReleased();
    this.#tellIfStuck();
  }

  /** Called after the last message. */
  end(): void {
    this.#ending = true;
  }

  /** Calls `done` once: when the end was delivered, or when no subscriber waits for it. */
  whenOver(done: () => void): void {
    this.#onOver = done;
  }

  /** Drops the waiting messages. */
  drop(): void {
    this.#waiting = NONE;
    this.#first = 0;
    this.#cost = 0;
    this.#tellIfReleased();
  }

  /** Drops the waiting messages, so that the end can be delivered even during a hold. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.drop();
  }

  /** Drops the waiting messages and delivers the end, even during a hold. */
  abandon(): void {
    this.drop();
    if (!this.#completed) this.#complete();
  }

  #waitFor(onStuck: () => void): () => void {
    // A new function, so that the same callback can be added twice.
    const waiter = (): void => onStuck();
    this.#waiters = [...this.#waiters, waiter];
    return () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    };
  }

  #tellIfStuck(): void {
    if (this.#waiters.length > 0 && this.isStuck) for (const tell of this.#waiters) tell();
  }

  #tellIfReleased(): void {
    if (this.#seats.length === 0 && !this.#completed && !this.isHeld) this.#tellOver();
  }

  #tellOver(): void {
    const onOver = this.#onOver;
    this.#onOver = undefined;
    onOver?.();
  }

  /** Delivers a message to the current subscribers. One that subscribes during the delivery starts with the next message. */
  #deliver(message: In): void {
    const seats = this.#seats;
    if (seats.length === 1) {
      (seats[0] as Seat<In>).next(message);
      return;
    }
    for (const seat of seats) seat.next(message);
  }

  #complete(): void {
    this.#completed = true;
    const seats = this.#seats;
    this.#seats = NONE;
    for (const seat of seats) seat.complete();
    this.#tellOver();
  }

  #shift(): In {
    const { message, cost } = this.#waiting[this.#first++] as Waiting<In>;
    this.#cost -= cost;
    if (this.#first === this.#waiting.length) {
      this.#waiting = NONE;
      this.#first = 0;
    } else if (this.#first * 2 >= this.#waiting.length) {
      (this.#waiting as Waiting<In>[]).splice(0, this.#first);
      this.#first = 0;
    }
    return message;
  }
}
