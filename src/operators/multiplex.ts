import { Observable, filter as only, Subscription, switchMap } from 'rxjs';
import { checkFunction } from '../base/check.js';
import { subscribeWithin } from '../base/subscribe-within.js';
import { isOpen, type Peer, type Session, sessionsOf } from './sessions-of.js';

/** A substream: the number of its subscribers, and the Subscription that keeps it subscribed at the peer. */
interface Substream {
  count: number;
  presence: Subscription | undefined;
}

const substreamsOf = new WeakMap<object, Map<unknown, Substream>>();

/**
 * Subscribes to one of many substreams that the peer sends over a connection: sends `subscribeMessage` for the first subscriber, emits
 * the messages for which `filter` returns `true`, and sends `unsubscribeMessage` when the last subscriber leaves.
 *
 * Substreams are counted per connection by their `subscribeMessage`: two are the same if these are equal as text, as bytes, or as
 * JSON. Each subscriber is a subscriber of `messages$`: it creates demand, and messages of no substream are lost. It listens
 * before anything is sent. On a persistent connection `subscribeMessage` is sent again on each socket, before anything that was queued.
 *
 * Completes with `messages$`; errors with what `filter` throws, which counts as leaving. Unsubscribing, `take(n)` and the like send
 * `unsubscribeMessage` if no other subscriber is left, but only while the connection is open.
 *
 *     received   --a1--b1--a2---b2-
 *     result     --a1------a2---!        filter: a
 *     sent       S--------------U
 *
 * @throws TypeError at the call if `filter` is not a function.
 * @example multiplex(conn, 'sub EURUSD', 'unsub EURUSD', (m) => String(m).startsWith('EURUSD')).subscribe(console.log);
 */
export function multiplex<In, Out, T extends In = In>(
  conn: Peer<In, Out>,
  subscribeMessage: NoInfer<Out>,
  unsubscribeMessage: NoInfer<Out>,
  filter: ((message: In) => message is T) | ((message: In) => boolean),
): Observable<T> {
  if (filter === undefined) throw new TypeError('filter must be a function, got undefined');
  checkFunction('filter', filter);
  return new Observable((subscriber) => {
    const substream = enter(conn, subscribeMessage);
    subscriber.add(() => leave(conn, subscribeMessage, substream));
    subscribeWithin(subscriber, (conn.messages$ as Observable<In>).pipe(only(filter)), {
      next: (message) => subscriber.next(message as T),
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
    if (subscriber.closed || substream.presence !== undefined) return;
    substream.presence = new Subscription();
    const presence$ = sessionsOf(conn).pipe(
      switchMap((session) => presence(session, subscribeMessage, unsubscribeMessage)),
    );
    subscribeWithin(substream.presence, presence$, {});
  });
}

function enter(conn: object, message: unknown): Substream {
  const substreams = substreamsOf.get(conn) ?? new Map<unknown, Substream>();
  substreamsOf.set(conn, substreams);
  const key = messageKey(message);
  const substream = substreams.get(key) ?? { count: 0, presence: undefined };
  substreams.set(key, substream);
  substream.count++;
  return substream;
}

function leave(conn: object, message: unknown, substream: Substream): void {
  substream.count--;
  if (substream.count > 0) return;
  substreamsOf.get(conn)?.delete(messageKey(message));
  substream.presence?.unsubscribe();
}

/** The subscription of the peer on one socket: sends `begin`, and `end` when it is unsubscribed. */
function presence<In, Out>(session: Session<In, Out>, begin: Out, end: Out): Observable<never> {
  return new Observable(() => {
    session.send.next(begin);
    return () => {
      if (isOpen(session)) session.send.next(end);
    };
  });
}

/** Returns a key that is the same for messages that are equal as text, as bytes, or as JSON. Others equal only themselves. */
export function messageKey(message: unknown): unknown {
  if (typeof message === 'string') return `text ${message}`;
  const bytes = bytesOf(message);
  if (bytes !== undefined) return `bytes ${bytes.join(' ')}`;
  if (typeof message !== 'object' || message === null || !isPlain(message)) return message;
  try {
    return `json ${JSON.stringify(message)}`;
  } catch {
    return message;
  }
}

function bytesOf(message: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : undefined;
}

/** Whether JSON represents all of `message`, which it does not for a Blob or a message in fragments. */
function isPlain(message: object): boolean {
  if (Array.isArray(message)) return true;
  const prototype = Object.getPrototypeOf(message) as unknown;
  return (
    (prototype === null || Object.getPrototypeOf(prototype) === null) &&
    Object.getOwnPropertySymbols(message).length === 0
  );
}
