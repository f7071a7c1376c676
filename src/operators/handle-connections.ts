import {
  asyncScheduler,
  from,
  Observable,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
  type Subscriber,
  Subscription,
  tap,
  type Unsubscribable,
} from 'rxjs';
import { checkNames } from '../base/check.js';
import { describe } from '../base/describe.js';
import { isThenable } from '../base/hook-answer.js';
import { complain, originOf } from '../base/mistake.js';
import { OneLoop } from '../base/one-loop.js';
import { type Enrolled, Roster } from '../base/roster.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { propertyOf, textOf } from '../base/thrown.js';
import { type Connection, ReadyState } from '../connection/connection.js';
import { finishedSymbol, hooksOf, reportSymbol, subscribersSymbol } from '../connection/hooks.js';
import { isUsageError, isWebSocketError } from '../protocol/errors.js';

/** Options of {@link handleConnections}. */
export interface HandleConnectionsOptions<C> {
  /** How many connections are handled at a time; others wait under a hold. @default Infinity */
  readonly concurrency?: number;
  /** How many connections may wait; one more is closed with 1013. @default 1024 */
  readonly maxWaiting?: number;
  /** Called when a handler fails, instead of the default. @default each error goes to the diagnostics, the first of its kind is printed */
  readonly onError?: (error: unknown, conn: C) => void;
  /** How long a handler may run after its connection has ended and its messages are delivered, in milliseconds. @default 10_000 */
  readonly closeTimeout?: number;
  /** For `closeTimeout`. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * Runs one handler for each connection, so that a failing handler ends its own connection and never the server.
 *
 * A handler that completes closes its connection with 1000; one that errors or throws is reported and closes it with 1011; one that
 * still runs after the connection has ended is unsubscribed `closeTimeout` after the last message was delivered. A connection that
 * ends while it waits gets no handler.
 *
 * Emits nothing. Completes when the source and all handlers have completed; errors with the source; unsubscribing unsubscribes from all
 * of them (and so from the server, which closes its connections with 1001).
 *
 * @throws RangeError at the call for an option that is not allowed.
 * @example serve(8080).pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
 */
// biome-ignore lint/suspicious/noExplicitAny: send is a Subject, and so invariant in its type
export function handleConnections<C extends Connection<any, any, any>>(
  handler: (conn: C) => ObservableInput<unknown>,
  options: HandleConnectionsOptions<C> = {},
): OperatorFunction<C, never> {
  checkNames(options, ['concurrency', 'maxWaiting', 'closeTimeout', 'onError', 'scheduler']);
  const { concurrency = Number.POSITIVE_INFINITY, maxWaiting = 1024, closeTimeout = 10_000 } = options;
  const place = {};
  const { onError = (error, conn) => reportError(place, error, conn), scheduler = asyncScheduler } = options;
  checkAtLeast('concurrency', concurrency, 1);
  checkAtLeast('maxWaiting', maxWaiting, 0);
  checkAtLeast('closeTimeout', closeTimeout, 0);
  return (source) =>
    new Observable((subscriber) => {
      const rules = { concurrency, maxWaiting, closeTimeout, onError, scheduler, place };
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

interface Rules<C> extends Required<HandleConnectionsOptions<C>> {
  /** The object for which each mistake is printed once. */
  readonly place: object;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
class Handlers<C extends Connection<any, any, any>> {
  readonly handler: (conn: C) => ObservableInput<unknown>;
  readonly rules: Rules<C>;
  readonly #subscriber: Subscriber<never>;
  /** Connections that wait for a handler, each with the Subscription of its wait. */
  readonly #waiting = new Map<C, Subscription>();
  readonly #running = new Roster<Handling<C>>();
  readonly #filling = new OneLoop();
  #isSourceDone = false;

  constructor(subscriber: Subscriber<never>, handler: (conn: C) => ObservableInput<unknown>, rules: Rules<C>) {
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

  /** Forgets the connections that wait. */
  stopWaiting(): void {
    this.#waiting.clear();
  }

  /** Unsubscribes from all handlers. */
  stop(): void {
    const all = new Subscription();
    for (const handling of this.#running) all.add(handling);
    all.unsubscribe();
  }

  /** A handler is done: a waiting connection takes its place. */
  done(handling: Handling<C>): void {
    this.#running.delete(handling);
    this.#fill();
  }

  /** Reports an error. An `onError` that throws does not end the server either. */
  report(error: unknown, conn: C): void {
    try {
      this.rules.onError(error, conn);
    } catch (second) {
      reportError(this.rules.place, error, conn);
      reportError(this.rules.place, second, conn);
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

  /** Starts handlers for waiting connections, however many places become free at once. */
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
    // Released last, so that all subscribers of the handler share the waiting messages.
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
 * A connection and its handler: the observer of what the handler returns. A server has one for every connection, so it has no closures
 * and no Subscription of its own.
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
      // If the handler throws, this Observable errors.
      this.#answerOf(conn).subscribe(subscriber);
    }).subscribe(this);
  }

  #answerOf(conn: C): Observable<unknown> {
    const answer = this.#handlers.handler(conn);
    const answer$ = lasting(answer);
    return isThenable(answer) ? answer$.pipe(tap({ complete: () => this.#settled() })) : answer$;
  }

  /** An async handler has returned. If it still subscribes, its author may not know that this ends the connection. */
  #settled(): void {
    const isListening = (hooksOf(this.#conn)[subscribersSymbol]?.() ?? 0) > 0;
    if (this.#isDone || !isListening || this.#conn.readyState !== ReadyState.OPEN) return;
    complain(this.#handlers.rules.place, { kind: 'handler', key: 'async', message: LEFT_EARLY });
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
      // The teardown of the handler may throw too.
      this.#handlers.report(error, this.#conn);
      this.#conn.close(1011);
    }
    this.#handlers.done(this);
  }
}

const LEFT_EARLY =
  'an async handler was done while it still subscribed to messages$, and its connection was closed with 1000; ' +
  'a handler lasts as long as its connection: return the Observable, or use for await, instead of subscribing';

/** Converts what a handler returned. @throws TypeError if it cannot be subscribed to, such as undefined. */
function lasting(answer: ObservableInput<unknown>): Observable<unknown> {
  try {
    return from(answer);
  } catch {
    const found = isSubscription(answer) ? 'a Subscription' : describe(answer);
    throw new TypeError(
      `handleConnections(): the handler must return an Observable, a Promise or an iterable, got ${found}; ` +
        'it lasts as long as the connection: return conn.messages$.pipe(...) instead of subscribing to it',
    );
  }
}

function isSubscription(answer: unknown): boolean {
  return typeof propertyOf(answer, 'unsubscribe') === 'function';
}

function reportError(place: object, error: unknown, conn: Pick<Connection, 'readyState'>): void {
  hooksOf(conn)[reportSymbol]?.(error);
  if (isEndOf(conn, error)) return;
  const message = 'a handler of a connection failed, and the connection was closed with 1011';
  complain(place, { kind: 'handler', key: originOf(error), message, cause: error });
}

/** Whether a handler failed only because its connection has ended, as with `iterate`, `ask` or a stream. That is not its mistake. */
function isEndOf(conn: Pick<Connection, 'readyState'>, error: unknown): boolean {
  return conn.readyState === ReadyState.CLOSED && isWebSocketError(error) && !isUsageError(error);
}

function checkAtLeast(name: string, value: number, min: number): void {
  if (typeof value !== 'number' || !(value >= min))
    throw new RangeError(`${name} must be a number of at least ${min}, got ${textOf(value)}`);
}
