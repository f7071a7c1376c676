import { report } from '../base/report.js';
import { isReserved, type Opcode } from '../protocol/frame/opcode.js';
import type { BytePort, Flushable, PortEvents } from './byte-port.js';

/** The most that is shown of a payload, in bytes: enough for any control frame. RFC 6455 §5.5. */
const SHOWN = 125;

/** The longest header: 2 + 8 bytes and the mask. RFC 6455 §5.2. */
const MAX_HEADER = 14;

/** A frame as reported to the diagnostics. */
export interface FrameReport {
  readonly connection: object;
  readonly server: object | undefined;
  readonly direction: 'in' | 'out';
  readonly opcode: Opcode;
  readonly fin: boolean;
  /** Whether RSV1 is set. RFC 7692 §6. */
  readonly compressed: boolean;
  readonly masked: boolean;
  /** Length of the payload, in bytes. */
  readonly length: number;
  /** The first bytes of the payload, at most 125, unmasked. */
  readonly payload: Uint8Array;
}

/**
 * A {@link BytePort} that wraps another and reports its frames to `sluice:frame`. It is used only if that channel has subscribers when
 * a connection opens, so that other connections pay nothing for it.
 */
export class TracedPort implements BytePort, PortEvents {
  readonly #port: BytePort;
  #events!: PortEvents;
  #in: FrameScanner | undefined;
  #out: FrameScanner | undefined;

  constructor(port: BytePort) {
    this.#port = port;
  }

  /** Sets the connection that the frames belong to. Called before `open`. */
  traceFor(connection: object, server: object | undefined): void {
    const scanner = (direction: 'in' | 'out'): FrameScanner =>
      new FrameScanner((frame) => report('frame', { server, connection, direction, ...frame }));
    this.#in = scanner('in');
    this.#out = scanner('out');
  }

  get synchronous(): boolean {
    return this.#port.synchronous;
  }

  get pending(): number {
    return this.#port.pending;
  }

  get unsent(): number {
    return this.#port.unsent;
  }

  get currentTurn(): number {
    return this.#port.currentTurn;
  }

  open(events: PortEvents): void {
    this.#events = events;
    this.#port.open(this);
  }

  write(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#out?.push(piece, piece.length);
    this.#port.write(pieces);
  }

  pause(): void {
    this.#port.pause();
  }

  resume(): void {
    this.#port.resume();
  }

  end(): void {
    this.#port.end();
  }

  terminate(): void {
    this.#port.terminate();
  }

  schedule(task: Flushable): void {
    this.#port.schedule(task);
  }

  isTurnOver(now: number): boolean {
    return this.#port.isTurnOver(now);
  }

  defer(task: () => void): void {
    this.#port.defer(task);
  }

  bytes(memory: Buffer, length: number): void {
    // First, because the owner unmasks them in place.
    this.#in?.push(memory, length);
    this.#events.bytes(memory, length);
  }

  ended(): void {
    this.#events.ended();
  }

  drained(): void {
    this.#events.drained();
  }

  broken(error: Error): void {
    this.#events.broken(error);
  }

  closed(error: Error | undefined): void {
    this.#events.closed(error);
  }
}

type ScannedFrame = Omit<FrameReport, 'connection' | 'server' | 'direction'>;

/** Finds frames in chunks that may be split anywhere. Does not validate them: the session reports violations of the protocol. */
class FrameScanner {
  readonly #found: (frame: ScannedFrame) => void;
  readonly #header = Buffer.alloc(MAX_HEADER);
  #headerSize = 0;
  /** Payload length of the frame whose header is complete. */
  #length = 0;
  #shown: Buffer | undefined;
  #shownSize = 0;
  /** Payload bytes that have not arrived. */
  #left = 0;
  /** Whether it has met an invalid frame, after which no frames can be found. */
  #isLost = false;

  constructor(found: (frame: ScannedFrame) => void) {
    this.#found = found;
  }

  push(bytes: Uint8Array, end: number): void {
    for (let at = 0; at < end && !this.#isLost; ) {
      if (this.#shown === undefined && this.#left === 0) {
        this.#header[this.#headerSize++] = bytes[at++] as number;
        if (this.#headerSize === headerSize(this.#header, this.#headerSize)) this.#enter();
      } else at = this.#take(bytes, at, end);
    }
  }

  #enter(): void {
    const header = this.#header;
    const short = (header[1] as number) & 0x7f;
    const length = short < 126 ? short : short === 126 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
    this.#length = length;
    this.#left = length;
    this.#shown = Buffer.alloc(Math.min(length, SHOWN));
    this.#shownSize = 0;
    if (length === 0) this.#tell();
  }

  #take(bytes: Uint8Array, start: number, end: number): number {
    const taken = Math.min(this.#left, end - start);
    this.#left -= taken;
    const shown = this.#shown;
    if (shown !== undefined) {
      const copied = Math.min(shown.length - this.#shownSize, taken);
      shown.set(bytes.subarray(start, start + copied), this.#shownSize);
      this.#shownSize += copied;
      if (this.#shownSize === shown.length) this.#tell();
    }
    return start + taken;
  }

  /** Reports a frame, as soon as all of it that is shown has arrived. */
  #tell(): void {
    const header = this.#header;
    const payload = this.#shown as Buffer;
    const [first, second] = [header[0] as number, header[1] as number];
    const masked = (second & 0x80) !== 0;
    const opcode = (first & 0xf) as Opcode;
    if (masked) for (const at of payload.keys()) payload[at]! ^= header[this.#headerSize - 4 + (at & 3)] as number;
    this.#headerSize = 0;
    this.#shown = undefined;
    this.#isLost = (first & 0x30) !== 0 || isReserved(opcode);
    this.#found({
      opcode,
      fin: (first & 0x80) !== 0,
      compressed: (first & 0x40) !== 0,
      masked,
      length: this.#length,
      payload,
    });
  }
}

/** The length of a header of which `size` bytes are known. If they do not determine it, a length above `size`. */
function headerSize(header: Uint8Array, size: number): number {
  if (size < 2) return 2;
  const second = header[1] as number;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}
