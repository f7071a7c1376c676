import { enqueueFrame, enqueueShared, FrameQueue } from './frame-queue.js';
import { CLOSE_FRAME, type Encoded, isLater, type LaterMessage, TEXT_FRAME } from './message-encoder.js';
import type { Wire } from './wire.js';

type MaskKey = (() => number) | undefined;

/** Frames and messages that wait while a write is outstanding. */
export class Backlog {
  /** Frames of the current message in parts. They go before the others. */
  readonly front: FrameQueue = new FrameQueue();
  readonly queue: FrameQueue<LaterMessage> = new FrameQueue<LaterMessage>();
  /** Whether a Close frame is, or was, the last in the queue. */
  #hasClose = false;

  get isEmpty(): boolean {
    return this.front.isEmpty && this.queue.isEmpty;
  }

  /** Whether an entry may be taken: while a message in parts is in progress, only its frames. */
  hasNext(isInProgress: boolean): boolean {
    return !this.front.isEmpty || !(isInProgress || this.queue.isEmpty);
  }

  /** Size of all that waits, in bytes. */
  get size(): number {
    return this.front.size + this.queue.size;
  }

  /** The number of waiting messages that have not begun. */
  get messages(): number {
    return this.queue.frames - (this.#hasClose && this.queue.frames > 0 ? 1 : 0);
  }

  /** Adds a message of `size` bytes, as far as known. */
  add(item: Encoded, size: number, maskKey: MaskKey): void {
    if (isLater(item)) this.queue.later(item, size);
    else if (item.kind === 'shared') enqueueShared(this.queue, item);
    else if (item.kind === 'text') enqueueFrame(this.queue, TEXT_FRAME, Buffer.from(item.text), maskKey?.());
    else enqueueFrame(this.queue, item.firstByte, item.payload, maskKey?.());
  }

  /** Adds a frame of the current message in parts. */
  part(firstByte: number, payload: Uint8Array, maskKey: MaskKey): void {
    enqueueFrame(this.front, firstByte, payload, maskKey?.());
  }

  /** Adds a Close frame after everything. */
  close(payload: Uint8Array, onHanded: () => void, maskKey: MaskKey): void {
    this.#hasClose = true;
    enqueueFrame(this.queue, CLOSE_FRAME, payload, maskKey?.());
    this.queue.mark(onHanded, false);
  }

  /** Moves the next entry to `wire`. Returns it instead if it must be encoded first. */
  moveNextTo(wire: Pick<Wire, 'pieces' | 'mark'>): { readonly item: LaterMessage; readonly size: number } | undefined {
    const taken = this.front.take() ?? this.queue.take();
    if (taken?.kind === 'later') return taken;
    if (taken?.kind === 'bytes') wire.pieces(taken.pieces);
    else if (taken !== undefined) wire.mark(taken.reached);
    return undefined;
  }

  clear(): void {
    this.front.clear();
    this.queue.clear();
    this.#hasClose = false;
  }
}

/** Shared, always empty backlog for connections without waiting messages. Do not add to it. */
export const NO_BACKLOG: Backlog = new Backlog();
