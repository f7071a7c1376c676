import type { Connection } from '../../connection/connection.js';
import type { Turn } from '../../connection/hooks.js';
import type { OverflowPolicy } from '../../connection/send-result.js';
import { BackpressureError } from '../../protocol/errors.js';
import type { PersistentSettings, SizeOf } from './persistent-options.js';

/** Bytes charged for each item in addition to its own, so that empty items count too. */
const ITEM_COST = 128;

/** Bytes charged for an item of unknown size. */
const UNKNOWN_COST = 1024;

/** Buffers of more bytes are not copied. */
const COPY_LIMIT = 4096;

// biome-ignore lint/suspicious/noExplicitAny: only the way out of a connection matters here
export type Socket<Out> = Connection<any, any, Out>;

interface Item<Out> {
  readonly value: Out;
  readonly onHanded: (() => void) | undefined;
  readonly turn: Turn<Out> | undefined;
  readonly cost: number;
}

/** Takes an item, or returns `false`: then it stays in the queue, with all items after it. */
type Accept<Out> = (value: Out, onHanded: (() => void) | undefined, turn: Turn<Out> | undefined) => boolean;

/** The limit of the queue, and what happens above it. */
type QueueSettings = Pick<PersistentSettings, 'offlineBuffer' | 'overflow' | 'sizeOf'>;

/** A queue of items that wait for a socket, bounded in bytes. */
export class OfflineQueue<Out> {
  /** Bytes charged for the waiting items. */
  size = 0;
  readonly #limit: number;
  readonly #overflow: OverflowPolicy;
  readonly #sizeOf: SizeOf;
  /** In order of arrival. An offered item stays here until it is taken. */
  readonly #items = new Set<Item<Out>>();

  constructor({ offlineBuffer, overflow, sizeOf }: QueueSettings) {
    this.#limit = offlineBuffer;
    this.#overflow = overflow;
    this.#sizeOf = sizeOf;
  }

  /** How many items wait. */
  get length(): number {
    return this.#items.size;
  }

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /**
   * Queues `value`, or applies the overflow policy.
   *
   * @throws BackpressureError under `'terminate'`.
   */
  push(value: Out, onHanded: (() => void) | undefined): 'buffered' | 'dropped' {
    return this.#add(value, onHanded, undefined) === undefined ? 'dropped' : 'buffered';
  }

  /**
   * Queues `value` for `turn`, and calls `turn.dropped` if it is dropped. Returns a function that removes it again.
   *
   * @throws BackpressureError under `'terminate'`.
   */
  await(value: Out, turn: Turn<Out>): () => void {
    const item = this.#add(value, undefined, turn);
    if (item === undefined) turn.dropped();
    return () => {
      if (item !== undefined) this.#remove(item);
    };
  }

  /** Hands over waiting items, oldest first, as long as `accept` takes them. */
  flush(accept: Accept<Out>): void {
    for (const item of this.#items) {
      if (!accept(item.value, item.onHanded, item.turn)) return;
      this.#remove(item);
    }
  }

  /** Removes all items, and ends their turns. */
  clear(): void {
    const items = [...this.#items];
    this.#items.clear();
    this.size = 0;
    for (const { turn } of items) turn?.ended();
  }

  /** Removes the items with a turn, and ends their turns with `error`. Items that are only to be sent stay. */
  endTurns(error: unknown): void {
    const items = [...this.#items].filter(({ turn }) => turn !== undefined);
    for (const item of items) this.#remove(item);
    for (const { turn } of items) turn?.ended(error);
  }

  #add(value: Out, onHanded: (() => void) | undefined, turn: Turn<Out> | undefined): Item<Out> | undefined {
    const cost = ITEM_COST + (this.#sizeOf(value) ?? UNKNOWN_COST);
    if (this.size + cost > this.#limit && this.#overflow === 'terminate') {
      throw new BackpressureError('offlineBuffer', this.#limit, this.size + cost);
    }
    if (this.#overflow === 'drop-oldest' && cost <= this.#limit) this.#makeRoom(cost);
    if (this.size + cost > this.#limit) return undefined;
    const item = { value: kept(value), onHanded, turn, cost };
    this.#items.add(item);
    this.size += cost;
    return item;
  }

  #makeRoom(cost: number): void {
    for (const item of this.#items) {
      if (this.size + cost <= this.#limit) return;
      this.#remove(item);
      item.turn?.dropped();
    }
  }

  /** Removes `item` if it is still queued: a callback may have cleared the queue, or made room. */
  #remove(item: Item<Out>): void {
    if (this.#items.delete(item)) this.size -= item.cost;
  }
}

/** Copies a small buffer, as a connection does, since the application may change it. */
function kept<Out>(value: Out): Out {
  if (!(value instanceof Uint8Array) || value.length > COPY_LIMIT) return value;
  // Not its own `slice`, since that of a Buffer does not copy.
  return Uint8Array.prototype.slice.call(value) as Uint8Array as Out;
}
