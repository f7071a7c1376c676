import { headerLength, readHeader, writeHeader } from '../../protocol/frame/frame-header.js';
import { writeFrame } from '../../protocol/frame/frame-writer.js';
import type { SharedFrame } from '../../protocol/frame/shared-frame.js';

/** The size of the first page: small, so that a stalled connection with one short message costs little. In bytes. */
const FIRST_PAGE = 1024;
const LARGEST_PAGE = 65_536;

/** Payloads up to this size are copied into a page, in bytes. Larger ones may wait in many queues and share their memory. */
const COPY_LIMIT = 4096;

/**
 * Shared frames up to this size are copied into a page, in bytes. A reference would retain more memory than the frame counts for once
 * no other queue holds it.
 */
const SMALL_SHARED = 512;

/** The number of entries whose overhead is not counted, because it is negligible. */
const FREE_ENTRIES = 64;

/** Overhead of each entry: its objects and that of a payload. In bytes. */
const ENTRY_COST = 256;

const NOTHING = Buffer.alloc(0);

/** About how much a write takes from a queue, in bytes. The rest can still be dropped. */
export const WRITE_SIZE = 262_144;

/** A sequence of small frames. */
export interface Page {
  readonly kind: 'page';
  readonly bytes: Buffer;
  start: number;
  end: number;
  /** The number of frames in it. */
  frames: number;
}

/** A frame in pieces that are not copied. */
interface Large {
  readonly kind: 'large';
  readonly pieces: readonly Uint8Array[];
  readonly size: number;
}

/** A frame whose payload is not copied and whose header is made when its turn comes, so that it costs no extra memory. */
interface Plain {
  readonly kind: 'plain';
  readonly firstByte: number;
  readonly payload: Uint8Array;
  readonly size: number;
}

/** A callback for when everything before it was handed over. */
interface Mark {
  readonly kind: 'mark';
  readonly reached: () => void;
  /** Whether it belongs to the message before it, and is dropped with it. */
  readonly ofMessage: boolean;
}

/** A message that is encoded only when its turn comes. */
interface Later<T> {
  readonly kind: 'later';
  readonly item: T;
  readonly size: number;
}

type Entry<T> = Page | Large | Plain | Mark | Later<T>;

/** An entry that {@link FrameQueue.take} returns. */
export type Taken<T> =
  | { readonly kind: 'bytes'; readonly pieces: readonly Uint8Array[] }
  | { readonly kind: 'mark'; readonly reached: () => void }
  | { readonly kind: 'later'; readonly item: T; readonly size: number };

/**
 * A queue of frames to be sent. Small frames are packed into pages, so that a million messages of three bytes take little more
 * memory than their size on the wire.
 */
export class FrameQueue<T = never> {
  /** Size of all that waits, in bytes. */
  size = 0;
  /** The number of waiting frames and of messages that are not encoded yet. */
  frames = 0;
  #entries: (Entry<T> | undefined)[] = [];
  #first = 0;
  /** The memory from which pages are currently made, and how much of it is used. */
  #memory = NOTHING;
  #taken = 0;

  get isEmpty(): boolean {
    return this.#first === this.#entries.length;
  }

  /** Memory of the waiting frames in addition to their bytes. */
  get overhead(): number {
    const entries = this.#entries.length - this.#first;
    return entries <= FREE_ENTRIES ? 0 : entries * ENTRY_COST + this.#memory.length - this.#taken;
  }

  /** Makes room for a small frame. The caller writes it at `end` of the returned page and calls `grow` with its size. */
  page(size: number): Page {
    const last = this.#entries.at(-1);
    const fits = this.#taken + size <= this.#memory.length;
    if (fits && last?.kind === 'page') return last;
    if (!fits) {
      this.#memory = Buffer.allocUnsafeSlow(pageSize(size, this.size));
      this.#taken = 0;
    }
    const page: Page = { kind: 'page', bytes: this.#memory, start: this.#taken, end: this.#taken, frames: 0 };
    this.#entries.push(page);
    return page;
  }

  /** A frame of `size` bytes was written to `page`. */
  grow(page: Page, size: number): void {
    page.end += size;
    page.frames++;
    this.#taken = page.end;
    this.size += size;
    this.frames++;
  }

  /** Adds a frame that is not copied. */
  large(pieces: readonly Uint8Array[]): void {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#entries.push({ kind: 'large', pieces, size });
    this.size += size;
    this.frames++;
  }

  /** Adds a frame whose payload is not copied. */
  plain(firstByte: number, payload: Uint8Array): void {
    const size = headerLength(payload.length, false) + payload.length;
    this.#entries.push({ kind: 'plain', firstByte, payload, size });
    this.size += size;
    this.frames++;
  }

  /** Adds a message that is not encoded yet, of `size` bytes as far as known. */
  later(item: T, size: number): void {
    this.#entries.push({ kind: 'later', item, size });
    this.size += size;
    this.frames++;
  }

  /**
   * Adds a mark that {@link take} returns when it reaches this position.
   *
   * @param ofMessage whether the mark belongs to the message before it, and is dropped with it.
   */
  mark(reached: () => void, ofMessage: boolean): void {
    this.#entries.push({ kind: 'mark', reached, ofMessage });
  }

  /** Removes and returns the next entry. */
  take(): Taken<T> | undefined {
    const entry = this.#shift();
    if (entry === undefined) return undefined;
    this.#uncount(entry);
    switch (entry.kind) {
      case 'page':
        return { kind: 'bytes', pieces: [entry.bytes.subarray(entry.start, entry.end)] };
      case 'large':
        return { kind: 'bytes', pieces: entry.pieces };
      case 'plain':
        return { kind: 'bytes', pieces: [headerOf(entry), entry.payload] };
      case 'later':
      case 'mark':
        return entry;
      default:
        return entry satisfies never;
    }
  }

  /** Drops the oldest message, and its mark if it has one. Returns `false` if there is no message. */
  dropOldest(): boolean {
    for (let at = this.#first; at < this.#entries.length; at++) {
      const entry = this.#entries[at] as Entry<T>;
      if (entry.kind === 'mark') continue;
      this.frames--;
      if (entry.kind === 'page') {
        const size = frameSize(entry);
        entry.start += size;
        entry.frames--;
        this.size -= size;
        if (entry.start < entry.end) return true;
      } else {
        this.size -= entry.size;
      }
      this.#remove(at);
      return true;
    }
    return false;
  }

  /** Discards everything. */
  clear(): void {
    this.#entries = [];
    this.#first = 0;
    this.size = 0;
    this.frames = 0;
    this.#forgetMemory();
  }

  /** Drops messages that are not encoded yet and for which `isUnwanted` is true, with their marks. Returns how many were dropped. */
  dropLater(isUnwanted: (item: T) => boolean): number {
    const before = this.frames;
    const kept: Entry<T>[] = [];
    let isDropping = false;
    for (const entry of this.#entries.slice(this.#first) as Entry<T>[]) {
      if (isDropping && entry.kind === 'mark' && entry.ofMessage) continue;
      isDropping = entry.kind === 'later' && isUnwanted(entry.item);
      if (!isDropping) kept.push(entry);
      else this.#uncount(entry);
    }
    this.#entries = kept;
    this.#first = 0;
    return before - this.frames;
  }

  /** Drops the mark of the message that was last taken. */
  dropMark(): void {
    const first = this.#entries[this.#first];
    if (first?.kind === 'mark' && first.ofMessage) this.#shift();
  }

  #uncount(entry: Entry<T>): void {
    this.size -= sizeOf(entry);
    this.frames -= framesOf(entry);
  }

  #forgetMemory(): void {
    this.#memory = NOTHING;
    this.#taken = 0;
  }

  #shift(): Entry<T> | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#entries[this.#first++] = undefined;
    if (this.#first * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
    // The caller keeps using a page that was just taken.
    if (this.isEmpty) this.#forgetMemory();
    return entry;
  }

  #remove(at: number): void {
    const next = this.#entries[at + 1];
    const count = next?.kind === 'mark' && next.ofMessage ? 2 : 1;
    if (at > this.#first) this.#entries.splice(at, count);
    else for (let removed = 0; removed < count; removed++) this.#shift();
  }
}

/** The size of a page whose first frame has `size` bytes: a multiple of it, so that such frames fill the page exactly. */
function pageSize(size: number, waiting: number): number {
  const wanted = Math.min(LARGEST_PAGE, Math.max(FIRST_PAGE, waiting));
  return Math.max(size, wanted - (wanted % size));
}

function headerOf({ firstByte, payload, size }: Plain): Buffer {
  const header = Buffer.allocUnsafe(size - payload.length);
  writeHeader(header, 0, firstByte, payload.length);
  return header;
}

function sizeOf(entry: Entry<unknown>): number {
  if (entry.kind === 'mark') return 0;
  return entry.kind === 'page' ? entry.end - entry.start : entry.size;
}

function framesOf(entry: Entry<unknown>): number {
  if (entry.kind === 'mark') return 0;
  return entry.kind === 'page' ? entry.frames : 1;
}

function frameSize({ bytes, start, end }: Page): number {
  const header = readHeader(bytes, start, end);
  return header === undefined ? end - start : header.size + header.length;
}

/** Encodes a frame at the end of `queue`. A payload of more than {@link COPY_LIMIT} bytes is copied only for masking. */
export function enqueueFrame(
  queue: FrameQueue<unknown>,
  firstByte: number,
  payload: Uint8Array,
  maskKey: number | undefined,
): void {
  const header = headerLength(payload.length, maskKey !== undefined);
  const size = header + payload.length;
  if (payload.length <= COPY_LIMIT) {
    const page = queue.page(size);
    writeFrame(page.bytes, page.end, firstByte, payload, maskKey);
    queue.grow(page, size);
  } else if (maskKey !== undefined) {
    const frame = Buffer.allocUnsafe(size);
    writeFrame(frame, 0, firstByte, payload, maskKey);
    queue.large([frame]);
  } else {
    queue.plain(firstByte, payload);
  }
}

/** Adds a frame that other connections send too. Unless it is small, it is added by reference, so that they share its memory. */
export function enqueueShared(queue: FrameQueue<unknown>, frame: SharedFrame): void {
  if (frame.size > SMALL_SHARED) {
    queue.large(frame.pieces);
    return;
  }
  const page = queue.page(frame.size);
  let at = page.end;
  for (const piece of frame.pieces) {
    page.bytes.set(piece, at);
    at += piece.length;
  }
  queue.grow(page, frame.size);
}
