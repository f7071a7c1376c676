import type { Connection } from '../../connection/connection.js';
import type { Turn } from '../../connection/hooks.js';
import type { OverflowPolicy } from '../../connection/send-result.js';
import { BackpressureError } from '../../protocol/errors.js';
import type { PersistentSettings, SizeOf } from './persistent-options.js';

/** What each item is charged beside its bytes, so that empty ones count too. */
const ITEM_COST = 128;

/** What an item is charged whose bytes are not known. */
const UNKNOWN_COST = 1024;

/** Longer buffers are not copied, in bytes. */
const COPY_LIMIT = 4096;

// biome-ignore lint/suspicious/noExplicitAny: only the way out of a connection matters here
export type Socket<Out> = Connection<any, any, Out>;

interface Item<Out> {
  readonly value: Out;
  readonly onHanded: (() => void) | undefined;
  readonly turn: Turn<Out> | undefined;
  readonly cost: number;
}

/** Takes an item, or says `false`: then it stays, with all after it. */
type Accept<Out> = (value: Out, onHanded: (() => void) | undefined, turn: Turn<Out> | undefined) => boolean;

/** How much may wait, and what happens then. */
type QueueSettings = Pick<PersistentSettings, 'offlineBuffer' | 'overflow' | 'sizeOf'>;

/** What waits for a socket, bounded in bytes. */
export class OfflineQueue<Out> {
  /** What waits, in bytes. */
  size = 0;
  readonly #limit: number;
  readonly #overflow: OverflowPolicy;
  readonly #sizeOf: SizeOf;
  /** In the order of coming. What is offered is in it until it is taken. */
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
   * Keeps `value`, or does what the overflow policy says.
   *
   * @throws BackpressureError under `'terminate'`.
   */
  push(value: Out, onHanded: (() => void) | undefined): 'buffered' | 'dropped' {
    return this.#add(value, onHanded, undefined) === undefined ? 'dropped' : 'buffered';
  }

  /**
   * Keeps `value` for `turn`, which is told when it is dropped. Returns what takes it out again.
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

  /** Hands over what waits, the oldest first, as long as `accept` takes it. */
  flush(accept: Accept<Out>): void {
    for (const item of this.#items) {
      if (!accept(item.value, item.onHanded, item.turn)) return;
      this.#remove(item);
    }
  }

  /** Forgets what waits, and tells those whose turn it was. */
  clear(): void {
    const items = [...this.#items];
    this.#items.clear();
    this.size = 0;
    for (const { turn } of items) turn?.ended();
  }

  /** Forgets those whose turn will not come, because of `error`, and tells them. What is only to be sent stays. */
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

  /** Whoever is told of an item that is offered may have cleared all, or made room. */
  #remove(item: Item<Out>): void {
    if (this.#items.delete(item)) this.size -= item.cost;
  }
}

/** A small buffer is copied, as a connection does: the application may change it. */
function kept<Out>(value: Out): Out {
  if (!(value instanceof Uint8Array) || value.length > COPY_LIMIT) return value;
  // Not its own `slice`: that of a Buffer copies nothing.
  return Uint8Array.prototype.slice.call(value) as Uint8Array as Out;
}
