import { classify, frameSizeOf, payloadSizeOf } from '../../channel/out/classify.js';
import type { Overflow } from '../../connection/channel.js';
import type { Connection } from '../../connection/connection.js';
import { BackpressureError, UsageError } from '../../protocol/errors.js';

/** What each item is charged beside its bytes, so that empty ones count too. */
const ITEM_COST = 128;

/** What an item is charged whose bytes are not known before a codec has seen it, or before its turn has come. */
const UNKNOWN_COST = 1024;

/** Longer buffers are not copied, in bytes. */
const COPY_LIMIT = 4096;

// biome-ignore lint/suspicious/noExplicitAny: only the way out of a connection matters here
export type Socket<Out> = Connection<any, any, Out>;

/** Something that is more than sent when its turn has come: a question, whose answer is waited for. Exactly one of these is called. */
export interface Turn<Out> {
  /** It is its turn, on an open socket: nothing that was sent before waits any more. Never throws. */
  begin(socket: Socket<Out>, value: Out): void;
  /** The overflow policy dropped it. */
  dropped(): void;
  /** Nothing is sent any more, because of `error` if there is one. */
  ended(error?: unknown): void;
}

interface Item<Out> {
  readonly value: Out;
  readonly onHanded: (() => void) | undefined;
  readonly turn: Turn<Out> | undefined;
  readonly cost: number;
}

/** Takes an item, or says `false`: then it stays, with all after it. */
type Accept<Out> = (value: Out, onHanded: (() => void) | undefined, turn: Turn<Out> | undefined) => boolean;

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
   * @throws BackpressureError under `'close'`.
   */
  push(value: Out, onHanded: (() => void) | undefined): 'buffered' | 'dropped' {
    return this.#add(value, onHanded, undefined) === undefined ? 'dropped' : 'buffered';
  }

  /**
   * Keeps `value` for `turn`, which is told when it is dropped. Returns what takes it out again.
   *
   * @throws BackpressureError under `'close'`.
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

  #add(value: Out, onHanded: (() => void) | undefined, turn: Turn<Out> | undefined): Item<Out> | undefined {
    const cost = costOf(value);
    if (this.size + cost > this.#limit && this.#overflow === 'close') {
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
