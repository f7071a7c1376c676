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
   * Takes `conn` out of `key`, however often it has joined: as if all its Subscriptions were unsubscribed, which they are then. Returns
   * whether it was a member. Takes the same time however many members and keys there are.
   */
  leave(key: Key, conn: C): boolean;
  /**
   * Sends to the members of `key`: see `broadcastTo`. The latest messages that are kept belong to the key, whoever sent them.
   *
   * @throws RangeError when `overflow` is not allowed.
   */
  topic<Out extends OutOf<C> = OutOf<C>>(key: Key, options?: DeliveryOptions<Out, C>): Topic<Out>;
  /** The members as they are now. The set does not change when they do. */
  members(key: Key): ReadonlySet<C>;
  /** The keys that have members now. The set does not change when they do. */
  keys(): ReadonlySet<Key>;
  /** The keys that `conn` is a member of now, in the order in which it joined them. The set does not change when it joins or leaves. */
  keysOf(conn: C): ReadonlySet<Key>;
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

/** One connection in one key, from its first join on. */
class Membership {
  /** All that it has joined with. */
  readonly #joins: Subscription;
  #count = 0;

  /** @param ended called once: when the last join is given back, or all at a time. */
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

/** One connection in a hub. */
interface Member<Key> {
  /** In the order in which it has joined. */
  readonly memberships: Map<Key, Membership>;
  /** Waits for its end. */
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
    // Last of all: those who are told may join and leave, too.
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
    // Some are only looked at.
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

  /** Knows `conn` until it ends, which may be at once, or has left all keys. */
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
      // First of all: those who are told that it has left may join it again.
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
