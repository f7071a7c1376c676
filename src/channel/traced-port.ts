import { report } from '../base/report.js';
import { isReserved, type Opcode } from '../protocol/frame/opcode.js';
import type { BytePort, Flushable, PortEvents } from './byte-port.js';

/** The most that is shown of a payload, in bytes: all of a control frame. RFC 6455 §5.5. */
const SHOWN = 125;

/** The longest header: 2 + 8 bytes and the mask. RFC 6455 §5.2. */
const MAX_HEADER = 14;

/** A frame as the diagnostics show it. */
export interface FrameReport {
  readonly connection: object;
  readonly server: object | undefined;
  readonly direction: 'in' | 'out';
  readonly opcode: Opcode;
  readonly fin: boolean;
  /** Whether RSV1 is set. RFC 7692 §6. */
  readonly compressed: boolean;
  readonly masked: boolean;
  /** Of the payload in bytes. */
  readonly length: number;
  /** The first bytes of the payload, at most 125, without the mask. */
  readonly payload: Uint8Array;
}

/**
 * A {@link BytePort} that reports the frames in the bytes of another one to `sluice:frame`. It is made where something follows that when a
 * connection opens, so that all others pay nothing for it.
 */
export class TracedPort implements BytePort, PortEvents {
  readonly #port: BytePort;
  #events!: PortEvents;
  #in: FrameScanner | undefined;
  #out: FrameScanner | undefined;

  constructor(port: BytePort) {
    this.#port = port;
  }

  /** Names the connection that the frames belong to. Before `open`. */
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
    // First: they are unmasked in place.
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

/** Finds frames in bytes that may be cut anywhere, and judges nothing: what breaks the protocol is for the session to tell. */
class FrameScanner {
  readonly #found: (frame: ScannedFrame) => void;
  readonly #header = Buffer.alloc(MAX_HEADER);
  #headerSize = 0;
  /** Of the frame whose header is complete. */
  #length = 0;
  #shown: Buffer | undefined;
  #shownSize = 0;
  /** Payload bytes that have not come. */
  #left = 0;
  /** Whether it has met what is no frame: what follows has no frames. */
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

  /** As soon as all that is shown of the frame is there. */
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

/** How long the header is that begins with `size` bytes, as far as they tell: at least one more where they do not. */
function headerSize(header: Uint8Array, size: number): number {
  if (size < 2) return 2;
  const second = header[1] as number;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}
