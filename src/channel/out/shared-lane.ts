import type { ChannelLane } from '../../connection/channel.js';
import type { SharedMessage } from '../../connection/shared-message.js';
import type { SharedFrame, SharedRun } from '../../protocol/frame/shared-frame.js';
import type { BytePort, Flushable } from '../byte-port.js';
import { sharedFramesOf } from './classify.js';

/** Limits of a lane. Sizes are in bytes. */
export interface LaneLimits {
  /** The most that may be in the batch; 0 for a lane that never opens. */
  readonly limit: number;
  /** Messages of this size or more may need compression, so they do not use the lane. */
  readonly plainBelow: number;
}

/** The part of a port that a lane uses. */
export type LanePort = Pick<BytePort, 'pending' | 'write' | 'schedule'>;

/** The owner of a lane's batch. */
export interface LaneOwner {
  /** Writes the batch: it contains more than the lane's frames, or a callback waits for it to leave. */
  write(): void;
  /** The lane has written its frames, and they did not leave immediately. */
  blocked(): void;
}

const CLOSED: LaneLimits = { limit: 0, plainBelow: 0 };
const NO_PORT: LanePort = { pending: 0, write: () => {}, schedule: () => {} };
const NO_OWNER: LaneOwner = { write: () => {}, blocked: () => {} };

/**
 * The fast path for frames that go to many connections: while it is open, they are added without further checks.
 * A broadcast touches nothing of a connection except the lane and the port, because data of thousands of connections does not stay
 * in the CPU caches: frames that are alone in the batch are written from here (see `bench: broadcast, 1 in flight`).
 * Code that adds anything else to the batch, or changes what may be sent, must close the lane first.
 */
export class SharedLane implements ChannelLane, Flushable {
  /** The number of frames added by the fast path. */
  count = 0;
  /** The number of bytes written from here. */
  bytesSent = 0;
  #run: SharedRun | undefined;
  /** The number of bytes that may still be added. */
  #room = 0;
  /** Whether the lane is open and the batch contains nothing else. */
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

  /** Size of the frames that were added but not written yet, in bytes. */
  get size(): number {
    return this.#run?.size ?? 0;
  }

  /** Makes a lane that never opens. */
  static none(): SharedLane {
    return new SharedLane(CLOSED, NO_PORT, NO_OWNER);
  }

  /** Accepts frames without further checks, with `batched` bytes already in the batch. Nothing else may be added after the frames. */
  open(batched: number): void {
    this.#room = this.#limits.limit - batched;
    this.#isAlone = batched === 0;
  }

  close(): void {
    this.#room = 0;
    this.#isAlone = false;
  }

  /** Closes permanently. */
  shut(): void {
    this.#limits = CLOSED;
    this.close();
  }

  /** Adds the frame of `shared`, if there is one and the lane accepts it. Returns whether it did. */
  offer(shared: SharedMessage): boolean {
    const frames = sharedFramesOf(shared);
    return frames?.plain !== undefined && this.takes(frames.plain, frames.deflateSize);
  }

  /**
   * Adds `frame`, if the lane accepts it. Returns whether it did.
   *
   * @param size the message size that decides about compression, in bytes.
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

  /** Adds `frame`, for the owner to write. Nothing else may be in the batch after the frames added before. */
  add(frame: SharedFrame): void {
    this.#isAlone = false;
    this.#append(frame);
  }

  /** Removes and returns the frames that were added, and closes the lane. */
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
    // The frames may have been written with others.
    if (run === undefined) return;
    if (this.#isAlone) this.#write(run);
    else this.#owner.write();
  }

  #write(run: SharedRun): void {
    this.bytesSent += run.size;
    this.#run = undefined;
    // First, because the write may bring answers immediately, and they close the lane.
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
