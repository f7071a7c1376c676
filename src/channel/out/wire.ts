import { headerLength } from '../../protocol/frame/frame-header.js';
import { Opcode } from '../../protocol/frame/opcode.js';
import type { SharedFrame } from '../../protocol/frame/shared-frame.js';
import type { BytePort, Flushable } from '../byte-port.js';
import { Batch } from './batch.js';
import { ControlLane } from './control-lane.js';
import { type LaneLimits, type LaneOwner, NO_LANE, SharedLane } from './shared-lane.js';
import { Slab } from './slab.js';
import { WriteMarks } from './write-marks.js';

const FIN = 0x80;

/** Pongs that may be in the batch before it is written early, in bytes. */
const PONG_BATCH = 4096;

/** Settings of a wire. */
export interface WireSettings {
  /** If more than this is batched, it is written before the end of the tick. In bytes. */
  readonly highWaterMark: number;
  /** Returns the masking keys of a client; undefined on a server, which does not mask. RFC 6455 §5.3. */
  readonly maskKey: (() => number) | undefined;
  /** Limits of the fast path for broadcasts. */
  readonly lane: LaneLimits;
}

/** A message that lacks only its header. */
export type ReadyMessage =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'frame'; readonly firstByte: number; readonly payload: Uint8Array }
  | SharedFrame;

/** The owner of a wire, which is notified of writes. */
export interface WireOwner {
  /** `size` bytes were written; 0 if something else may have changed. */
  written(size: number): void;
}

/**
 * Joins frames into writes: the frames of one tick leave together, and one write is outstanding at a time. Control frames may be added
 * at any time, other frames only while the wire is not blocked.
 */
export class Wire implements Flushable, LaneOwner {
  /** Whether a write is outstanding: the transport has not taken everything. */
  isBlocked = false;
  /** The fast path for broadcasts, once it was requested. */
  lane: SharedLane = NO_LANE;
  readonly #port: BytePort;
  readonly #settings: WireSettings;
  readonly #owner: WireOwner;
  /** The batch, while data waits for the flush. */
  #batch: Batch | undefined;
  /** Waiting control frames: made when the peer does not read. */
  #control: ControlLane | undefined;
  /** Made when the first callback waits for bytes to leave. */
  #marks: WriteMarks | undefined;
  /** Called when the waiting control frames have left. */
  #afterControl: (() => void) | undefined;
  /** Bytes written, except from the lane. */
  #bytesSent = 0;
  /** Bytes of control frames that were added to the batch. */
  #controlBytes = 0;
  #pongBytes = 0;
  #isScheduled = false;
  #isStopped = false;

  constructor(port: BytePort, settings: WireSettings, owner: WireOwner) {
    this.#port = port;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Bytes that were given to the transport. */
  get bytesSent(): number {
    return this.#bytesSent + this.lane.bytesSent;
  }

  /** Bytes of messages that were given to the transport or are about to be. Never decreases while the connection is open. */
  get messageBytes(): number {
    return this.bytesSent + this.batched - this.#controlBytes;
  }

  /** Bytes that the operating system has taken, while a write is outstanding; undefined if none is. */
  get taken(): number | undefined {
    return this.isBlocked ? this.bytesSent - this.#port.unsent : undefined;
  }

  /** Whether control frames wait for the transport to take everything before them. */
  get isControlWaiting(): boolean {
    return this.#controlSize > 0;
  }

  /** Bytes that have not left. Data from elsewhere, such as the handshake, does not count. */
  get size(): number {
    return this.batched + this.#controlSize + (this.isBlocked ? this.#port.pending : 0);
  }

  /** Whether everything that was added has left. */
  get isIdle(): boolean {
    return !this.isBlocked && this.batched === 0;
  }

  /** Bytes that are not written yet. */
  get batched(): number {
    return this.#batch === undefined ? this.lane.size : this.#batch.size + this.lane.size;
  }

  /** Adds a whole message: a string as text, bytes as binary. Calls `reached` when it has left. */
  message(data: string | Uint8Array, reached?: () => void): void {
    const batch = this.#ownBatch();
    const maskKey = this.#settings.maskKey?.();
    if (typeof data === 'string') batch.text(FIN | Opcode.text, data, maskKey);
    else batch.payload(FIN | Opcode.binary, data, maskKey);
    this.#added(reached);
  }

  /** Adds an encoded message. Calls `reached` when it has left. */
  encoded(item: ReadyMessage, reached?: () => void): void {
    if (item.kind === 'text') this.message(item.text, reached);
    else if (item.kind === 'shared') this.shared(item, reached);
    else this.frame(item.firstByte, item.payload, reached);
  }

  /** Adds a frame. Calls `reached` when it has left. */
  frame(firstByte: number, payload: Uint8Array, reached?: () => void): void {
    this.#ownBatch().payload(firstByte, payload, this.#settings.maskKey?.());
    this.#added(reached);
  }

  /** Adds a frame by reference. Calls `reached` when it has left. Others may follow through the lane. */
  shared(frame: SharedFrame, reached?: () => void): void {
    const lane = this.ownLane();
    lane.add(frame);
    lane.open(this.batched);
    this.#added(reached);
  }

  /** Adds encoded frames without writing them: `write` follows. */
  pieces(pieces: readonly Uint8Array[]): void {
    const batch = this.#ownBatch();
    for (const piece of pieces) batch.piece(piece);
  }

  /** Adds a control frame. While a write is outstanding, it waits ahead of everything else and is never dropped. */
  control(opcode: Opcode, payload: Uint8Array): void {
    if (this.#isStopped) return;
    if (this.isBlocked) {
      this.#ownControl().add(FIN | opcode, payload);
      return;
    }
    this.#controlBytes += this.#controlFrameSize(payload);
    this.frame(FIN | opcode, payload);
  }

  /** Replaces all waiting control frames with a Close frame. Calls `reached` when it has left. */
  fail(payload: Uint8Array, reached: () => void): void {
    this.#control?.clear();
    if (this.isBlocked) {
      this.#ownControl().add(FIN | Opcode.close, payload);
      this.#afterControl = reached;
    } else this.frame(FIN | Opcode.close, payload, reached);
  }

  /** Adds the answer to a ping. While the peer does not read, at most 4 KiB of answers and the latest one wait. */
  pong(payload: Uint8Array): void {
    if (this.#isStopped) return;
    if (this.isBlocked) {
      this.#ownControl().addPong(FIN | Opcode.pong, payload);
      return;
    }
    const size = this.#controlFrameSize(payload);
    this.#pongBytes += size;
    this.#controlBytes += size;
    this.frame(FIN | Opcode.pong, payload);
    if (this.#pongBytes >= PONG_BATCH) this.write();
  }

  /** Calls `reached` when everything added so far has left. */
  mark(reached: () => void): void {
    const isWritten = this.isBlocked && this.batched + this.#controlSize === 0;
    if (isWritten) this.#ownMarks().outstanding(reached);
    else {
      this.#ownMarks().next(reached);
      this.lane.close(); // Its own writes have no marks.
    }
  }

  /** Writes the batch, unless a write is outstanding. */
  write(): void {
    if (this.isBlocked) return;
    const size = this.batched;
    if (size > 0) {
      this.#bytesSent += size;
      this.#pongBytes = 0;
      this.#flushBatch();
      this.isBlocked = this.#port.pending > 0;
    }
    if (this.#marks?.isNextEmpty === false) {
      this.#marks.written();
      if (!this.isBlocked) this.#marks.left();
    }
    this.#owner.written(size);
  }

  /** The lane has written its frames, and they did not leave immediately. */
  blocked(): void {
    this.isBlocked = true;
    this.#owner.written(0);
  }

  /** Schedules a flush together with other connections. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#port.schedule(this);
  }

  /** The flush point: see `BytePort.schedule`. */
  flush(): void {
    this.#isScheduled = false;
    this.write();
  }

  /** The transport has taken everything: the waiting control frames are next. `write` follows. */
  drained(): void {
    this.isBlocked = false;
    this.#controlBytes += this.#controlSize;
    this.#control?.moveTo(this.#ownBatch(), this.#settings.maskKey);
    if (this.#afterControl !== undefined) this.#ownMarks().next(this.#afterControl);
    this.#afterControl = undefined;
    this.#marks?.left();
  }

  /** Discards everything, permanently. */
  stop(): void {
    this.#isStopped = true;
    this.#control?.clear();
    this.#batch?.drop();
    this.lane.take();
    this.#marks?.clear();
  }

  /** Returns the lane. If there was none, makes one, which is closed. */
  ownLane(): SharedLane {
    if (this.lane === NO_LANE) this.lane = new SharedLane(this.#settings.lane, this.#port, this);
    return this.lane;
  }

  /** Opens the lane, unless something else is in the batch. */
  openLane(): void {
    if (this.batched === 0) this.lane.open(0);
  }

  /** Closes the lane. */
  closeLane(): void {
    this.lane.close();
  }

  /** Size of the waiting control frames, in bytes. */
  get #controlSize(): number {
    return this.#control?.size ?? 0;
  }

  #controlFrameSize(payload: Uint8Array): number {
    return headerLength(payload.length, this.#settings.maskKey !== undefined) + payload.length;
  }

  /** Returns the batch. Moves the lane's frames into it and closes the lane, so that the next frame follows them. */
  #ownBatch(): Batch {
    this.#batch ??= Batch.take();
    if (this.lane !== NO_LANE) this.#emptyLane(this.#batch);
    return this.#batch;
  }

  #emptyLane(batch: Batch): void {
    const run = this.lane.take();
    if (run !== undefined) batch.run(run);
  }

  /** Flushes the batch. The write may bring answers immediately, which may cause more sends: then the batch is in use again. */
  #flushBatch(): void {
    const batch = this.#batch;
    if (batch === undefined) {
      const run = this.lane.take();
      if (run !== undefined) this.#port.write(run.pieces);
      return;
    }
    if (this.lane !== NO_LANE) this.#emptyLane(batch);
    batch.flush(this.#port);
    if (batch === this.#batch && batch.giveBack()) this.#batch = undefined;
  }

  #ownControl(): ControlLane {
    this.#control ??= new ControlLane(headerLength(0, this.#settings.maskKey !== undefined));
    return this.#control;
  }

  #ownMarks(): WriteMarks {
    this.#marks ??= new WriteMarks();
    return this.#marks;
  }

  #added(reached: (() => void) | undefined): void {
    if (reached !== undefined) this.#ownMarks().next(reached);
    if (this.batched > this.#settings.highWaterMark) this.write();
    else this.schedule();
    Slab.flushFull();
  }
}
