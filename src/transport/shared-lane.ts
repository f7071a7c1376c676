import type { SharedFrame, SharedRun } from '../protocol/shared-frame.js';

/** What a lane may let in. Sizes in bytes. */
export interface LaneLimits {
  /** So much may be in the batch; 0 for a lane that never opens. */
  readonly limit: number;
  /** Larger messages have to ask whether they are to be compressed. */
  readonly plainBelow: number;
}

/** What writes the batch of a lane. */
export interface LaneOwner {
  /** Has the batch written with the others. Harmless when that is asked for already. */
  schedule(): void;
}

const CLOSED: LaneLimits = { limit: 0, plainBelow: 0 };

/**
 * The short way for frames that go to many connections: while it is open, they are added without asking anybody whether they may.
 * It is all that a broadcast touches of a connection, because what it touches of thousands of them does not stay in the caches
 * of the CPU. Whoever adds anything else to the batch, or changes what may be sent, closes it first.
 */
export class SharedLane {
  /** Of what was added and is not written yet, in bytes. */
  size = 0;
  /** How many frames came this way. */
  count = 0;
  #run: SharedRun | undefined;
  /** How many bytes more may come this way. */
  #room = 0;
  #limits: LaneLimits;
  readonly #owner: LaneOwner;

  constructor(limits: LaneLimits, owner: LaneOwner) {
    this.#limits = limits;
    this.#owner = owner;
  }

  /** One that never opens. */
  static none(): SharedLane {
    return new SharedLane(CLOSED, { schedule: () => {} });
  }

  /** Lets frames in without asking, while `batched` bytes are in the batch and nothing of that is behind the frames. */
  open(batched: number): void {
    this.#room = this.#limits.limit - batched;
  }

  close(): void {
    this.#room = 0;
  }

  /** Closes for good. */
  shut(): void {
    this.#limits = CLOSED;
    this.#room = 0;
  }

  /**
   * Adds `frame`, if it may come this way.
   *
   * @param size of the message as far as compression is asked, in bytes.
   */
  takes(frame: SharedFrame, size: number): boolean {
    if (frame.size > this.#room || size >= this.#limits.plainBelow) return false;
    const isFirst = this.size === 0;
    this.#room -= frame.size;
    this.count++;
    this.add(frame);
    if (isFirst) this.#owner.schedule();
    return true;
  }

  /** Adds `frame`. Nothing else may be in the batch behind what was added before. */
  add(frame: SharedFrame): void {
    this.size += frame.size;
    this.#run = this.#run === undefined ? frame.run : this.#run.and(frame);
  }

  /** Takes out what was added, and closes. */
  take(): SharedRun | undefined {
    const run = this.#run;
    this.#run = undefined;
    this.size = 0;
    this.#room = 0;
    return run;
  }
}

/** That of everybody to whom nobody has broadcast yet. It never opens; never add to it. */
export const NO_LANE: SharedLane = SharedLane.none();
