import { Observable, type OperatorFunction, type Subscriber, Subscription } from 'rxjs';
import { Fifo } from '../../base/fifo.js';
import { HookAnswerError } from '../../base/hook-answer.js';
import { OneLoop } from '../../base/one-loop.js';
import { subscribeWithin } from '../../base/subscribe-within.js';
import { type BroadcastResult, Delivery, type DeliveryOptions } from './delivery.js';
import { Members } from './members.js';
import type { Target } from './target.js';

/** Options of {@link broadcast}. */
export interface BroadcastOptions<Out, C> extends DeliveryOptions<Out, C> {
  /**
   * Returns whether a message is for a connection. If it throws, the result errors, as for `onResult`. A Promise, or any other truthy
   * value than `true`, is such an error too, and that connection gets nothing. @default all
   */
  readonly filter?: (conn: C, message: Out) => boolean;
}

/**
 * Sends each message of `source$` to all open connections of the source, and emits the result of each.
 *
 * A message is framed and compressed once, as with `broadcastTo`; one that is emitted while another is delivered follows it.
 * Subscribes to `source$` once, after the source; a connection leaves when it ends. Completes with `source$`; errors with it, with
 * the source, with what `filter`, `latest` or `onResult` throws (after the delivery to all others), and with `UsageError` for a message
 * that cannot be sent. After the source completes, no more connections join. Unsubscribing unsubscribes from both, leaves the
 * connections open and withdraws nothing (`serve` itself closes its connections when its last subscriber leaves: `share()` it).
 *
 *     connections   -a---b--|
 *     source$       ---m---n---o|
 *     to a          ---m---n---o
 *     to b          -------n---o
 *     result        ---r---r---r|
 *
 * @throws RangeError at the call if `overflow` is not allowed.
 * @example server$.pipe(broadcast(prices$, { overflow: { latest: () => 'price' } })).subscribe();
 */
export function broadcast<Out, C extends Target<Out>>(
  source$: Observable<Out>,
  options: BroadcastOptions<Out, C> = {},
): OperatorFunction<C, BroadcastResult> {
  const { filter } = options;
  new Delivery(options);
  return (connections$) =>
    new Observable((subscriber) => {
      const broadcaster = new Broadcaster(subscriber, new Delivery(options), filter);
      broadcaster.run(connections$, source$);
    });
}

/** A Promise is truthy: an async filter would send every message to every connection. */
function isChosen(found: unknown): boolean {
  if (found === true || !found) return found === true;
  throw new HookAnswerError({ hook: 'filter', found, outcome: 'not sent', advice: 'return true or false' });
}

class Broadcaster<Out, C extends Target<Out>> {
  readonly #subscriber: Subscriber<BroadcastResult>;
  readonly #delivery: Delivery<Out, C>;
  readonly #filter: ((conn: C, message: Out) => boolean) | undefined;
  readonly #members = new Members<Out, C>();
  /** Messages of `source$` that were emitted while another one was delivered. */
  readonly #waiting = new Fifo<Out>();
  readonly #delivering = new OneLoop();
  #isSourceDone = false;

  constructor(
    subscriber: Subscriber<BroadcastResult>,
    delivery: Delivery<Out, C>,
    filter: ((conn: C, message: Out) => boolean) | undefined,
  ) {
    this.#subscriber = subscriber;
    this.#delivery = delivery;
    this.#filter = filter;
  }

  run(connections$: Observable<C>, source$: Observable<Out>): void {
    const subscriber = this.#subscriber;
    const error = (cause: unknown): void => subscriber.error(cause);
    subscribeWithin(subscriber, connections$, { next: (conn) => this.#join(conn), error });
    subscribeWithin(subscriber, source$, {
      next: (message) => {
        this.#waiting.push(message);
        this.#deliver();
      },
      error,
      complete: () => {
        this.#isSourceDone = true;
        this.#completeIfDone();
      },
    });
  }

  #join(conn: C): void {
    const leave = new Subscription();
    this.#subscriber.add(leave);
    leave.add(conn.close$.subscribe(() => leave.unsubscribe()));
    if (leave.closed) return;
    this.#members.add(conn);
    leave.add(() => this.#members.remove(conn));
    leave.add(() => this.#subscriber.remove(leave));
  }

  #deliver(): void {
    const isThrough = this.#delivering.run(() => {
      while (!this.#waiting.isEmpty && !this.#subscriber.closed) this.#send(this.#waiting.shift());
    });
    if (isThrough) this.#completeIfDone();
  }

  #send(message: Out): void {
    const members = this.#members;
    const filter = this.#filter;
    const isFor = filter === undefined ? undefined : (conn: C) => isChosen(filter(conn, message));
    let result: BroadcastResult;
    try {
      result = members.send(this.#delivery, message, isFor);
    } catch (error) {
      this.#subscriber.error(error);
      return;
    }
    this.#subscriber.next(result);
  }

  #completeIfDone(): void {
    if (this.#isSourceDone && !this.#delivering.isRunning) this.#subscriber.complete();
  }
}
