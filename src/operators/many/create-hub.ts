import { Observable, Subscription } from 'rxjs';
import { subscribeWithin } from '../../base/subscribe-within.js';
import type { Connection } from '../../connection/connection.js';
import type { Outgoing } from '../../connection/outgoing.js';
import { type BroadcastResult, Delivery, type DeliveryOptions } from './delivery.js';
import { type Presence, Room } from './room.js';
import { type Except, isNotIn, type Target } from './target.js';

/** A connection of any type. */
// biome-ignore lint/suspicious/noExplicitAny: send is a Subject, and so invariant in its type
export type AnyConnection = Connection<any, any, any>;

/** What a connection sends. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type OutOf<C> = C extends Connection<any, any, infer Out> ? Out : never;

/** Options of one message to a {@link Topic}. */
export interface TopicMessageOptions {
  /** Whom it is not for: a connection (the one that it came from), or a set of them. */
  readonly except?: Except;
}

/**
 * Sends to the members of one key. An Observer, so that an Observable can be subscribed to it: `complete` does nothing, and as it has
 * no `error`, an error is reported by RxJS as one that nobody takes.
 */
export interface Topic<Out = Outgoing> {
  /**
   * Sends to those who are members now, and still are when it is their turn. One that is sent within (by `onResult`) goes first.
   *
   * @throws UsageError for a message that cannot be sent, before anybody was sent anything.
   * @throws what `latest` or `onResult` throws, once the message has gone to all others.
   */
  next(message: Out, options?: TopicMessageOptions): BroadcastResult;
  /** Does nothing: a source has ended, the members have not. */
  complete(): void;
}

/** Connections by keys: rooms, channels, users. */
export interface Hub<Key, C extends Target<never> = Connection> {
  /**
   * Makes `conn` a member, until the Subscription is unsubscribed or `conn` ends. One that joins twice gets each message once, and
   * leaves when both are unsubscribed.
   */
  join(key: Key, conn: C): Subscription;
  /**
   * Sends to the members of `key`: see `broadcastTo`. The latest messages that are kept belong to the key, whoever sent them.
   *
   * @throws RangeError when `overflow` is not allowed.
   */
  topic<Out extends OutOf<C> = OutOf<C>>(key: Key, options?: DeliveryOptions<Out, C>): Topic<Out>;
  /** The members as they are now. The set does not change when they do. */
  members(key: Key): ReadonlySet<C>;
  /**
   * Who is there, one by one, then who comes and goes, in order. Never completes and never errors.
   *
   *     join       a----b---
   *     leave      -------a-
   *     presence$  --a--b-a-     subscribed at the third frame
   */
  presence$(key: Key): Observable<Presence<C>>;
}

/**
 * Makes a hub: connections join keys, messages go to all that have joined one.
 *
 * A key needs no declaration, and is forgotten when its last member has left. Keys are compared as those of a `Map`. A hub has no end:
 * it neither closes connections nor keeps them.
 *
 * @example
 * const rooms = createHub<string>();
 * rooms.join('lobby', conn);
 * conn.messages$.subscribe((message) => rooms.topic('lobby').next(message, { except: conn }));
 */
export function createHub<Key, C extends Target<never> = Connection>(): Hub<Key, C> {
  return new RoomHub<Key, OutOf<C>, Target<OutOf<C>>>() as unknown as Hub<Key, C>;
}

class RoomHub<Key, Out, C extends Target<Out>> {
  readonly #rooms = new Map<Key, Room<Out, C>>();

  join(key: Key, conn: C): Subscription {
    const membership = new Subscription();
    membership.add(conn.close$.subscribe(() => membership.unsubscribe()));
    // It may have ended already.
    if (membership.closed) return membership;
    const room = this.#room(key);
    membership.add(() => {
      room.leave(conn);
      this.#forgetUnused(key, room);
    });
    room.join(conn);
    return membership;
  }

  topic(key: Key, options: DeliveryOptions<Out, C> = {}): Topic<Out> {
    const alone = new Delivery<Out, C>(options);
    return {
      next: (message: Out, { except }: TopicMessageOptions = {}): BroadcastResult => {
        const room = this.#rooms.get(key);
        if (room === undefined) return alone.send([], message);
        return room.members.send(new Delivery(options, room.kept), message, isNotIn(except));
      },
      complete: () => {},
    };
  }

  members(key: Key): ReadonlySet<C> {
    return this.#rooms.get(key)?.members.list ?? new Set();
  }

  presence$(key: Key): Observable<Presence<C>> {
    return new Observable((subscriber) => {
      const room = this.#room(key);
      const forget = (): void => this.#forgetUnused(key, room);
      subscribeWithin(subscriber, room.presence$, { next: (change) => subscriber.next(change) }, forget);
    });
  }

  #room(key: Key): Room<Out, C> {
    const known = this.#rooms.get(key);
    if (known !== undefined) return known;
    const room = new Room<Out, C>();
    this.#rooms.set(key, room);
    return room;
  }

  #forgetUnused(key: Key, room: Room<Out, C>): void {
    if (room.isUnused && this.#rooms.get(key) === room) this.#rooms.delete(key);
  }
}
