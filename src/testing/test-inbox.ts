import { Observable, ReplaySubject, type SchedulerLike, Subscription } from 'rxjs';
import { Fifo } from '../base/fifo.js';
import type { ConnectionStats } from '../connection/connection.js';
import { holdSymbol, type Interception, type InterceptOptions } from '../connection/hooks.js';
import { Inbox } from '../connection/inbox.js';
import type { Holdable } from '../connection/seat.js';
import type { Taker } from '../connection/takers.js';
import { type OutgoingStats, sizeOf } from './test-outbox.js';

/** How long what is held back is waited for after the end, as the default of real connections. In milliseconds. */
const CLOSE_TIMEOUT = 10_000;

/** The inbox of a real connection, and before it what has not been read: shows when messages are wanted. */
export class TestInbox<In> {
  readonly messages$: Holdable<In>;
  readonly demand$: ReplaySubject<boolean> = new ReplaySubject<boolean>();
  bytesReceived = 0;
  #messagesReceived = 0;
  readonly #inbox: Inbox<In>;
  readonly #onSettled: () => void;
  readonly #unread = new Fifo<In>();
  #hadDemand = false;
  #isPumping = false;
  #isOver = false;
  #isSettled = false;

  /**
   * @param mark in bytes.
   * @param onSettled called once, when the end has come and what could be delivered was delivered.
   */
  constructor(mark: number, onSettled: () => void) {
    this.#onSettled = onSettled;
    const inbox = new Inbox<In>(mark, { wanted: () => this.#pump() });
    this.#inbox = inbox;
    const messages$ = new Observable<In>((subscriber) => {
      inbox.messages$.subscribe(subscriber);
      // Behind the teardown of the inbox: that is when demand ends.
      subscriber.add(() => this.#noteDemand());
    });
    this.messages$ = Object.assign(messages$, { [holdSymbol]: () => this.#hold() });
  }

  /** The incoming half of `Connection.stats`. */
  get stats(): Omit<ConnectionStats, keyof OutgoingStats | 'uptime'> {
    return {
      messagesReceived: this.#messagesReceived,
      pingsReceived: 0,
      pongsReceived: 0,
      bytesReceived: this.bytesReceived,
      inboxBytes: this.#inbox.cost,
    };
  }

  receive(message: In): void {
    this.#messagesReceived++;
    this.bytesReceived += sizeOf(message);
    this.#unread.push(message);
    this.#pump();
  }

  intercept(take: Taker<In>, options?: InterceptOptions<In>): Interception {
    return this.#inbox.intercept(take, options);
  }

  /** No message follows what has come. */
  end(): void {
    this.#isOver = true;
    this.#pump();
  }

  /** Drops what has come and is not delivered. */
  drop(): void {
    this.#unread.clear();
    this.#inbox.drop();
  }

  /** Calls `done` when no hold keeps anything back, or after {@link CLOSE_TIMEOUT}, when what waits is dropped. */
  whenReleased(scheduler: SchedulerLike, done: () => void): void {
    if (!this.#inbox.isHeld) {
      done();
      return;
    }
    const timer = scheduler.schedule(() => {
      this.drop();
      this.#inbox.abandon();
    }, CLOSE_TIMEOUT);
    this.#inbox.whenOver(() => {
      timer.unsubscribe();
      done();
    });
  }

  #hold(): Subscription {
    const hold = this.#inbox.hold();
    this.#noteDemand();
    return new Subscription(() => hold.unsubscribe());
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#noteDemand();
    while (this.#step());
    this.#isPumping = false;
    if (!this.#isOver || this.#isSettled) return;
    this.#isSettled = true;
    this.#onSettled();
  }

  /** Delivers or takes in one message. `false` when there is nothing to do. */
  #step(): boolean {
    if (this.#inbox.deliverNext()) return true;
    if (!this.#inbox.hasRoom) return false;
    if (!this.#unread.isEmpty) {
      const message = this.#unread.shift();
      this.#inbox.put(message, sizeOf(message));
      return true;
    }
    if (!this.#isOver) return false;
    this.#inbox.end();
    return this.#inbox.deliverNext();
  }

  /** Its end says nothing about demand. */
  #noteDemand(): void {
    const { hasDemand } = this.#inbox;
    if (hasDemand === this.#hadDemand || this.#isOver) return;
    this.#hadDemand = hasDemand;
    this.demand$.next(hasDemand);
  }
}
