/** A network of two ends in which nothing happens by itself: the simulation says what arrives, and when. */
import type { BytePort, Flushable, PortEvents } from '../../../src/channel/byte-port.js';
import { beginReceiving, endReceiving, flushAll, scheduleFlush } from '../../../src/channel/flush-queue.js';
import { lend } from '../../support/lend.js';

/** How long the connections of a thread may work in one turn of its event loop, in milliseconds. */
const TURN_MS = 10;

/** One end. As with a socket, a write that the kernel does not take whole is held by reference, and one is outstanding at a time. */
export class SimulatedPort implements BytePort {
  readonly synchronous: boolean;
  pending = 0;
  peer: SimulatedPort = this;
  isClosed = false;
  isPaused = false;
  /** Whether something comes in that the other end did not write. */
  hasNoise = false;
  /** How often the owner was given a turn of the loop, or a share of one. */
  turns = 0;
  /** Bytes that have left the process, of writes that were taken whole. */
  taken = 0;
  /** The largest chunk that was delivered to it, in bytes. */
  largestRead = 0;
  /** All that it has put on the wire. */
  readonly log: Buffer[] = [];
  /** Faults in the use of it. */
  readonly faults: string[] = [];
  readonly #room: number;
  #events: PortEvents | undefined;
  #held: Buffer[] = [];
  /** What has come from the other end and was not delivered. */
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  #tasks: (() => void)[] = [];
  #hasEnded = false;
  #isMute = false;
  #isTerminated = false;
  #isReset = false;
  #peerEnded = false;
  #hasFin = false;
  #wasLost = false;
  /** Until when the owner may work in this turn, once it has asked. */
  #deadline: number | undefined;
  /** Whether the process at the other end is gone: what is written is answered with a reset. */
  #isPeerGone = false;
  /** Why nothing can be written any more. */
  #broken: Error | undefined;

  /** @param room what the kernel takes before the other end reads, in bytes. */
  constructor(room: number, synchronous: boolean) {
    this.#room = room;
    this.synchronous = synchronous;
  }

  /** Whether something is left to happen by itself: a delivery, or a deferred task. */
  get isQuiet(): boolean {
    return this.#tasks.length === 0 && (this.isClosed || !(this.#canDeliver || this.#canDrain));
  }

  /** Whether work was put off to a later turn of the loop. */
  get hasTasks(): boolean {
    return this.#tasks.length > 0;
  }

  /** Whether all that it has written ends with a whole frame on the wire. */
  get isAtBoundary(): boolean {
    return this.#held.length === 0;
  }

  /** Of the outstanding write, what has not left the process. */
  get unsent(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether a part of what was written never left. */
  get wasLost(): boolean {
    return this.#wasLost;
  }

  /** Whether the owner was told that writing is no longer possible. */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /** What has come and was not delivered, in bytes. */
  get unread(): number {
    return this.#arrivedBytes;
  }

  open(events: PortEvents): void {
    this.#events = events;
  }

  write(pieces: readonly Uint8Array[]): void {
    if (this.pending > 0) this.faults.push('a write while another one is outstanding');
    if (this.isBroken && !this.isClosed) this.faults.push('a write though writing is no longer possible');
    else if (this.#hasEnded && !this.isClosed) this.faults.push('a write behind the end');
    if (this.#hasEnded || this.isClosed || this.isBroken) return;
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size === 0) this.faults.push('an empty write');
    this.#held = pieces.map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.length));
    if (this.synchronous) this.#move();
    this.pending = this.#held.length > 0 ? size : 0;
    if (this.pending === 0) this.taken += size;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.#hasEnded = true;
    if (this.isBroken) this.#tasks.push(() => this.#close(this.#broken));
    else this.#finish();
  }

  terminate(): void {
    if (this.isClosed) return;
    this.#tasks.push(() => this.#close(undefined));
    this.peer.#isReset = true;
    this.#isTerminated = true;
    this.#isMute = true;
    this.#wasLost ||= this.pending > 0;
    this.#held = [];
    this.pending = 0;
    this.#hasEnded = true;
  }

  schedule(task: Flushable): void {
    scheduleFlush(task);
  }

  currentTurn = 0;

  isTurnOver(now: number): boolean {
    this.#deadline ??= now + TURN_MS;
    return now > this.#deadline;
  }

  /** Other connections of the thread have used this turn. */
  useUp(): void {
    this.#deadline = Number.NEGATIVE_INFINITY;
  }

  defer(task: () => void): void {
    this.#tasks.push(task);
  }

  /** A later turn of the loop: what was deferred is done. */
  turn(): void {
    this.currentTurn++;
    this.#beginShare();
    for (const task of this.#tasks.splice(0)) {
      this.#event(task);
      this.#beginShare();
    }
  }

  #beginShare(): void {
    this.turns++;
    this.#deadline = undefined;
  }

  /** The kernel takes what it has room for; when that is all, the owner is told. */
  drain(): void {
    if (this.pending === 0 || this.isClosed) return;
    this.#move();
    if (this.#held.length > 0) return;
    this.taken += this.pending;
    this.pending = 0;
    this.#event(() => this.#events?.drained());
    this.#finish();
  }

  /** At most `size` bytes come in, or the end; nothing while the owner does not read. */
  deliver(size: number): void {
    if (!this.#canDeliver) return;
    if (this.#isReset) {
      this.reset();
    } else if (this.#arrivedBytes > 0) {
      const chunk = this.#take(size);
      this.largestRead = Math.max(this.largestRead, chunk.length);
      this.#event(() => {
        beginReceiving();
        try {
          if (this.#events !== undefined) lend(chunk, this.#events);
        } finally {
          endReceiving();
        }
      });
    } else if (this.#hasFin) {
      this.#hasFin = false;
      this.#peerEnded = true;
      this.#event(() => this.#events?.ended());
      this.#closeIfBothEnded();
    } else {
      this.#close(this.#broken);
    }
  }

  /**
   * The process of the owner is gone. The other end can read what has left it, and then FIN; what the other end writes is answered with
   * a reset, which it notices in a later turn.
   *
   * @returns `false` when it was gone before.
   */
  vanish(): boolean {
    if (this.isClosed || this.#isTerminated) return false;
    const { peer } = this;
    if (!this.#isMute) peer.#hasFin = true;
    this.#isMute = true;
    peer.#isPeerGone = true;
    this.#close(Object.assign(new Error('the process is gone'), { code: 'ECONNRESET' }));
    return true;
  }

  /** The connection is lost for this end, with all that has not been delivered. */
  reset(): void {
    this.#close(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  /** Nothing that the owner writes arrives any more, but `last` and FIN. */
  cut(last: Buffer | undefined): void {
    if (this.#isMute) return;
    this.#isMute = true;
    if (last !== undefined) {
      this.peer.#arrive(last);
      this.peer.hasNoise = true;
    }
    this.peer.#hasFin = true;
  }

  get #canDeliver(): boolean {
    if (this.isClosed || this.isPaused || this.#events === undefined) return false;
    return this.#isReset || this.#arrivedBytes > 0 || this.#hasFin || this.isBroken;
  }

  get #canDrain(): boolean {
    return this.pending > 0 && (this.peer.isClosed || this.peer.#arrivedBytes < this.#room);
  }

  #event(work: () => void): void {
    flushAll();
    work();
    flushAll();
  }

  /** A reset has come: the kernel takes nothing any more, and has kept what came before. */
  #break(): void {
    if (this.isClosed || this.isBroken) return;
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    this.#broken = error;
    this.#wasLost ||= this.pending > 0;
    this.#held = [];
    this.pending = 0;
    this.#event(() => this.#events?.broken(error));
  }

  /** Moves to the other end what fits. */
  #move(): void {
    const { peer } = this;
    if (this.#isPeerGone && this.#held.length > 0) this.#tasks.push(() => this.#break());
    while (this.#held.length > 0) {
      const room = this.#room - peer.#arrivedBytes;
      const piece = this.#held[0] as Buffer;
      if (room <= 0 && !peer.isClosed) return;
      const part = peer.isClosed ? piece : piece.subarray(0, room);
      const taken = Buffer.from(part);
      this.log.push(taken);
      if (!this.#isMute) peer.#arrive(taken);
      if (part.length === piece.length) this.#held.shift();
      else this.#held[0] = piece.subarray(part.length);
    }
  }

  #arrive(bytes: Buffer): void {
    if (this.isClosed || bytes.length === 0) return;
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
  }

  #take(size: number): Buffer {
    const all = this.#arrived.length === 1 ? (this.#arrived[0] as Buffer) : Buffer.concat(this.#arrived);
    const chunk = all.subarray(0, size);
    this.#arrived = chunk.length === all.length ? [] : [all.subarray(chunk.length)];
    this.#arrivedBytes -= chunk.length;
    // The owner unmasks it in place.
    return Buffer.from(chunk);
  }

  #finish(): void {
    if (!this.#hasEnded || this.pending > 0 || this.isClosed) return;
    if (!this.#isMute) this.peer.#hasFin = true;
    this.#isMute = true;
    this.#closeIfBothEnded();
  }

  #closeIfBothEnded(): void {
    if (this.#hasEnded && this.pending === 0 && this.#peerEnded) this.#tasks.push(() => this.#close(this.#broken));
  }

  #close(error: Error | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#wasLost ||= this.pending > 0;
    this.pending = 0;
    this.#held = [];
    this.#arrived = [];
    this.#arrivedBytes = 0;
    // Whoever writes to one that is gone gets a reset.
    if (error === undefined && !this.#peerEnded) this.peer.#isReset = true;
    this.#event(() => this.#events?.closed(error));
  }
}
