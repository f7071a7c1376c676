import { Observable, type Subscriber, type Subscription, type Unsubscribable } from 'rxjs';
import { holdSymbol, type MessageHooks, type Tap, tapSymbol } from './hooks.js';

/** An Observable that can be held: operators such as `demandMap` and `gate` find the hold on it. */
export type Holdable<T> = Observable<T> & Pick<MessageHooks<T>, typeof holdSymbol>;

/** The part of an inbox that manages its subscribers. */
export interface InboxSeats<In> {
  add(subscriber: Subscriber<In>, tap?: Tap<In>): void;
  remove(seat: Seat<In>): void;
  hold(): Subscription;
}

/** Makes the Observable of an inbox's messages, with the hooks for operators. */
export function messagesOf<In>(inbox: InboxSeats<In>): Holdable<In> {
  return new Messages(inbox);
}

class Messages<In> extends Observable<In> implements MessageHooks<In> {
  readonly #inbox: InboxSeats<In>;

  constructor(inbox: InboxSeats<In>) {
    super(takeSeat);
    this.#inbox = inbox;
  }

  /** Adds a subscriber. */
  add(subscriber: Subscriber<In>): void {
    this.#inbox.add(subscriber);
  }

  get [holdSymbol](): () => Subscription {
    return () => this.#inbox.hold();
  }

  [tapSymbol](tap: Tap<In>): Observable<In> {
    return new Observable((subscriber) => this.#inbox.add(subscriber, tap));
  }
}

/** The subscribe function of every instance: a closure would cost each connection 0.1 KiB. */
function takeSeat<In>(this: Observable<In>, subscriber: Subscriber<In>): void {
  (this as Messages<In>).add(subscriber);
}

/** One subscriber of an inbox. Unsubscribing removes it. */
export class Seat<In> implements Unsubscribable {
  readonly #inbox: InboxSeats<In>;
  readonly #subscriber: Subscriber<In>;
  readonly #tap: Tap<In> | undefined;

  constructor(inbox: InboxSeats<In>, subscriber: Subscriber<In>, tap: Tap<In> | undefined) {
    this.#inbox = inbox;
    this.#subscriber = subscriber;
    this.#tap = tap;
  }

  next(message: In): void {
    if (this.#tap === undefined || this.#passes(this.#tap, message)) this.#subscriber.next(message);
  }

  complete(): void {
    this.#subscriber.complete();
  }

  unsubscribe(): void {
    this.#inbox.remove(this);
  }

  #passes(tap: Tap<In>, message: In): boolean {
    if (this.#subscriber.closed) return false;
    try {
      tap.next(message);
      return true;
    } catch (error) {
      this.#subscriber.error(error);
      return false;
    }
  }
}
