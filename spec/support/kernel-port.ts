import type { BytePort, Flushable, PortEvents } from '../../src/channel/byte-port.js';
import { scheduleFlush } from '../../src/channel/flush-queue.js';
import { type ReadFrame, readFrames } from './read-frames.js';

/**
 * The sending half of a {@link BytePort}, with a kernel that takes so much until the peer reads. As in a socket, a write that it
 * does not take whole is held by reference and pending until the peer has read enough.
 */
export class KernelPort implements BytePort {
  readonly synchronous: boolean;
  /** What each write brought, once the kernel has taken it. */
  readonly writes: Buffer[] = [];
  isTerminated = false;
  /** Whether the turn of the event loop is over for whoever asks, and how often somebody has asked. */
  isOver = false;
  looks = 0;
  /** What was deferred to a later turn of the loop, and is not done. */
  readonly deferred: (() => void)[] = [];
  #room: number;
  #held: readonly Uint8Array[] = [];
  #heldSize = 0;
  #events: PortEvents | undefined;

  /**
   * @param room bytes that the kernel takes before the peer reads.
   * @param synchronous `false` for a transport that is never done when `write` returns, like TLS.
   */
  constructor(room = Number.POSITIVE_INFINITY, synchronous = true) {
    this.#room = room;
    this.synchronous = synchronous;
  }

  get pending(): number {
    return this.#heldSize;
  }

  get unsent(): number {
    return this.#heldSize;
  }

  /** All that left. */
  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }

  /** The frames that left. */
  get frames(): ReadFrame[] {
    return readFrames(this.bytes);
  }

  /** How much left, in bytes. */
  get taken(): number {
    return this.writes.reduce((sum, { length }) => sum + length, 0);
  }

  open(events: PortEvents): void {
    this.#events = events;
  }

  /** The peer reads: the kernel takes so many bytes more. */
  read(size = Number.POSITIVE_INFINITY): void {
    this.#room += size;
    if (this.#heldSize === 0 || this.#heldSize > this.#room) return;
    this.#take(this.#held, this.#heldSize);
    this.#held = [];
    this.#heldSize = 0;
    this.#events?.drained();
  }

  write(pieces: readonly Uint8Array[]): void {
    if (this.isTerminated) return;
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#heldSize > 0) throw new Error('a write while another one is outstanding');
    if (this.synchronous && size <= this.#room) {
      this.#take(pieces, size);
      return;
    }
    this.#held = pieces;
    this.#heldSize = size;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  schedule(task: Flushable): void {
    scheduleFlush(task);
  }

  currentTurn = 0;

  isTurnOver(): boolean {
    this.looks++;
    return this.isOver;
  }

  defer(task: () => void): void {
    this.deferred.push(task);
  }

  /** A turn of the event loop. */
  turn(): void {
    this.currentTurn++;
    for (const task of this.deferred.splice(0)) task();
  }

  pause(): void {}
  resume(): void {}
  end(): void {}

  #take(pieces: readonly Uint8Array[], size: number): void {
    this.#room -= size;
    this.writes.push(Buffer.concat(pieces));
  }
}
