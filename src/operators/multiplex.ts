import { Observable, filter as only, Subscription, switchMap } from 'rxjs';
import { checkFunction } from '../base/check.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { messageKey } from './message-key.js';
import { isOpen, type Peer, type Session, sessionsOf } from './sessions-of.js';

/** One substream: how many want it, and what keeps it subscribed at the peer. */
interface Topic {
  count: number;
  presence: Subscription | undefined;
}

const topicsOf = new WeakMap<object, Map<unknown, Topic>>();

/**
 * One of many substreams of a connection, as the peer knows them: sends `subscribeMessage` for the first subscriber, passes
 * the messages that `filter` says `true` to, and sends `unsubscribeMessage` when the last one leaves.
 *
 * Substreams are counted per connection by their `subscribeMessage`: two are the same when they are equal as text, as bytes, or as
 * JSON. Each subscriber is a subscriber of `messages$`: it makes demand, and messages that belong to nobody are gone. It listens
 * before anything is sent. On a persistent connection `subscribeMessage` is sent anew on each socket, before anything that was queued.
 *
 * Completes with `messages$`; errors with what `filter` throws, which counts as leaving. Unsubscribing, `take(n)` and the like send
 * `unsubscribeMessage` when nobody else is left, but only while the connection is open.
 *
 *     received   --a1--b1--a2---b2-
 *     result     --a1------a2---!        filter: a
 *     sent       S--------------U
 *
 * @throws TypeError at the call when `filter` is no function.
 * @example multiplex(conn, 'sub EURUSD', 'unsub EURUSD', (m) => String(m).startsWith('EURUSD')).subscribe(console.log);
 */
export function multiplex<In, Out, T extends In = In>(
  conn: Peer<In, Out>,
  subscribeMessage: NoInfer<Out>,
  unsubscribeMessage: NoInfer<Out>,
  filter: ((message: In) => message is T) | ((message: In) => boolean),
): Observable<T> {
  if (filter === undefined) throw new TypeError('filter is undefined, allowed is a function');
  checkFunction('filter', filter);
  return new Observable((subscriber) => {
    const topic = enter(conn, subscribeMessage);
    subscriber.add(() => leave(conn, subscribeMessage, topic));
    subscribeWithin(subscriber, (conn.messages$ as Observable<In>).pipe(only(filter)), {
      next: (message) => subscriber.next(message as T),
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
    if (subscriber.closed || topic.presence !== undefined) return;
    topic.presence = new Subscription();
    const presence$ = sessionsOf(conn).pipe(
      switchMap((session) => presence(session, subscribeMessage, unsubscribeMessage)),
    );
    subscribeWithin(topic.presence, presence$, {});
  });
}

function enter(conn: object, message: unknown): Topic {
  const topics = topicsOf.get(conn) ?? new Map<unknown, Topic>();
  topicsOf.set(conn, topics);
  const key = messageKey(message);
  const topic = topics.get(key) ?? { count: 0, presence: undefined };
  topics.set(key, topic);
  topic.count++;
  return topic;
}

function leave(conn: object, message: unknown, topic: Topic): void {
  topic.count--;
  if (topic.count > 0) return;
  topicsOf.get(conn)?.delete(messageKey(message));
  topic.presence?.unsubscribe();
}

/** What the peer knows of a substream, on one socket: from `begin` to `end`. */
function presence<In, Out>(session: Session<In, Out>, begin: Out, end: Out): Observable<never> {
  return new Observable(() => {
    session.send.next(begin);
    return () => {
      if (isOpen(session)) session.send.next(end);
    };
  });
}
