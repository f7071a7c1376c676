import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BytePort, Flushable, PortEvents } from '../channel/byte-port.js';
import { beginReceiving, endReceiving, scheduleFlush } from '../channel/flush-queue.js';
import { currentTurn, isTurnOver, later } from '../channel/turns.js';
import { readMemory } from '../protocol/frame/read-memory.js';
import './diagnostics.js';
import { readDirectly } from './direct-read.js';
import { unstoppedReader } from './tls-reading.js';
import { unsentOf } from './unsent.js';

/** Pieces of up to this size in all are joined before they are written: cheaper than a vectored write. In bytes. */
const JOIN_LIMIT = 16_384;

const NOTHING = Buffer.alloc(0);

/** Under this symbol a socket carries its port, so that all sockets share their listeners: closures would cost 0.5 KiB each. */
const portSymbol: unique symbol = Symbol('port');

/** A socket that a port listens to. */
interface PortSocket extends Duplex {
  [portSymbol]: SocketPort;
  /** Of Node: what failed is noted here too, and a stream that has failed reads no more. */
  readonly _readableState?: { errored?: Error | null };
}

/** A {@link BytePort} over a socket of TCP, TLS or a Unix path, or over any other Duplex. */
export class SocketPort implements BytePort {
  readonly synchronous: boolean;
  readonly #socket: PortSocket;
  /** Only plain TCP can be reset: `resetAndDestroy` throws on TLS and on pipes. */
  readonly #resettable: boolean;
  #error: Error | undefined;
  #events: PortEvents | undefined;
  #writing = false;
  /** Whether a write has failed. */
  #isBroken = false;
  #isTerminated = false;
  /** What was given after that, in bytes. */
  #unwritten = 0;
  #written: ((error?: Error | null) => void) | undefined;
  #head: Buffer | undefined;

  /**
   * @param head bytes that were read behind the handshake, delivered before all others.
   */
  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket as PortSocket;
    this.#socket[portSymbol] = this;
    const plain = socket instanceof Socket && !('encrypted' in socket && socket.encrypted === true);
    this.synchronous = plain;
    this.#resettable = plain && socket.remoteFamily !== undefined;
    // From the first moment on: without this one a reset ends the process.
    socket.on('error', onError);
    // The peer's FIN must not end our side: its Close frame may still wait for demand, and be answered then.
    socket.allowHalfOpen = true;
    if (socket instanceof Socket) socket.destroy = destroy;
    if (head.length > 0) this.#head = head;
  }

  get pending(): number {
    return this.#socket.writableLength + this.#unwritten;
  }

  get unsent(): number {
    return unsentOf(this.#socket);
  }

  open(events: PortEvents): void {
    const socket = this.#socket;
    this.#events = events;
    if (socket.destroyed) {
      process.nextTick(() => events.closed(this.#error));
      return;
    }
    if (this.#head !== undefined) process.nextTick(() => this.#deliverHead());
    if (!(this.synchronous && readDirectly(socket as PortSocket & Socket, onRead))) socket.on('data', onData);
    socket.on('end', onEnd).on('close', onClose);
    socket.resume();
  }

  /** Bytes came: the first `length` of `memory`. @internal */
  received(memory: Buffer, length: number): void {
    beginReceiving();
    try {
      this.#events?.bytes(memory, length);
    } finally {
      endReceiving();
    }
  }

  /** It emitted 'end'. @internal */
  ended(): void {
    this.#events?.ended();
  }

  /** It emitted 'error': 'close' follows. @internal */
  failed(error: Error): void {
    this.#error ??= error;
  }

  /**
   * A write has failed, and Node is about to destroy the socket for it, with all that can still be read.
   *
   * @returns whether it is kept for that.
   * @internal
   */
  keepsReading(error: Error): boolean {
    if (this.#isBroken) return true;
    const socket = this.#socket;
    if (this.#events === undefined || !socket.readable) return false;
    this.#isBroken = true;
    this.#error ??= error;
    if (socket._readableState !== undefined) Reflect.set(socket._readableState, 'errored', null);
    this.#events.broken(error);
    return true;
  }

  /** It emitted 'close'. @internal */
  closed(): void {
    if (!this.#isTerminated) this.#deliverRest();
    this.#events?.closed(this.#error);
  }

  write(pieces: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (!socket.writable) {
      // Those who send in a loop learn at once that nothing leaves; `broken` or `closed` follows.
      if (!socket.writableEnded) for (const { length } of pieces) this.#unwritten += length;
      return;
    }
    const written = this.synchronous ? undefined : this.#ownWritten();
    if (pieces.length === 1) socket.write(pieces[0], written);
    else if (fitsJoined(pieces)) socket.write(Buffer.concat(pieces), written);
    else {
      socket.cork();
      for (const piece of pieces) socket.write(piece, written);
      socket.uncork();
    }
    if (socket.writableLength === 0) return;
    this.#writing = true;
    // Calls back behind all that waits. A callback for each write would cost 0.2 us, and most have left by now.
    if (this.synchronous) socket.write(NOTHING, this.#ownWritten());
  }

  pause(): void {
    this.#socket.pause();
    if (!this.synchronous) unstoppedReader(this.#socket)?.readStop();
  }

  resume(): void {
    this.#socket.resume();
    if (!this.synchronous) unstoppedReader(this.#socket)?.readStart();
  }

  end(): void {
    if (this.#isBroken) this.#socket.destroy();
    else if (!this.#socket.writableEnded) this.#socket.end();
  }

  terminate(): void {
    const socket = this.#socket;
    this.#isTerminated = true;
    if (this.#resettable && socket instanceof Socket) socket.resetAndDestroy();
    else socket.destroy();
  }

  schedule(task: Flushable): void {
    scheduleFlush(task);
  }

  get currentTurn(): number {
    return currentTurn();
  }

  isTurnOver(now: number): boolean {
    return isTurnOver(now);
  }

  defer(task: () => void): void {
    later(task);
  }

  #ownWritten(): (error?: Error | null) => void {
    this.#written ??= (error) => {
      if (error == null) this.#left();
    };
    return this.#written;
  }

  /** A stream that is destroyed keeps to itself what waited in it while it was paused. */
  #deliverRest(): void {
    for (let rest: unknown = this.#socket.read(); rest instanceof Buffer; rest = this.#socket.read()) {
      this.received(rest, rest.length);
    }
  }

  #deliverHead(): void {
    const head = this.#head as Buffer;
    this.#head = undefined;
    if (!this.#socket.destroyed) this.received(head, head.length);
  }

  /** Earlier writes of the same tick report late: what counts is that nothing is left. */
  #left(): void {
    if (!this.#writing || this.#socket.writableLength > 0) return;
    this.#writing = false;
    this.#events?.drained();
  }
}

function onData(this: PortSocket, chunk: Buffer): void {
  this[portSymbol].received(chunk, chunk.length);
}

function onRead(this: Socket, length: number): void {
  (this as unknown as PortSocket)[portSymbol].received(readMemory, length);
}

function onEnd(this: PortSocket): void {
  this[portSymbol].ended();
}

function onError(this: PortSocket, error: Error): void {
  this[portSymbol].failed(error);
}

function onClose(this: PortSocket): void {
  this[portSymbol].closed();
}

/**
 * In the place of `destroy` of a socket. Node calls it when a write fails, which says nothing about what the peer sent before: the answer
 * of a peer that has gone to anything that is written is a reset, and its last messages and its Close frame may not be read yet.
 */
function destroy(this: Socket, error?: Error): Socket {
  const { syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (error !== undefined && syscall === 'write' && (this as unknown as PortSocket)[portSymbol].keepsReading(error))
    return this;
  return Reflect.apply(Object.getPrototypeOf(this).destroy, this, [error]);
}

function fitsJoined(pieces: readonly Uint8Array[]): boolean {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  return size <= JOIN_LIMIT;
}
