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

/** The type of messages that a connection sends. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type OutOf<C> = C extends Connection<any, any, infer Out> ? Out : never;

/** Options of one message to a {@link Topic}. */
export interface TopicMessageOptions {
  /** Connections that do not get the message: one (such as its sender), or a set of them. */
  readonly except?: Except;
}

/**
 * Sends to the members of one key. It is an Observer, so it can subscribe to an Observable: `complete` does nothing, and without an
 * `error` method, RxJS reports errors as unhandled.
 */
export interface Topic<Out = Outgoing> {
  /**
   * Sends to the current members that are still members when their turn comes. A message that `onResult` sends meanwhile goes first.
   *
   * @throws UsageError for a message that cannot be sent, before it is sent to any connection.
   * @throws what `latest` or `onResult` throws, after the message was sent to all others.
   */
  next(message: Out, options?: TopicMessageOptions): BroadcastResult;
  /** Does nothing: the end of a source does not end the members. */
  complete(): void;
}

/** Connections grouped by keys, such as rooms, channels or users. */
export interface Hub<Key, C extends Target<never> = Connection> {
  /**
   * Makes `conn` a member, until the Subscription is unsubscribed or `conn` ends. A connection that joins twice gets each message once, and
   * leaves when both Subscriptions are unsubscribed.
   */
  join(key: Key, conn: C): Subscription;
  /**
   * Removes `conn` from `key`, however often it has joined, and unsubscribes all its Subscriptions. Returns whether it was a member. Takes
   * the same time however many members and keys there are.
   */
  leave(key: Key, conn: C): boolean;
  /**
   * Returns an Observer that sends to the members of `key`: see `broadcastTo`. The latest messages are kept per key, for all its topics.
   *
   * @throws RangeError if `overflow` is not allowed.
   */
  topic<Out extends OutOf<C> = OutOf<C>>(key: Key, options?: DeliveryOptions<Out, C>): Topic<Out>;
  /** Returns a snapshot of the current members. */
  members(key: Key): ReadonlySet<C>;
  /** Returns a snapshot of the keys that have members. */
  keys(): ReadonlySet<Key>;
  /** Returns a snapshot of the keys that `conn` is a member of, in the order in which it joined them. */
  keysOf(conn: C): ReadonlySet<Key>;
  /**
   * Emits the current members one by one, then each that joins or leaves, in order. Never completes and never errors.
   *
   *     join       a----b---
   *     leave      -------a-
   *     presence$  --a--b-a-     subscribed at the third frame
   */
  presence$(key: Key): Observable<Presence<C>>;
}

/**
 * Creates a hub: connections join keys, and messages go to all members of a key.
 *
 * A key needs no declaration, and is forgotten when its last member has left. Keys are compared like those of a `Map`. A hub has no end:
 * it neither closes connections nor keeps them alive.
 *
 * @example
 * const rooms = createHub<string>();
 * rooms.join('lobby', conn);
 * conn.messages$.subscribe((message) => rooms.topic('lobby').next(message, { except: conn }));
 */
export function createHub<Key, C extends Target<never> = Connection>(): Hub<Key, C> {
  return new RoomHub<Key, OutOf<C>, Target<OutOf<C>>>() as unknown as Hub<Key, C>;
}

/** The membership of a connection in one key, from its first join on. */
class Membership {
  /** The Subscriptions of all its joins. */
  readonly #joins: Subscription;
  #count = 0;

  /** @param ended called once: when the last join is unsubscribed, or all at the same time. */
  constructor(ended: () => void) {
    this.#joins = new Subscription(ended);
  }

  join(): Subscription {
    this.#count++;
    const join = new Subscription(() => {
      this.#count--;
      if (this.#count === 0) this.end();
    });
    this.#joins.add(join);
    return join;
  }

  end(): void {
    this.#joins.unsubscribe();
  }
}

/** A connection in a hub. */
interface Member<Key> {
  /** In the order in which it has joined. */
  readonly memberships: Map<Key, Membership>;
  /** Waits for the end of the connection. */
  readonly closing: Subscription;
}

class RoomHub<Key, Out, C extends Target<Out>> {
  readonly #rooms = new Map<Key, Room<Out, C>>();
  readonly #members = new Map<C, Member<Key>>();

  join(key: Key, conn: C): Subscription {
    const member = this.#members.get(conn) ?? this.#enter(conn);
    if (member.closing.closed) return Subscription.EMPTY;
    const known = member.memberships.get(key);
    const join = (known ?? this.#begin(key, conn, member)).join();
    // Last of all, since subscribers of `presence$` may join and leave too.
    if (known === undefined) this.#room(key).join(conn);
    return join;
  }

  leave(key: Key, conn: C): boolean {
    const membership = this.#members.get(conn)?.memberships.get(key);
    membership?.end();
    return membership !== undefined;
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

  keys(): ReadonlySet<Key> {
    const keys = new Set<Key>();
    // Some rooms have only subscribers of `presence$`.
    for (const [key, room] of this.#rooms) if (room.members.size > 0) keys.add(key);
    return keys;
  }

  keysOf(conn: C): ReadonlySet<Key> {
    return new Set(this.#members.get(conn)?.memberships.keys());
  }

  presence$(key: Key): Observable<Presence<C>> {
    return new Observable((subscriber) => {
      const room = this.#room(key);
      const forget = (): void => this.#forgetUnused(key, room);
      subscribeWithin(subscriber, room.presence$, { next: (change) => subscriber.next(change) }, forget);
    });
  }

  /** Registers `conn` until it ends, which may be at once, or has left all keys. */
  #enter(conn: C): Member<Key> {
    const member: Member<Key> = { memberships: new Map(), closing: new Subscription() };
    this.#members.set(conn, member);
    member.closing.add(
      conn.close$.subscribe(() => {
        member.closing.unsubscribe();
        for (const membership of [...member.memberships.values()]) membership.end();
        this.#forgetAbsent(conn, member);
      }),
    );
    return member;
  }

  #begin(key: Key, conn: C, member: Member<Key>): Membership {
    const room = this.#room(key);
    const membership = new Membership(() => {
      // First of all, since subscribers that are told that it has left may join it again.
      member.memberships.delete(key);
      this.#forgetAbsent(conn, member);
      room.leave(conn);
      this.#forgetUnused(key, room);
    });
    member.memberships.set(key, membership);
    return membership;
  }

  #forgetAbsent(conn: C, member: Member<Key>): void {
    if (member.memberships.size > 0) return;
    member.closing.unsubscribe();
    if (this.#members.get(conn) === member) this.#members.delete(conn);
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
