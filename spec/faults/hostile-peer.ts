/** A peer that means no good: raw bytes over TCP, with or without reading what comes back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type HandshakeParts, handshake } from '../support/raw-client.js';

/** How a hostile peer begins. */
export interface PeerOptions {
  /** What the server does with its connection: see `subject/main.mjs`. @default '/echo' */
  readonly path?: string;
  /** Whether it goes on reading behind the handshake. @default true */
  readonly reads?: boolean;
  /** Offers permessage-deflate with these parameters: `''` for none. */
  readonly deflate?: string;
}

/** One TCP connection. */
export class HostilePeer {
  readonly socket: Socket;
  /** Of the answer to the handshake, once it came. */
  status: number | undefined;
  /** Bytes that came behind it. */
  receivedBytes = 0;
  /** The last bytes that came: at most 256, among them the close frame. */
  tail: Buffer = Buffer.alloc(0);

  #head: Buffer = Buffer.alloc(0);
  #onHead: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#took(chunk));
    socket.on('error', () => socket.destroy());
  }

  /** Connects and shakes hands. @throws Error when the answer is not 101. */
  static async open(port: number, options: PeerOptions = {}): Promise<HostilePeer> {
    const peer = await HostilePeer.request(port, options);
    await peer.#response();
    if (peer.status !== 101) throw new Error(`the handshake was answered with ${peer.status}`);
    if (options.reads === false) peer.socket.pause();
    return peer;
  }

  /** Connects and asks for a handshake, without waiting for the answer. */
  static async request(port: number, { path = '/echo', deflate }: PeerOptions = {}): Promise<HostilePeer> {
    const extension = deflate === undefined ? undefined : `permessage-deflate${deflate === '' ? '' : `; ${deflate}`}`;
    const peer = await HostilePeer.connect(port);
    const parts: HandshakeParts = { path, headers: { 'Sec-WebSocket-Extensions': extension } };
    peer.socket.write(handshake(parts), 'latin1');
    return peer;
  }

  /** Connects, and says nothing. */
  static async connect(port: number): Promise<HostilePeer> {
    const socket = connect(port, '127.0.0.1');
    const peer = new HostilePeer(socket);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return peer;
  }

  /** Opens several, a few at a time. */
  static async openMany(port: number, count: number, options: PeerOptions = {}): Promise<HostilePeer[]> {
    const peers: HostilePeer[] = [];
    while (peers.length < count) {
      const some = Math.min(50, count - peers.length);
      peers.push(...(await Promise.all(Array.from({ length: some }, () => HostilePeer.open(port, options)))));
    }
    return peers;
  }

  /** Bytes that were handed to the kernel, the handshake included. */
  get sentBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }

  /** The code of the close frame that came last; 0 for none. */
  get closeCode(): number {
    // A close frame is the last that comes, and its reason is text: the first byte of one that fits to the end is its header.
    for (let at = this.tail.length - 2; at >= 0; at--) {
      if (this.tail[at] !== 0x88 || at + 2 + this.tail[at + 1]! !== this.tail.length) continue;
      return this.tail[at + 1]! >= 2 ? this.tail.readUInt16BE(at + 2) : 1005;
    }
    return 0;
  }

  /**
   * Writes `bytes` as often as `times` says, as fast as they are taken; stops when the connection ends, or nothing was taken for
   * `patienceMillis`.
   *
   * @returns how many bytes were handed to the kernel.
   */
  async flood(bytes: Uint8Array, times = 1, patienceMillis = 2_000): Promise<number> {
    const before = this.sentBytes;
    for (let i = 0; i < times && this.socket.writable; i++) {
      if (!this.socket.write(bytes) && !(await this.#drained(patienceMillis))) break;
    }
    return this.sentBytes - before;
  }

  /** Waits until the server ends the connection. @throws Error after `seconds`. */
  async gone(seconds = 30): Promise<void> {
    this.socket.resume();
    if (this.socket.destroyed) return;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`still there after ${seconds} s`)), seconds * 1000);
      this.socket.once('close', () => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Goes without a word. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Whether what was written is with the kernel; `false` when it is not within the time, or the connection ends. */
  async #drained(millis: number): Promise<boolean> {
    const { socket } = this;
    return new Promise((resolve) => {
      const settle = (value: boolean) => (): void => {
        clearTimeout(timer);
        socket.off('drain', drained).off('close', ended);
        resolve(value);
      };
      const [drained, ended] = [settle(true), settle(false)];
      const timer = setTimeout(ended, millis);
      socket.once('drain', drained).once('close', ended);
    });
  }

  /** Waits for the head of the answer. */
  #response(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onHead = resolve;
      this.socket.once('close', () => reject(new Error('the connection ended before the handshake was answered')));
    });
  }

  #took(chunk: Buffer): void {
    if (this.status === undefined) {
      this.#takeHead(chunk);
      return;
    }
    this.receivedBytes += chunk.length;
    this.tail = Buffer.concat([this.tail, chunk.subarray(-256)]).subarray(-256);
  }

  #takeHead(chunk: Buffer): void {
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.status = Number(this.#head.toString('latin1').split(' ')[1]);
    const rest = this.#head.subarray(end + 4);
    this.#head = Buffer.alloc(0);
    this.#onHead();
    if (rest.length > 0) this.#took(rest);
  }
}

/** Opens `count` connections that flood at the same time. */
export async function floodFrom(
  port: number,
  count: number,
  { bytes, times = 1, patienceMillis, ...options }: PeerOptions & Flood,
): Promise<readonly HostilePeer[]> {
  const peers = await HostilePeer.openMany(port, count, options);
  await Promise.all(peers.map((peer) => peer.flood(bytes, times, patienceMillis)));
  return peers;
}

/** What each of several peers writes, how often, and how long it waits for it to be taken. */
export interface Flood {
  readonly bytes: Uint8Array;
  readonly times?: number;
  readonly patienceMillis?: number;
}
