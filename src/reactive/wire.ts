import { headerLength } from '../protocol/frame-header.js';
import { Opcode } from '../protocol/opcode.js';
import { Batch } from '../transport/batch.js';
import type { BytePort, Flushable } from '../transport/byte-port.js';
import { ControlLane } from './control-lane.js';

const FIN = 0x80;

/** Pongs that may be in the batch before it is written early, in bytes. */
const PONG_BATCH = 4096;

/** What a wire needs. */
export interface WireSettings {
  /** More than this is written before the tick is over, in bytes. */
  readonly highWaterMark: number;
  /** Gives the masking keys of a client; a server does not mask. RFC 6455 §5.3. */
  readonly maskKey: (() => number) | undefined;
}

/**
 * Joins frames to writes: those of one tick leave together, one write is outstanding at a time. Control frames may be given at any
 * time; all else only while it is not blocked.
 */
export class Wire implements Flushable {
  /** Whether a write is outstanding: the transport has not taken everything. */
  isBlocked = false;
  bytesSent = 0;
  readonly #port: BytePort;
  readonly #settings: WireSettings;
  readonly #onWritten: () => void;
  readonly #batch = new Batch();
  readonly #control = new ControlLane();
  /** To be called when all that was given so far has left. */
  #marks: (() => void)[] = [];
  /** To be called when the control frames that wait have left. */
  #afterControl: (() => void) | undefined;
  #pongBytes = 0;
  #isScheduled = false;
  #isStopped = false;

  /** @param onWritten called after each write. */
  constructor(port: BytePort, settings: WireSettings, onWritten: () => void) {
    this.#port = port;
    this.#settings = settings;
    this.#onWritten = onWritten;
  }

  /** Bytes that have not left. */
  get size(): number {
    return this.#batch.size + this.#control.size + this.#port.pending;
  }

  /** Bytes that are not written yet. */
  get batched(): number {
    return this.#batch.size;
  }

  /** Adds a frame with text, and calls `reached` when it has left. */
  text(firstByte: number, text: string, reached?: () => void): void {
    this.#batch.text(firstByte, text, this.#settings.maskKey?.());
    this.#added(reached);
  }

  /** Adds a frame, and calls `reached` when it has left. */
  frame(firstByte: number, payload: Uint8Array, reached?: () => void): void {
    this.#batch.payload(firstByte, payload, this.#settings.maskKey?.());
    this.#added(reached);
  }

  /** Adds encoded frames without writing them: `write` follows. */
  pieces(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#batch.piece(piece);
  }

  /** Adds a control frame. While a write is outstanding it waits, before everything else, and is never dropped. */
  control(opcode: Opcode, payload: Uint8Array): void {
    if (this.#isStopped) return;
    if (this.isBlocked) this.#control.add(FIN | opcode, payload);
    else this.frame(FIN | opcode, payload);
  }

  /** Adds a Close frame in the place of all control frames that wait, and calls `reached` when it has left. */
  fail(payload: Uint8Array, reached: () => void): void {
    this.#control.clear();
    if (this.isBlocked) {
      this.#control.add(FIN | Opcode.close, payload);
      this.#afterControl = reached;
    } else this.frame(FIN | Opcode.close, payload, reached);
  }

  /** Adds the answer to a ping. While the peer does not read, at most 4 KiB of answers wait, and the latest. */
  pong(payload: Uint8Array): void {
    if (this.#isStopped) return;
    if (this.isBlocked) {
      this.#control.addPong(FIN | Opcode.pong, payload);
      return;
    }
    this.#pongBytes += headerLength(payload.length, false) + payload.length;
    this.frame(FIN | Opcode.pong, payload);
    if (this.#pongBytes >= PONG_BATCH) this.write();
  }

  /** Calls `reached` when all that was given so far has left. */
  mark(reached: () => void): void {
    this.#marks.push(reached);
  }

  /** Writes what was given, unless a write is outstanding. */
  write(): void {
    if (this.isBlocked) return;
    this.#control.moveTo(this.#batch, this.#settings.maskKey);
    if (this.#afterControl !== undefined) this.#marks.push(this.#afterControl);
    this.#afterControl = undefined;
    if (this.#batch.size > 0) {
      this.bytesSent += this.#batch.size;
      this.#pongBytes = 0;
      this.#batch.flush(this.#port);
      this.isBlocked = this.#port.pending > 0;
    }
    if (!this.isBlocked) this.#reachMarks();
    this.#onWritten();
  }

  /** The flush point: see `BytePort.schedule`. */
  flush(): void {
    this.#isScheduled = false;
    this.write();
  }

  /** The transport has taken everything. */
  drained(): void {
    this.isBlocked = false;
    this.#reachMarks();
  }

  /** Forgets everything, for good. */
  stop(): void {
    this.#isStopped = true;
    this.#control.clear();
    this.#batch.drop();
    this.#marks = [];
  }

  /** The mark is set behind the frame: to make room for it, what was there before may have been written. */
  #added(reached: (() => void) | undefined): void {
    if (reached !== undefined) this.#marks.push(reached);
    if (this.#batch.size > this.#settings.highWaterMark) this.write();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#port.schedule(this);
    }
  }

  #reachMarks(): void {
    if (this.#marks.length === 0) return;
    const marks = this.#marks;
    this.#marks = [];
    for (const reached of marks) reached();
  }
}
