import type { SchedulerLike } from 'rxjs';
import { Fifo } from '../base/fifo.js';
import type { Trampoline } from '../base/trampoline.js';
import type { BytePort, Flushable, PortEvents } from '../channel/byte-port.js';
import { withoutPongs } from './pong-filter.js';

/** The settings that both ends of a pair share. */
export interface MemoryLink {
  readonly trampoline: Trampoline;
  readonly scheduler: SchedulerLike;
  /** Bytes that either side accepts while its owner does not read. */
  readonly socketBuffer: number;
}

/** One end of a network of two. Writes arrive at the other end at once, in order, unless it is paused or stalled. */
export class MemoryPort implements BytePort {
  readonly synchronous = true;
  /** How many faults stop delivery. */
  stalls = 0;
  /** How many faults drop pongs. */
  pongDrops = 0;
  /** The largest chunk to deliver, in bytes. */
  chunkSize: number = Number.POSITIVE_INFINITY;
  readonly #link: MemoryLink;
  #peer: MemoryPort | undefined;
  #events: PortEvents | undefined;
  /** Chunks that have arrived and are not delivered yet. An empty chunk is the end. */
  readonly #arrivals = new Fifo<Buffer>();
  /** The rest of the oldest chunk, if a part of it was delivered. */
  #rest: Buffer | undefined;
  #arrivedBytes = 0;
  #isPaused = false;
  #hasEnded = false;
  #peerEnded = false;
  #wasPending = false;
  #isClosed = false;

  constructor(link: MemoryLink) {
    this.#link = link;
  }

  /** Makes two ports that are connected to each other. */
  static pair(link: MemoryLink): [MemoryPort, MemoryPort] {
    const a = new MemoryPort(link);
    const b = new MemoryPort(link);
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get pending(): number {
    return Math.max(0, this.#other.#arrivedBytes - this.#link.socketBuffer);
  }

  get unsent(): number {
    return this.pending;
  }

  open(events: PortEvents): void {
    this.#events = events;
    this.deliver();
  }

  write(pieces: readonly Uint8Array[]): void {
    if (this.#hasEnded || this.#isClosed) return;
    const bytes = Buffer.concat(pieces);
    if (bytes.length > 0) this.#other.#arrive(bytes);
    this.#wasPending ||= this.pending > 0;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.deliver();
  }

  end(): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#hasEnded = true;
    this.#other.#arrive(Buffer.alloc(0));
    this.#closeIfBothEnded();
  }

  terminate(): void {
    this.#later(() => this.#close(undefined));
    // As in TCP, data that the peer has not read when the reset arrives is lost.
    this.#other.lose();
  }

  schedule(task: Flushable): void {
    this.#link.trampoline.run(() => task.flush());
  }

  get currentTurn(): number {
    return 0;
  }

  isTurnOver(): boolean {
    return false;
  }

  defer(task: () => void): void {
    this.#later(task);
  }

  /** Delivers what has arrived, as far as the owner reads. */
  deliver(): void {
    if (this.#rest !== undefined || !this.#arrivals.isEmpty) this.#link.trampoline.run(() => this.#deliverNext());
  }

  /** Resets the connection: data that was not delivered is lost. */
  lose(): void {
    const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
    this.#later(() => this.#close(error));
  }

  /** Resets both ends, as if the network were lost. */
  loseBoth(): void {
    this.lose();
    this.#other.lose();
  }

  get #other(): MemoryPort {
    return this.#peer as MemoryPort;
  }

  #arrive(chunk: Buffer): void {
    if (this.#isClosed) return;
    const kept = this.pongDrops > 0 && chunk.length > 0 ? withoutPongs(chunk) : chunk;
    if (kept.length === 0 && chunk.length > 0) return;
    this.#arrivals.push(kept);
    this.#arrivedBytes += kept.length;
    this.deliver();
  }

  /** Delivers one chunk at a time, so that both directions take turns. */
  #deliverNext(): void {
    const events = this.#events;
    if (events === undefined || this.#isPaused || this.stalls > 0 || this.#isClosed) return;
    const chunk = this.#take();
    if (chunk === undefined) return;
    if (chunk.length === 0) {
      this.#peerEnded = true;
      events.ended();
      this.#closeIfBothEnded();
    } else {
      events.bytes(chunk, chunk.length);
      this.#other.#tellIfDrained();
    }
    this.deliver();
  }

  #take(): Buffer | undefined {
    const first = this.#rest ?? (this.#arrivals.isEmpty ? undefined : this.#arrivals.shift());
    if (first === undefined) return undefined;
    const chunk = first.subarray(0, Math.min(first.length, this.chunkSize));
    this.#rest = chunk.length === first.length ? undefined : first.subarray(chunk.length);
    this.#arrivedBytes -= chunk.length;
    return chunk;
  }

  #tellIfDrained(): void {
    if (!this.#wasPending || this.pending > 0) return;
    this.#wasPending = false;
    if (!this.#isClosed) this.#events?.drained();
    this.#closeIfBothEnded();
  }

  #closeIfBothEnded(): void {
    if (this.#hasEnded && this.#peerEnded && this.pending === 0) this.#later(() => this.#close(undefined));
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrivals.clear();
    this.#rest = undefined;
    this.#arrivedBytes = 0;
    this.#events?.closed(error);
  }

  /** Runs `task` in the same frame of virtual time, but never within a call of the owner. */
  #later(task: () => void): void {
    this.#link.scheduler.schedule(task);
  }
}
