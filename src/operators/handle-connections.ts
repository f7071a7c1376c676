import {
  asyncScheduler,
  from,
  Observable,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
  type Subscriber,
  Subscription,
  type Unsubscribable,
} from 'rxjs';
import { OneLoop } from '../base/one-loop.js';
import { type Enrolled, Roster } from '../base/roster.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { describeThrown, textOf } from '../base/thrown.js';
import type { Connection } from '../connection/connection.js';
import { finishedSymbol, hooksOf, reportSymbol } from '../connection/hooks.js';

/** Options of {@link handleConnections}. */
export interface HandleConnectionsOptions<C> {
  /** How many connections are handled at a time; others wait, held. @default Infinity */
  readonly concurrency?: number;
  /** How many may wait; one more is closed with 1013. @default 1024 */
  readonly maxWaiting?: number;
  /** Called when a handler fails. @default reports to the diagnostics and to `console.error` */
  readonly onError?: (error: unknown, conn: C) => void;
  /** How long a handler may go on after its connection has ended and its messages are delivered, in milliseconds. @default 10_000 */
  readonly closeTimeout?: number;
  /** For `closeTimeout`. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Runs one handler for each connection, so that a handler that fails ends its own connection and never the server.
 *
 * A handler that completes closes its connection with 1000; one that errors or throws is reported and closes it with 1011; one that
 * goes on after the connection has ended is unsubscribed `closeTimeout` after the last message was delivered. A connection that
 * ends while it waits for its handler gets none.
 *
 * Emits nothing. Completes when the source and all handlers have; errors with the source; unsubscribing unsubscribes from all of them
 * (and so from the server, that closes its connections with 1001).
 *
 * @throws RangeError at the call for an option that is not allowed.
 * @example serve(8080).pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
 */
// biome-ignore lint/suspicious/noExplicitAny: send is a Subject, and so invariant in its type
export function handleConnections<C extends Connection<any, any, any>>(
  handler: (conn: C) => ObservableInput<unknown>,
  options: HandleConnectionsOptions<C> = {},
): OperatorFunction<C, never> {
  const { concurrency = Number.POSITIVE_INFINITY, maxWaiting = 1024, closeTimeout = 10_000 } = options;
  const { onError = reportError, scheduler = asyncScheduler } = options;
  checkAtLeast('concurrency', concurrency, 1);
  checkAtLeast('maxWaiting', maxWaiting, 0);
  checkAtLeast('closeTimeout', closeTimeout, 0);
  return (source) =>
    new Observable((subscriber) => {
      const rules = { concurrency, maxWaiting, closeTimeout, onError, scheduler };
      const handlers = new Handlers(subscriber, handler, rules);
      subscriber.add(() => handlers.stopWaiting());
      subscribeWithin(subscriber, source, {
        next: (conn) => handlers.take(conn),
        error: (error: unknown) => subscriber.error(error),
        complete: () => handlers.completeAfterLast(),
      });
      subscriber.add(() => handlers.stop());
    });
}

// biome-ignore lint/suspicious/noExplicitAny: as above
class Handlers<C extends Connection<any, any, any>> {
  readonly handler: (conn: C) => ObservableInput<unknown>;
  readonly rules: Required<HandleConnectionsOptions<C>>;
  readonly #subscriber: Subscriber<never>;
  /** Connections that wait for a place, and how to stop waiting. */
  readonly #waiting = new Map<C, Subscription>();
  readonly #running = new Roster<Handling<C>>();
  readonly #filling = new OneLoop();
  #isSourceDone = false;

  constructor(
    subscriber: Subscriber<never>,
    handler: (conn: C) => ObservableInput<unknown>,
    rules: Required<HandleConnectionsOptions<C>>,
  ) {
    this.handler = handler;
    this.rules = rules;
    this.#subscriber = subscriber;
  }

  take(conn: C): void {
    const { concurrency, maxWaiting } = this.rules;
    if (this.#running.size < concurrency && this.#waiting.size === 0) this.#handle(conn);
    else if (this.#waiting.size < maxWaiting) this.#wait(conn);
    else conn.close(1013, 'too many connections wait');
  }

  completeAfterLast(): void {
    this.#isSourceDone = true;
    this.#completeIfDone();
  }

  /** Nobody is waited for any more. */
  stopWaiting(): void {
    this.#waiting.clear();
  }

  /** Nobody is handled any more. */
  stop(): void {
    const all = new Subscription();
    for (const handling of this.#running) all.add(handling);
    all.unsubscribe();
  }

  /** A handler is done with its connection: another one gets its place. */
  done(handling: Handling<C>): void {
    this.#running.delete(handling);
    this.#fill();
  }

  /** An `onError` that fails is no reason to end the server either. */
  report(error: unknown, conn: C): void {
    try {
      this.rules.onError(error, conn);
    } catch (second) {
      reportError(error, conn);
      reportError(second, conn);
    }
  }

  #wait(conn: C): void {
    const wait = new Subscription();
    this.#waiting.set(conn, wait);
    wait.add(conn.hold());
    wait.add(conn.close$.subscribe(() => this.#leave(conn)));
    this.#subscriber.add(wait);
  }

  #leave(conn: C): void {
    const wait = this.#waiting.get(conn);
    this.#waiting.delete(conn);
    if (wait === undefined) return;
    this.#subscriber.remove(wait);
    wait.unsubscribe();
    this.#completeIfDone();
  }

  #handle(conn: C): void {
    const handling = new Handling(conn, this);
    this.#running.add(handling);
    handling.start();
  }

  /** Hands over those that wait, however many handlers are done at once. */
  #fill(): void {
    const isThrough = this.#filling.run(() => {
      for (let next = this.#first(); next !== undefined && this.#hasPlace; next = this.#first())
        this.#handOver(...next);
    });
    if (isThrough) this.#completeIfDone();
  }

  #handOver(conn: C, wait: Subscription): void {
    this.#waiting.delete(conn);
    this.#subscriber.remove(wait);
    this.#handle(conn);
    // Released last, so that all that the handler subscribed share what waited.
    wait.unsubscribe();
  }

  get #hasPlace(): boolean {
    return this.#running.size < this.rules.concurrency;
  }

  #first(): [C, Subscription] | undefined {
    const [first] = this.#waiting;
    return first;
  }

  #completeIfDone(): void {
    if (this.#isSourceDone && this.#running.size === 0 && this.#waiting.size === 0) this.#subscriber.complete();
  }
}

/**
 * One connection and its handler: the observer of what the handler returns. There is one for every connection of a server, so it has
 * no closures and no Subscription of its own.
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
class Handling<C extends Connection<any, any, any>> implements Unsubscribable, Enrolled {
  rank = -1;
  readonly #conn: C;
  readonly #handlers: Handlers<C>;
  #subscriber: Subscriber<unknown> | undefined;
  /** The deadline of a handler whose connection has ended. */
  #deadline: Unsubscribable | undefined;
  #isDone = false;

  constructor(conn: C, handlers: Handlers<C>) {
    this.#conn = conn;
    this.#handlers = handlers;
  }

  start(): void {
    const conn = this.#conn;
    const hooks = hooksOf(conn);
    if (hooks[finishedSymbol] !== undefined) hooks[finishedSymbol](this);
    else {
      const closed = conn.close$.subscribe(() => this.finished());
      this.#deadline ??= closed;
    }
    new Observable((subscriber) => {
      this.#subscriber = subscriber;
      // What the handler throws is an error of this Observable.
      from(this.#handlers.handler(conn)).subscribe(subscriber);
    }).subscribe(this);
  }

  /** The connection has ended and its messages are delivered. */
  finished(): void {
    const { scheduler, closeTimeout } = this.#handlers.rules;
    if (!this.#isDone) this.#deadline = scheduler.schedule(() => this.#end(() => {}), closeTimeout);
  }

  /** The handler has failed. */
  error(error: unknown): void {
    this.#end(() => {
      this.#handlers.report(error, this.#conn);
      this.#conn.close(1011);
    });
  }

  /** The handler has completed. */
  complete(): void {
    this.#end(() => this.#conn.close(1000));
  }

  unsubscribe(): void {
    this.#isDone = true;
    this.#deadline?.unsubscribe();
    this.#subscriber?.unsubscribe();
  }

  #end(close: () => void): void {
    if (this.#isDone) return;
    try {
      this.unsubscribe();
      close();
    } catch (error) {
      // What the handler does when it is unsubscribed may fail as well.
      this.#handlers.report(error, this.#conn);
      this.#conn.close(1011);
    }
    this.#handlers.done(this);
  }
}

function reportError(error: unknown, conn: object): void {
  hooksOf(conn)[reportSymbol]?.(error);
  try {
    console.error('A handler of a connection failed:', error);
  } catch {
    // To show it, Node reads its properties, and their getters may throw.
    console.error('A handler of a connection failed:', describeThrown(error));
  }
}

function checkAtLeast(name: string, value: number, min: number): void {
  if (typeof value !== 'number' || !(value >= min))
    throw new RangeError(`${name} must be a number of at least ${min}, got ${textOf(value)}`);
}
