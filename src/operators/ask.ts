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
   * How long the answer may take, in milliseconds, including the wait for a socket of a persistent connection. `Infinity` waits as long
   * as the connection lives. @default 30_000
   */
  readonly timeout?: number;
  /** For `timeout`. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/** {@link AskOptions} of a question that recognizes its answer with a predicate. */
export interface AskMatchOptions<In, Answer extends In = In> extends AskTimeOptions {
  /**
   * Returns whether a message is the answer. It is called with every message that arrives while the question is open, unless an older
   * question takes it, and should match one message only. Each open question checks each message: with many questions, or long
   * messages, use `key`.
   */
  readonly match: ((message: In) => message is Answer) | ((message: In) => boolean);
  /** Not together with `match`. */
  readonly key?: undefined;
  /** Not together with `match`. */
  readonly equals?: undefined;
}

/** {@link AskOptions} of a question whose answer carries a key, such as an id that the peer echoes. */
export interface AskKeyOptions<In, Key = unknown> extends AskTimeOptions {
  /** Not together with `key`. */
  readonly match?: undefined;
  /**
   * Returns the key of a message. Called once for each message, however many questions are open with this same function: define it once,
   * not for each question.
   */
  readonly key: (message: In) => Key;
  /** The key of the answer. Compared like the keys of a `Map`. */
  readonly equals: NonNullable<NoInfer<Key>>;
}

/** Options of {@link ask}: either `match`, or `key` and `equals`. */
export type AskOptions<In, Answer extends In = In, Key = unknown> =
  | AskMatchOptions<In, Answer>
  | AskKeyOptions<In, Key>;

/**
 * Sends a question and emits its answer: sends `message` on subscription, and emits the first message for which `match` returns `true`,
 * or whose `key` equals `equals`.
 *
 * The answer is taken out of the inbox when it is parsed: it overtakes waiting messages, no subscriber of `messages$` sees it, and it
 * arrives even without a subscriber or under a hold. All other messages stay for their subscribers. Without demand they wait, up to
 * `highWaterMark` as always, and up to twice that while a question is open, so that a full inbox does not block the answer. If that is
 * full too, the peer is paused until messages are taken: without a subscriber and without a hold the question errors with ASK_BLOCKED
 * in the next turn of the event loop; under a hold it waits for the release.
 *
 * If a message answers several questions, only the oldest gets it. A question that is opened while `match` or `key` runs, or while an
 * answer is emitted, sees the next message; one that is unsubscribed meanwhile sees none. Opening and unsubscribing take the same time
 * however many questions are open.
 *
 * Emits once and completes. Errors with RxJS's `TimeoutError`, whose message says why no answer came; with `ConnectionClosedError` if
 * the connection ends first, or has ended; with what `match` or `key` throws; with `UsageError` for a message that cannot be sent (with
 * its own code), that `overflow` drops (ASK_DROPPED), or whose answer cannot be read (ASK_BLOCKED).
 * Unsubscribing stops listening: a later answer is an ordinary message. On a persistent connection the question waits in the send queue,
 * within `timeout`, and is asked only once; if it is unsubscribed before, it is never sent. If the client gives up, the question errors
 * with the reason.
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
  /** Returns whether a message with the right key is the answer. */
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

/** One question, from its subscription to its answer. */
class Question<In, Out> implements OpenQuestion, Turn<Out> {
  rank = -1;
  readonly #subscriber: Subscriber<In>;
  readonly #rules: Rules<In>;
  /** The open questions of the connection, once this one was sent. */
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
        'overflow dropped the question, since the send queue is full: ask while send.ready$ is true',
      ),
    );
  }

  ended(error?: unknown): void {
    this.fail(error ?? new ConnectionClosedError({ code: 1006, reason: '', wasClean: false, initiator: 'local' }));
  }

  fail(error: unknown): void {
    this.#subscriber.error(error);
  }

  /** Listens before it sends. */
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
    // `match` may have unsubscribed the question.
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
