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
import { checkFunction, checkNumber } from '../base/check.js';
import { clockOf } from '../base/clock.js';
import { hooksOf, type Interception, sessionsSymbol } from '../connection/hooks.js';
import { isWebSocketError, WebSocketError } from '../protocol/errors.js';
import { intercept, isOpen, type Peer, type Session, sessionsOf } from './sessions-of.js';

/** Options of {@link keepAlive}. */
export interface KeepAliveOptions<In, Out> {
  /** What is sent, or a function that gives it. */
  readonly message: Out | (() => Out);
  /** Between two of them, in milliseconds. @default 30_000 */
  readonly interval?: number;
  /** From one of them until any byte must have come, in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /**
   * How long nothing may move where something of ours may stand before a message of `keepAlive`: from the last byte that came, or that
   * the transport took of what waited, in milliseconds. Not less than `timeout`. @default 120_000
   */
  readonly stalledTimeout?: number;
  /** Tells the answers, so that no subscriber of `messages$` sees them. @default none are taken out */
  readonly isAnswer?: (message: In) => boolean;
  /** For all times. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * A heartbeat of ordinary messages, for peers and proxies that pings are not enough for: sends `message` every `interval`, and gives the
 * peer up when no byte of any kind comes within `timeout` after it. Connections that can send pings have the option `heartbeat`.
 *
 * A peer that has stopped reading is not dead: other messages of ours may stand before that of `keepAlive`, unread. Where any was sent since
 * the last one that was answered, the peer is given up only when nothing has moved for `stalledTimeout`: no byte came, and of what
 * waits here the transport took none. Without `isAnswer` every byte counts as an answer.
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

/** What can be seen of a connection from outside. */
interface Sight {
  /** Bytes that came. */
  readonly received: number;
  /** Bytes that were given to the transport. */
  readonly sent: number;
  /** Bytes that wait to be taken. */
  readonly waiting: number;
  readonly dropped: number;
}

/** Beats whose answers are counted. A peer that owes more answers none. */
const MOST_UNANSWERED = 100;

/** Watches one connection. */
class Watch<In, Out> {
  readonly #subscriber: Subscriber<never>;
  readonly #session: Session<In, Out>;
  readonly #rules: WatchRules<In, Out>;
  readonly #clock: () => number;
  #interception: Interception | undefined;
  #timer: Subscription | undefined;
  /** Messages of our own that were sent. */
  #beats = 0;
  /** For each beat without an answer: how many messages of others were sent before it. The oldest first. */
  readonly #unanswered: number[] = [];
  /** As many messages of others the peer has read. */
  #read = 0;
  /** What was seen last, and when something had moved by then. */
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
    // While it closes, the connection has a deadline of its own.
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
    this.#awaitLife();
  }

  #sent(others: number): void {
    this.#beats++;
    this.#unanswered.push(others);
    if (this.#unanswered.length > MOST_UNANSWERED) this.#unanswered.shift();
  }

  /** Messages that were sent beside those of this operator. */
  get #others(): number {
    return this.#session.stats.messagesSent - this.#beats;
  }

  /** @param delay until silence says something, in milliseconds. */
  #awaitLife(delay: number = this.#rules.timeout): void {
    this.#after(delay, () => {
      // What lies in the kernel is read in the next turn of the loop: only then is silence sure.
      this.#after(0, () => this.#decide());
    });
  }

  #decide(): void {
    const { interval, timeout, stalledTimeout, isAnswer } = this.#rules;
    const [before, now] = [this.#last, this.#look()];
    this.#last = now;
    if (now.received !== before.received) {
      // Nothing tells an answer: whatever comes after a beat is one.
      if (isAnswer === undefined) this.#read = this.#unanswered.splice(0).pop() ?? this.#read;
      this.#after(Math.max(0, interval - timeout), () => this.#beat());
      return;
    }
    // While reading is paused, silence says nothing.
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
    // Its error comes before the end of the connection, that it causes.
    this.#subscriber.error(error);
    this.#session.terminate();
  }

  #after(delay: number, work: () => void): void {
    if (this.#subscriber.closed) return;
    this.#timer = this.#rules.scheduler.schedule(work, delay);
  }
}

/**
 * Whether the transport took something of what had waited. What is sent while nothing waits says nothing of the peer: the kernel takes it for
 * a while, though nobody is there to read it.
 */
function hasMoved(before: Sight, now: Sight): boolean {
  if (before.waiting === 0) return false;
  return now.sent > before.sent || (now.waiting < before.waiting && now.dropped === before.dropped);
}
