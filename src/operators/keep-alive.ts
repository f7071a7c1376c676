import {
  asyncScheduler,
  catchError,
  EMPTY,
  Observable,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
  switchMap,
  throwError,
} from 'rxjs';
import { checkCallback, checkNumber } from '../protocol/check-number.js';
import { sessionsSymbol } from '../protocol/connection-symbols.js';
import { isWebSocketError, WebSocketError } from '../protocol/errors.js';
import type { Interception } from '../reactive/inbox.js';
import { intercept, isOpen, type Peer, type Session, sessionsOf } from './sessions-of.js';

/** Options of {@link keepAlive}. */
export interface KeepAliveOptions<In, Out> {
  /** What is sent, or a function that gives it. */
  readonly message: Out | (() => Out);
  /** Between two of them, in milliseconds. @default 30_000 */
  readonly interval?: number;
  /** From one of them until any byte must have come, in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /** Tells the answers, so that no subscriber of `messages$` sees them. @default none are taken out */
  readonly isAnswer?: (message: In) => boolean;
  /** For all times. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * A heartbeat of ordinary messages, for peers and proxies that pings are not enough for: sends `message` every `interval`, and gives the
 * peer up when no byte of any kind comes within `timeout` after it. Connections that can send pings have the option `heartbeat`.
 *
 * Emits nothing. Completes with the connection. When the peer is given up it is terminated, and the Observable errors with
 * `WebSocketError` HEARTBEAT_TIMEOUT, that `reconnect()` retries; on a persistent connection it is dialed anew instead, without an
 * error. Errors with what `isAnswer` and a function for `message` throw, and with `UsageError` for a message that cannot be sent.
 * Unsubscribing stops it and leaves the connection open. While reading is paused for want of demand, no peer is given up.
 *
 *     sent       -----p----p----p         interval: 5, timeout: 3
 *     received   ------a----b-----
 *     result     ------------------#
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example merge(conn.messages$, keepAlive(conn, { message: 'ping', isAnswer: (m) => m === 'pong' })).subscribe(console.log);
 */
export function keepAlive<In, Out>(
  conn: Peer<In, Out>,
  options: KeepAliveOptions<In, NoInfer<Out>>,
): Observable<never> {
  const { message, interval = 30_000, timeout = 30_000, isAnswer, scheduler = asyncScheduler } = options;
  checkNumber('interval', interval, 1, 2 ** 31 - 1);
  checkNumber('timeout', timeout, 1, 2 ** 31 - 1);
  checkCallback('isAnswer', isAnswer);
  if (message === undefined) throw new TypeError('message is undefined, allowed is what the connection can send');
  const next = typeof message === 'function' ? (message as () => Out) : (): Out => message;
  const rules = { next, interval, timeout, isAnswer: isAnswer ?? ((): boolean => false), scheduler };
  const watch = (session: Session<In, Out>): Observable<never> =>
    new Observable((subscriber) => new Watch(subscriber, session, rules).start());
  if (!(sessionsSymbol in conn)) return watch(conn as Session<In, Out>);
  return sessionsOf(conn).pipe(switchMap((session) => watch(session).pipe(catchError(exceptTimeout))));
}

/** The end of one connection is not the end of a persistent one. */
function exceptTimeout(error: unknown): Observable<never> {
  return isWebSocketError(error) && error.code === 'HEARTBEAT_TIMEOUT' ? EMPTY : throwError(() => error);
}

interface WatchRules<In, Out> {
  readonly next: () => Out;
  readonly interval: number;
  readonly timeout: number;
  readonly isAnswer: (message: In) => boolean;
  readonly scheduler: SchedulerLike;
}

/** Watches one connection. */
class Watch<In, Out> {
  readonly #subscriber: Subscriber<never>;
  readonly #session: Session<In, Out>;
  readonly #rules: WatchRules<In, Out>;
  #interception: Interception | undefined;
  #timer: Subscription | undefined;

  constructor(subscriber: Subscriber<never>, session: Session<In, Out>, rules: WatchRules<In, Out>) {
    this.#subscriber = subscriber;
    this.#session = session;
    this.#rules = rules;
  }

  start(): void {
    const subscriber = this.#subscriber;
    const interception = intercept<In>('keepAlive', this.#session, (message) => this.#isAnswer(message), false);
    this.#interception = interception;
    subscriber.add(() => {
      interception.unsubscribe();
      this.#timer?.unsubscribe();
    });
    subscriber.add(this.#session.close$.subscribe(() => subscriber.complete()));
    this.#after(this.#rules.interval, () => this.#beat());
  }

  #isAnswer(message: In): boolean {
    try {
      return this.#rules.isAnswer(message);
    } catch (error) {
      this.#subscriber.error(error);
      return false;
    }
  }

  #beat(): void {
    // While it closes, the connection has a deadline of its own.
    if (!isOpen(this.#session)) return;
    const seen = this.#session.bytesReceived;
    try {
      this.#session.trySend(this.#rules.next());
    } catch (error) {
      this.#subscriber.error(error);
      return;
    }
    this.#await(seen);
  }

  #await(seen: number): void {
    const { interval, timeout } = this.#rules;
    this.#after(timeout, () => {
      // What lies in the kernel is read in the next turn of the loop: only then is silence sure.
      this.#after(0, () => {
        if (this.#session.bytesReceived !== seen) this.#after(Math.max(0, interval - timeout), () => this.#beat());
        else if (this.#interception?.isReading === false) this.#await(seen);
        else this.#giveUp();
      });
    });
  }

  #giveUp(): void {
    const { timeout } = this.#rules;
    const error = new WebSocketError(
      'HEARTBEAT_TIMEOUT',
      `no byte came for ${timeout} ms after a message of keepAlive`,
    );
    error.uptime = this.#session.stats.uptime;
    // Its error comes before the end of the connection, that it causes.
    this.#subscriber.error(error);
    this.#session.terminate();
  }

  #after(delay: number, work: () => void): void {
    if (this.#subscriber.closed) return;
    this.#timer = this.#rules.scheduler.schedule(work, delay);
  }
}
