import type { BytePort, Flushable, PortEvents } from '../../src/channel/byte-port.js';
import { lend } from './lend.js';
import { type ReadFrame, readFrames } from './read-frames.js';

/** What the peer does: sends bytes, or ends its side. */
type Arrival = Buffer | 'fin';

/**
 * A {@link BytePort} over memory, and its peer. Writes leave at once, unless it is blocked; what the peer sends is delivered at once,
 * unless it is paused. What needs a later turn of the event loop is given to `later`.
 */
export class PeerPort implements BytePort {
  readonly synchronous = true;
  pending = 0;
  /** Whether the owner has asked for no more bytes. */
  isPaused = false;
  /** How often reading was stopped. */
  pauses = 0;
  /** Whether the owner has ended its side. */
  hasEnded = false;
  /** Whether the owner has given up. */
  wasTerminated = false;
  /** Each write, as a copy. */
  readonly writes: Buffer[] = [];
  /** Bytes that were delivered. */
  delivered = 0;
  readonly #later: (task: () => void) => void;
  readonly #arrivals: Arrival[] = [];
  #events: PortEvents | undefined;
  #isBlocked = false;
  #isDelivering = false;
  #peerEnded = false;
  #isClosed = false;

  /** @param later calls a task in a later turn of the loop. */
  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  /** All frames that were written. */
  get frames(): ReadFrame[] {
    return readFrames(Buffer.concat(this.writes));
  }

  /** Bytes of the peer that are not delivered yet. */
  get waiting(): number {
    return this.#arrivals.reduce((sum, arrival) => sum + (arrival === 'fin' ? 0 : arrival.length), 0);
  }

  /** Whether the transport is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get unsent(): number {
    return this.pending;
  }

  /** The peer sends bytes. */
  receive(bytes: Uint8Array): void {
    this.#arrivals.push(Buffer.from(bytes));
    this.#deliver();
  }

  /** The peer ends its side. */
  finish(): void {
    this.#arrivals.push('fin');
    this.#deliver();
  }

  /** Writes fail from now on; what the peer has sent is still delivered. */
  break(error: Error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' })): void {
    this.#events?.broken(error);
  }

  /** The transport is lost, with all that was not delivered. */
  reset(error: Error | undefined = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })): void {
    this.#close(error);
  }

  /** The peer stops reading: writes are pending from now on. */
  block(): void {
    this.#isBlocked = true;
  }

  /** The peer reads again, all of it. */
  drain(): void {
    this.#isBlocked = false;
    if (this.pending === 0) return;
    this.pending = 0;
    if (!this.#isClosed) this.#events?.drained();
    this.#closeIfBothEnded();
  }

  open(events: PortEvents): void {
    this.#events = events;
    this.#deliverLater();
  }

  write(pieces: readonly Uint8Array[]): void {
    if (this.hasEnded || this.#isClosed) return;
    const bytes = Buffer.concat(pieces);
    this.writes.push(bytes);
    if (this.#isBlocked) this.pending += bytes.length;
  }

  pause(): void {
    this.isPaused = true;
    this.pauses++;
  }

  resume(): void {
    this.isPaused = false;
    this.#deliverLater();
  }

  end(): void {
    this.hasEnded = true;
    this.#closeIfBothEnded();
  }

  terminate(): void {
    this.wasTerminated = true;
    this.#arrivals.length = 0;
    this.#later(() => this.#close(undefined));
  }

  schedule(task: Flushable): void {
    task.flush();
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

  #deliverLater(): void {
    if (this.#arrivals.length > 0) this.#later(() => this.#deliver());
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#events !== undefined && !this.isPaused && !this.#isClosed && this.#arrivals.length > 0) {
      const arrival = this.#arrivals.shift() as Arrival;
      if (arrival === 'fin') {
        this.#peerEnded = true;
        this.#events.ended();
      } else {
        this.delivered += arrival.length;
        lend(arrival, this.#events);
      }
    }
    this.#isDelivering = false;
    this.#closeIfBothEnded();
  }

  #closeIfBothEnded(): void {
    if (this.hasEnded && this.pending === 0 && this.#peerEnded) this.#later(() => this.#close(undefined));
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrivals.length = 0;
    this.#events?.closed(error);
  }
}
