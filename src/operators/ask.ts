import { asyncScheduler, Observable, type SchedulerLike, switchMap, take, throwIfEmpty, timeout } from 'rxjs';
import { checkCallback, checkNumber } from '../protocol/check-number.js';
import { ConnectionClosedError } from '../protocol/errors.js';
import { intercept, type Peer, type Session, sessionsOf } from './sessions-of.js';

/** Options of {@link ask}. */
export interface AskOptions<In, Answer extends In = In> {
  /** Tells the answer. It sees every message that comes while the question is open, and should name one of them only. */
  readonly match: ((message: In) => message is Answer) | ((message: In) => boolean);
  /** How long the answer may take, in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /** For `timeout`. @default asyncScheduler */
  readonly scheduler?: SchedulerLike;
}

/**
 * A question and its answer: sends `message` when it is subscribed to, and emits the first message that `match` says `true` to.
 *
 * The answer is taken out of the inbox when it is parsed: it overtakes what waits, no subscriber of `messages$` sees it, and it comes though
 * nobody subscribes to them, or a hold is taken. All other messages stay for their subscribers. While nobody wants them
 * they wait, up to `highWaterMark` as always, and up to twice that while a question is open, so that there is room behind a full
 * inbox; beyond that the peer is paused until messages are taken. Of questions with the same `match` the oldest gets the first answer.
 *
 * Emits once and completes. Errors with RxJS's `TimeoutError`; with `ConnectionClosedError` when the connection ends first, or has
 * ended; with what `match` throws; with `UsageError` for a message that cannot be sent. A question that `overflow` drops gets no answer.
 * Unsubscribing stops listening: an answer that comes later is an ordinary message. On a persistent connection it waits for a socket,
 * within `timeout`, and asks only once.
 *
 *     subscribe  ^
 *     sent       q
 *     received   --a---b---
 *     ask        ------(b|)     match: b
 *     messages$  --a-------
 *
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example ask(conn, '{"id":7,"get":"price"}', { match: (m) => JSON.parse(String(m)).id === 7 }).subscribe(console.log);
 */
export function ask<In, Out, Answer extends In = In>(
  conn: Peer<In, Out>,
  message: NoInfer<Out>,
  options: AskOptions<In, Answer>,
): Observable<Answer> {
  const { match, timeout: first = 30_000, scheduler = asyncScheduler } = options;
  if (match === undefined) throw new TypeError('match is undefined, allowed is a function');
  checkCallback('match', match);
  checkNumber('timeout', first, 1, 2 ** 31 - 1);
  return sessionsOf(conn).pipe(
    take(1),
    throwIfEmpty(() => new ConnectionClosedError({ code: 1006, reason: '', wasClean: false })),
    switchMap((session) => answerOf(session, message, match) as Observable<Answer>),
    timeout({ first, scheduler }),
  );
}

function answerOf<In, Out>(session: Session<In, Out>, message: Out, match: (message: In) => boolean): Observable<In> {
  return new Observable((subscriber) => {
    const take = (found: In): boolean => {
      if (subscriber.closed) return false;
      try {
        if (!match(found)) return false;
      } catch (error) {
        subscriber.error(error);
        return false;
      }
      subscriber.next(found);
      subscriber.complete();
      return true;
    };
    const interception = intercept('ask', session, take, true);
    subscriber.add(() => interception.unsubscribe());
    subscriber.add(
      session.close$.subscribe((info) => subscriber.error(new ConnectionClosedError({ ...info, cause: info.error }))),
    );
    if (!subscriber.closed) session.trySend(message);
  });
}
