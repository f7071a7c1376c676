import type { ChannelLane } from '../../connection/channel.js';
import type { SharedMessage } from '../../connection/shared-message.js';
import type { SharedFrame, SharedRun } from '../../protocol/frame/shared-frame.js';
import type { BytePort, Flushable } from '../byte-port.js';
import { sharedFramesOf } from './classify.js';

/** What a lane may let in. Sizes in bytes. */
export interface LaneLimits {
  /** So much may be in the batch; 0 for a lane that never opens. */
  readonly limit: number;
  /** Larger messages have to ask whether they are to be compressed. */
  readonly plainBelow: number;
}

/** What a lane needs of a port. */
export type LanePort = Pick<BytePort, 'pending' | 'write' | 'schedule'>;

/** Who has the batch of a lane. */
export interface LaneOwner {
  /** Writes the batch: it holds more than frames of the lane, or a callback waits for it to leave. */
  write(): void;
  /** The lane has written its frames, and they have not left at once. */
  blocked(): void;
}

const CLOSED: LaneLimits = { limit: 0, plainBelow: 0 };
const NO_PORT: LanePort = { pending: 0, write: () => {}, schedule: () => {} };
const NO_OWNER: LaneOwner = { write: () => {}, blocked: () => {} };

/**
 * The short way for frames that go to many connections: while it is open, they are added without any check.
 * A broadcast touches nothing else of a connection but the port, because what it touches of thousands of them does not stay in
 * the caches of the CPU: frames that are alone in the batch are written from here (see `bench: broadcast, 1 in flight`).
 * Whoever adds anything else to the batch, or changes what may be sent, closes it first.
 */
export class SharedLane implements ChannelLane, Flushable {
  /** How many frames came this way. */
  count = 0;
  /** How many bytes were written from here. */
  bytesSent = 0;
  #run: SharedRun | undefined;
  /** How many bytes more may come this way. */
  #room = 0;
  /** Whether it is open, and nothing is in the batch but what came this way. */
  #isAlone = false;
  #isScheduled = false;
  #limits: LaneLimits;
  readonly #port: LanePort;
  readonly #owner: LaneOwner;

  constructor(limits: LaneLimits, port: LanePort, owner: LaneOwner) {
    this.#limits = limits;
    this.#port = port;
    this.#owner = owner;
  }

  /** Of what was added and is not written yet, in bytes. */
  get size(): number {
    return this.#run?.size ?? 0;
  }

  /** One that never opens. */
  static none(): SharedLane {
    return new SharedLane(CLOSED, NO_PORT, NO_OWNER);
  }

  /** Accepts frames without a check, while `batched` bytes are in the batch and nothing else comes after the frames. */
  open(batched: number): void {
    this.#room = this.#limits.limit - batched;
    this.#isAlone = batched === 0;
  }

  close(): void {
    this.#room = 0;
    this.#isAlone = false;
  }

  /** Closes for good. */
  shut(): void {
    this.#limits = CLOSED;
    this.close();
  }

  /** Adds the frame of `shared`, if there is one and it may come this way. */
  offer(shared: SharedMessage): boolean {
    const frames = sharedFramesOf(shared);
    return frames?.plain !== undefined && this.takes(frames.plain, frames.deflateSize);
  }

  /**
   * Adds `frame`, if it may come this way.
   *
   * @param size of the message as far as compression is asked, in bytes.
   */
  takes(frame: SharedFrame, size: number): boolean {
    if (frame.size > this.#room || size >= this.#limits.plainBelow) return false;
    this.#room -= frame.size;
    this.count++;
    this.#append(frame);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#port.schedule(this);
    }
    return true;
  }

  /** Adds `frame`, for the owner to write. Nothing else may be in the batch after what was added before. */
  add(frame: SharedFrame): void {
    this.#isAlone = false;
    this.#append(frame);
  }

  /** Takes out what was added, and closes. */
  take(): SharedRun | undefined {
    const run = this.#run;
    this.#run = undefined;
    this.close();
    return run;
  }

  /** The flush point: see `BytePort.schedule`. */
  flush(): void {
    this.#isScheduled = false;
    const run = this.#run;
    // It may have been written with something else.
    if (run === undefined) return;
    if (this.#isAlone) this.#write(run);
    else this.#owner.write();
  }

  #write(run: SharedRun): void {
    this.bytesSent += run.size;
    this.#run = undefined;
    // First: what is written may bring answers at once, and they close it.
    this.#room = this.#limits.limit;
    this.#port.write(run.pieces);
    if (this.#port.pending > 0) this.#owner.blocked();
  }

  #append(frame: SharedFrame): void {
    this.#run = this.#run === undefined ? frame.run : this.#run.and(frame);
  }
}

/** Shared, permanently closed lane for connections that have had no broadcast. Do not add to it. */
export const NO_LANE: SharedLane = SharedLane.none();
