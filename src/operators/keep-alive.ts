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
import { checkFunction, checkNames, checkNumber } from '../base/check.js';
import { clockOf } from '../base/clock.js';
import { hooksOf, type Interception, sessionsSymbol } from '../connection/hooks.js';
import { isWebSocketError, WebSocketError } from '../protocol/errors.js';
import { intercept, isOpen, type Peer, type Session, sessionsOf } from './sessions-of.js';

/** Options of {@link keepAlive}. */
export interface KeepAliveOptions<In, Out> {
  /** The message to send, or a function that returns it. */
  readonly message: Out | (() => Out);
  /** Time between two messages, in milliseconds. @default 30_000 */
  readonly interval?: number;
  /** How long after a message any byte must have arrived, in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /**
   * How long nothing may move while other messages of ours may be queued before a message of `keepAlive`: from the last byte that arrived,
   * or that the transport took from the queue, in milliseconds. Not less than `timeout`. @default 120_000
   */
  readonly stalledTimeout?: number;
  /** Returns whether a message is an answer, so that no subscriber of `messages$` sees it. @default none are taken out */
  readonly isAnswer?: (message: In) => boolean;
  /** For all timers. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * A heartbeat of ordinary messages, for peers and proxies for which pings are not enough: sends `message` every `interval`, and gives the
 * peer up if no byte of any kind arrives within `timeout` after it. Connections that can send pings have the option `heartbeat`.
 *
 * A peer that has stopped reading is not dead: other messages of ours may be unread before that of `keepAlive`. If any was sent since
 * the last answered one, the peer is given up only if nothing has moved for `stalledTimeout`: no byte arrived, and the transport took
 * none of the bytes that wait here. Without `isAnswer` every byte counts as an answer.
 *
 * Emits nothing. Completes with the connection. A peer that is given up is terminated, and the Observable errors with
 * `WebSocketError` HEARTBEAT_TIMEOUT, which `reconnect()` retries; a persistent connection dials again instead, without an
 * error. Errors with what `isAnswer` or a function for `message` throws, and with `UsageError` for a message that cannot be sent.
 * Unsubscribing stops it and leaves the connection open. While reading is paused for lack of demand, no peer is given up.
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
  checkNames(options, ['message', 'interval', 'timeout', 'stalledTimeout', 'isAnswer', 'scheduler']);
  const { message, interval = 30_000, timeout = 30_000, stalledTimeout = 120_000, isAnswer } = options;
  const { scheduler = asyncScheduler } = options;
  checkNumber('interval', interval, 1, 2 ** 31 - 1);
  checkNumber('timeout', timeout, 1, 2 ** 31 - 1);
  checkNumber('stalledTimeout', stalledTimeout, 1, 2 ** 31 - 1);
  checkFunction('isAnswer', isAnswer);
  if (message === undefined)
    throw new TypeError('message must be something that the connection can send, got undefined');
  const next = typeof message === 'function' ? (message as () => Out) : (): Out => message;
  const rules = { next, interval, timeout, stalledTimeout, isAnswer, scheduler };
  const watch = (session: Session<In, Out>): Observable<never> =>
    new Observable((subscriber) => new Watch(subscriber, session, rules).start());
  if (hooksOf(conn)[sessionsSymbol] === undefined) return watch(conn as Session<In, Out>);
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
  readonly stalledTimeout: number;
  readonly isAnswer: ((message: In) => boolean) | undefined;
  readonly scheduler: SchedulerLike;
}

/** The counters of a connection at one point in time. */
interface Sight {
  /** Bytes received. */
  readonly received: number;
  /** Bytes given to the transport. */
  readonly sent: number;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
  readonly dropped: number;
}

/** Most beats that wait for an answer. A peer that owes more does not answer at all. */
const MOST_UNANSWERED = 100;

/** Watches one connection. */
class Watch<In, Out> {
  readonly #subscriber: Subscriber<never>;
  readonly #session: Session<In, Out>;
  readonly #rules: WatchRules<In, Out>;
  readonly #clock: () => number;
  #interception: Interception | undefined;
  #timer: Subscription | undefined;
  /** Messages that this operator has sent. */
  #beats = 0;
  /** For each unanswered beat, oldest first: how many messages of the application were sent before it. */
  readonly #unanswered: number[] = [];
  /** How many messages of the application the peer has read at least. */
  #read = 0;
  /** The counters at the last look, and the time of the last movement. */
  #last: Sight;
  #movedAt = 0;

  constructor(subscriber: Subscriber<never>, session: Session<In, Out>, rules: WatchRules<In, Out>) {
    this.#subscriber = subscriber;
    this.#session = session;
    this.#rules = rules;
    this.#clock = clockOf(rules.scheduler);
    this.#last = this.#look();
  }

  start(): void {
    const subscriber = this.#subscriber;
    const interception = intercept<In>('keepAlive', this.#session, (message) => this.#isAnswer(message));
    this.#interception = interception;
    subscriber.add(() => {
      interception.unsubscribe();
      this.#timer?.unsubscribe();
    });
    subscriber.add(this.#session.close$.subscribe(() => subscriber.complete()));
    this.#after(this.#rules.interval, () => this.#beat());
  }

  #isAnswer(message: In): boolean {
    const { isAnswer } = this.#rules;
    try {
      if (isAnswer?.(message) !== true) return false;
    } catch (error) {
      this.#subscriber.error(error);
      return false;
    }
    this.#read = this.#unanswered.shift() ?? this.#read;
    return true;
  }

  #beat(): void {
    // A closing connection has a deadline of its own.
    if (!isOpen(this.#session)) return;
    this.#last = this.#look();
    this.#movedAt = this.#clock();
    const others = this.#others;
    try {
      const result = this.#session.trySend(this.#rules.next());
      if (result === 'sent' || result === 'buffered') this.#sent(others);
    } catch (error) {
      this.#subscriber.error(error);
      return;
    }
    const { interval, timeout } = this.#rules;
    if (interval < timeout) this.#awaitLife(interval, () => this.#peek());
    else this.#awaitLife(timeout);
  }

  /** The next message is due before a silent peer would be given up. */
  #peek(): void {
    const { interval, timeout } = this.#rules;
    if (this.#look().received === this.#last.received) this.#awaitLife(timeout - interval);
    else this.#decide();
  }

  #sent(others: number): void {
    this.#beats++;
    this.#unanswered.push(others);
    if (this.#unanswered.length > MOST_UNANSWERED) this.#unanswered.shift();
  }

  /** Messages sent by others than this operator. */
  get #others(): number {
    return this.#session.stats.messagesSent - this.#beats;
  }

  /** @param delay milliseconds until `then` judges the silence. */
  #awaitLife(delay: number, then: () => void = () => this.#decide()): void {
    // Bytes in the kernel are read in the next turn of the event loop: only after that is silence certain.
    this.#after(delay, () => this.#after(0, then));
  }

  #decide(): void {
    const { interval, timeout, stalledTimeout, isAnswer } = this.#rules;
    const [before, now] = [this.#last, this.#look()];
    this.#last = now;
    if (now.received !== before.received) {
      // Without `isAnswer`, anything that arrives after a beat is an answer.
      if (isAnswer === undefined) this.#read = this.#unanswered.splice(0).pop() ?? this.#read;
      this.#after(Math.max(0, interval - timeout), () => this.#beat());
      return;
    }
    // While reading is paused, silence means nothing.
    if (hasMoved(before, now) || this.#interception?.isReading === false) this.#movedAt = this.#clock();
    const silence = this.#clock() - this.#movedAt;
    if (silence < timeout) this.#awaitLife(timeout - silence);
    else if (this.#others === this.#read) this.#giveUp(`no byte came for ${timeout} ms after a message of keepAlive`);
    else if (silence < stalledTimeout) this.#awaitLife(Math.min(timeout, stalledTimeout - silence));
    else this.#giveUp(`nothing has moved for ${stalledTimeout} ms, with messages unread before one of keepAlive`);
  }

  #look(): Sight {
    const { bytesReceived: received, bytesSent: sent, messagesDropped: dropped } = this.#session.stats;
    return { received, sent, waiting: this.#session.bufferedAmount, dropped };
  }

  #giveUp(why: string): void {
    const error = new WebSocketError('HEARTBEAT_TIMEOUT', why);
    error.uptime = this.#session.stats.uptime;
    // The error comes before the end of the connection that it causes.
    this.#subscriber.error(error);
    this.#session.terminate();
  }

  #after(delay: number, work: () => void): void {
    if (this.#subscriber.closed) return;
    this.#timer = this.#rules.scheduler.schedule(work, delay);
  }
}

/**
 * Whether the transport took some of the waiting bytes. What is sent while nothing waits says nothing about the peer: for a while the
 * kernel takes it even if the peer does not read.
 */
function hasMoved(before: Sight, now: Sight): boolean {
  if (before.waiting === 0) return false;
  return now.sent > before.sent || (now.waiting < before.waiting && now.dropped === before.dropped);
}
