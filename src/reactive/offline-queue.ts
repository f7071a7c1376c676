import { BackpressureError, UsageError } from '../protocol/errors.js';
import type { Overflow } from './outbox-settings.js';
import { classify, frameSizeOf, payloadSizeOf } from './outgoing.js';

/** What each item is charged beside its bytes, so that empty ones count too. */
const ITEM_COST = 128;

/** What an item is charged whose bytes are not known before a codec has seen it, or before its turn has come. */
const UNKNOWN_COST = 1024;

/** Longer buffers are not copied, in bytes. */
const COPY_LIMIT = 4096;

interface Item<Out> {
  readonly value: Out;
  readonly onHanded: (() => void) | undefined;
  readonly cost: number;
}

/** What waits for a socket, bounded in bytes. */
export class OfflineQueue<Out> {
  /** What waits, in bytes. */
  size = 0;
  readonly #limit: number;
  readonly #overflow: Overflow;
  /** In the order of coming. What is offered is in it until it is taken. */
  readonly #items = new Set<Item<Out>>();

  constructor(limit: number, overflow: Overflow) {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /**
   * Keeps `value`, or does what the overflow policy says.
   *
   * @throws BackpressureError under `'close'`.
   */
  push(value: Out, onHanded: (() => void) | undefined): 'buffered' | 'dropped' {
    const cost = costOf(value);
    if (this.size + cost > this.#limit && this.#overflow === 'close') {
      throw new BackpressureError('offlineBuffer', this.#limit, this.size + cost);
    }
    if (this.#overflow === 'drop-oldest' && cost <= this.#limit) this.#makeRoom(cost);
    if (this.size + cost > this.#limit) return 'dropped';
    this.#items.add({ value: kept(value), onHanded, cost });
    this.size += cost;
    return 'buffered';
  }

  /** Hands over what waits, the oldest first, as long as `accept` takes it. */
  flush(accept: (value: Out, onHanded: (() => void) | undefined) => boolean): void {
    for (const item of this.#items) {
      if (!accept(item.value, item.onHanded)) return;
      this.#remove(item);
    }
  }

  clear(): void {
    this.#items.clear();
    this.size = 0;
  }

  #makeRoom(cost: number): void {
    for (const item of this.#items) {
      if (this.size + cost <= this.#limit) return;
      this.#remove(item);
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
  return Buffer.from(value) as Uint8Array as Out;
}

function costOf(value: unknown): number {
  try {
    const item = classify(value);
    return ITEM_COST + (item.kind === 'fragments' ? UNKNOWN_COST : frameSizeOf(item, payloadSizeOf(item), false));
  } catch (error) {
    if (error instanceof UsageError) return ITEM_COST + UNKNOWN_COST;
    throw error;
  }
}
