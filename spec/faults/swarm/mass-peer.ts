/** A WebSocket client that costs next to nothing, so that one process can be thousands: short frames only. */
import { createConnection, type Socket } from 'node:net';
import { handshake } from '../../support/raw-client.js';

const REQUEST = Buffer.from(handshake(), 'latin1');
const ACCEPTED = Buffer.from('HTTP/1.1 101 ', 'latin1');
const NO_MASK = [0, 0, 0, 0];

/** What is told of a peer. */
export interface MassPeerEvents {
  /** A message of at most 125 bytes. */
  message?(text: string): void;
  /** A Close frame. */
  close?(code: number): void;
  /** The transport is gone. */
  gone?(): void;
}

/** Frames of at most 125 bytes, with a mask of zeros. */
export function shortFrame(opcode: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length, ...NO_MASK]), body]);
}

/** One connection. It answers pings, and Close frames. */
export class MassPeer {
  readonly socket: Socket;
  /** Whether the handshake is done. */
  isOpen = false;
  /** Whether it leaves pings and Close frames without an answer. */
  isMute = false;
  events: MassPeerEvents = {};
  #rest: Buffer = Buffer.alloc(0);
  #onOpen: (isOpen: boolean) => void = () => {};

  private constructor(port: number) {
    this.socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('connect', () => this.socket.write(REQUEST));
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#onOpen(false);
      this.events.gone?.();
    });
  }

  /** Resolves to `undefined` when the server refuses, or resets. */
  static async open(port: number): Promise<MassPeer | undefined> {
    const peer = new MassPeer(port);
    const isOpen = await new Promise<boolean>((resolve) => {
      peer.#onOpen = resolve;
    });
    if (!isOpen) peer.socket.destroy();
    return isOpen ? peer : undefined;
  }

  send(text: string): void {
    this.socket.write(shortFrame(0x1, text));
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.isOpen) {
      const end = bytes.indexOf('\r\n\r\n');
      this.#rest = bytes;
      if (end === -1) return;
      this.isOpen = bytes.subarray(0, 13).equals(ACCEPTED);
      this.#onOpen(this.isOpen);
      if (!this.isOpen) return;
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    while (at + 2 <= bytes.length) {
      const size = bytes.readUInt8(at + 1);
      if (size > 125) throw new RangeError(`found a frame of length ${size}, a mass peer reads at most 125 bytes`);
      if (at + 2 + size > bytes.length) break;
      this.#frame(bytes.readUInt8(at) & 0xf, bytes.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
    this.#rest = bytes.subarray(at);
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === 0x1) this.events.message?.(payload.toString('latin1'));
    if (this.isMute) return;
    if (opcode === 0x9) this.socket.write(shortFrame(0xa, payload));
    if (opcode !== 0x8) return;
    this.socket.end(shortFrame(0x8, payload));
    this.events.close?.(payload.length < 2 ? 1005 : payload.readUInt16BE(0));
  }
}

/** Calls `work` for 0 to `count` - 1, so many at a time. */
export async function inParallel(
  count: number,
  width: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}

/** Milliseconds of a clock that all processes of this machine share, and that no one sets. */
export function machineMillis(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
