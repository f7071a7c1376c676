import { asyncScheduler, Observable, type SchedulerLike, type Subscriber, TimeoutError } from 'rxjs';
import { checkFunction, checkNumber } from '../base/check.js';
import { hooksOf, type Turn, turnSymbol } from '../connection/hooks.js';
import type { InterceptorKey } from '../connection/interceptors.js';
import { ConnectionClosedError, UsageError } from '../protocol/errors.js';
import { type OpenQuestion, type Questions, questionsOf } from './questions.js';
import { intercept, type Peer, type Session } from './sessions-of.js';

/** Options of every question. */
export interface AskTimeOptions {
  /**
   * How long the answer may take, in milliseconds, the wait for a socket of a persistent connection included. `Infinity` waits as long
   * as the connection lives. @default 30_000
   */
  readonly timeout?: number;
  /** For `timeout`. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/** {@link AskOptions} of a question that knows its answer when it sees it. */
export interface AskMatchOptions<In, Answer extends In = In> extends AskTimeOptions {
  /**
   * Tells the answer. It sees every message that comes while the question is open, unless an older question takes it, and should name
   * one of them only. Each open question looks at each message: for many at a time, or long messages, use `key`.
   */
  readonly match: ((message: In) => message is Answer) | ((message: In) => boolean);
  /** Not beside `match`. */
  readonly key?: undefined;
  /** Not beside `match`. */
  readonly equals?: undefined;
}

/** {@link AskOptions} of a question whose answer carries a key: an id that is echoed. */
export interface AskKeyOptions<In, Key = unknown> extends AskTimeOptions {
  /** Not beside `key`. */
  readonly match?: undefined;
  /**
   * The key of a message. Called once for each message, however many questions are open with this same function: define it once, not
   * anew for each question.
   */
  readonly key: (message: In) => Key;
  /** The key of the answer. Compared as the keys of a `Map` are. */
  readonly equals: NonNullable<NoInfer<Key>>;
}

/** Options of {@link ask}: either `match`, or `key` and `equals`. */
export type AskOptions<In, Answer extends In = In, Key = unknown> =
  | AskMatchOptions<In, Answer>
  | AskKeyOptions<In, Key>;

/**
 * A question and its answer: sends `message` when it is subscribed to, and emits the first message that `match` says `true` to, or
 * whose `key` equals `equals`.
 *
 * The answer is taken out of the inbox when it is parsed: it overtakes what waits, no subscriber of `messages$` sees it, and it comes though
 * nobody subscribes to them, or a hold is taken. All other messages stay for their subscribers. While nobody wants them
 * they wait, up to `highWaterMark` as always, and up to twice that while a question is open, so that there is room after a full
 * inbox. If that is full too, the peer is paused until messages are taken: without a subscriber and a hold the question errors in the
 * next turn of the loop with ASK_BLOCKED, under a hold it waits for its release.
 *
 * Of the questions that a message answers, the oldest gets it, and no other. One that is opened while a message is shown to `match`
 * or `key`, or emitted as an answer, sees the next message; one that is unsubscribed meanwhile sees none. Opening and leaving take the same time
 * however many questions are open.
 *
 * Emits once and completes. Errors with RxJS's `TimeoutError`, whose message says what was waited for; with `ConnectionClosedError` when
 * the connection ends first, or has ended; with what `match` or `key` throws; with `UsageError` for a message that cannot be sent (its
 * own code), that `overflow` drops (ASK_DROPPED), or whose answer cannot be read (ASK_BLOCKED).
 * Unsubscribing stops listening: an answer that comes later is an ordinary message. On a persistent connection the question waits in the
 * queue of what is sent, within `timeout`, and is asked only once; unsubscribed before, it is never sent. When that is given up it errors with
 * the reason.
 *
 *     subscribe  ^
 *     sent       q
 *     received   --a---b---
 *     ask        ------(b|)     match: b
 *     messages$  --a-------
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example ask(conn, '{"id":7,"get":"price"}', { key: (m) => JSON.parse(String(m)).id, equals: 7 }).subscribe(console.log);
 */
export function ask<In, Out, Answer extends In = In, Key = unknown>(
  conn: Peer<In, Out>,
  message: NoInfer<Out>,
  options: AskOptions<In, Answer, Key>,
): Observable<Answer> {
  const rules = rulesOf(options as AskOptions<In>);
  return new Observable<In>((subscriber) => {
    new Question<In, Out>(subscriber, rules).open(conn, message);
  }) as Observable<Answer>;
}

interface Rules<In> {
  /** Whether it is the answer, of those that have the key. */
  readonly match: (message: In) => boolean;
  readonly key: Omit<InterceptorKey<In>, 'failed'> | undefined;
  readonly timeout: number;
  readonly scheduler: SchedulerLike;
}

function rulesOf<In>({ match, key, equals, ...times }: AskOptions<In>): Rules<In> {
  checkFunction('match', match);
  checkFunction('key', key);
  if (match === undefined && key === undefined) {
    throw new TypeError('specify match or key, a function: got neither');
  }
  if (match !== undefined && (key !== undefined || equals !== undefined)) {
    throw new TypeError('specify either match, or key and equals: got both');
  }
  if (match === undefined && equals == null) {
    throw new TypeError(`equals must be the key of the answer, got ${equals}`);
  }
  const { timeout = 30_000, scheduler = asyncScheduler } = times;
  if (timeout !== Number.POSITIVE_INFINITY) checkNumber('timeout', timeout, 1, 2 ** 31 - 1, ', or Infinity');
  return {
    match: match ?? ((): boolean => true),
    key: key === undefined ? undefined : { of: key, value: equals },
    timeout,
    scheduler,
  };
}

/** One question, from when it is subscribed to until it has its answer. */
class Question<In, Out> implements OpenQuestion, Turn<Out> {
  rank = -1;
  readonly #subscriber: Subscriber<In>;
  readonly #rules: Rules<In>;
  /** Those that are open beside it, once it was sent. */
  #questions: Questions | undefined;

  constructor(subscriber: Subscriber<In>, rules: Rules<In>) {
    this.#subscriber = subscriber;
    this.#rules = rules;
  }

  open(conn: Peer<In, Out>, message: Out): void {
    const subscriber = this.#subscriber;
    const turn = hooksOf<In, Out>(conn)[turnSymbol]?.(message, this);
    if (turn === undefined) this.begin(conn as Session<In, Out>, message);
    else subscriber.add(turn);
    const { timeout, scheduler } = this.#rules;
    if (subscriber.closed || timeout === Number.POSITIVE_INFINITY) return;
    subscriber.add(scheduler.schedule(() => this.fail(this.#late()), timeout));
  }

  begin(session: Session<In, Out>, message: Out): void {
    try {
      this.#ask(session, message);
    } catch (error) {
      this.fail(error);
    }
  }

  dropped(): void {
    this.fail(
      new UsageError(
        'ASK_DROPPED',
        'the question was dropped by overflow, since too much waits to be sent: ask while send.ready$ is true',
      ),
    );
  }

  ended(error?: unknown): void {
    this.fail(error ?? new ConnectionClosedError({ code: 1006, reason: '', wasClean: false, initiator: 'local' }));
  }

  fail(error: unknown): void {
    this.#subscriber.error(error);
  }

  /** Listens, then sends. */
  #ask(session: Session<In, Out>, message: Out): void {
    const subscriber = this.#subscriber;
    if (subscriber.closed) return;
    const { key, scheduler } = this.#rules;
    const questions = questionsOf(session, scheduler);
    this.#questions = questions;
    subscriber.add(() => questions.remove(this));
    questions.add(this);
    if (subscriber.closed) return;
    const failed = (error: unknown): void => this.fail(error);
    const options = key === undefined ? {} : { key: { ...key, failed } };
    subscriber.add(intercept<In>('ask', session, (found) => this.#take(found), options));
    if (session.trySend(message) === 'dropped') this.dropped();
  }

  #take(found: In): boolean {
    const subscriber = this.#subscriber;
    try {
      if (!this.#rules.match(found)) return false;
    } catch (error) {
      subscriber.error(error);
      return false;
    }
    // It may have unsubscribed itself.
    if (subscriber.closed) return false;
    subscriber.next(found);
    subscriber.complete();
    return true;
  }

  #late(): TimeoutError {
    const error = new TimeoutError({ meta: null, lastValue: null, seen: 0 });
    error.message = `no answer came within ${this.#rules.timeout} ms${this.#reason}`;
    return error;
  }

  get #reason(): string {
    const questions = this.#questions;
    if (questions === undefined) return ': the question was not sent, since no connection was open';
    if (questions.isReading) return '';
    return `: ${questions.unread} bytes of messages wait before it, and a hold keeps them back; release it sooner`;
  }
}
