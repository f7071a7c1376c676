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

/** Pieces of up to this total size are joined before they are written, which is cheaper than a vectored write. In bytes. */
const JOIN_LIMIT = 16_384;

const NOTHING = Buffer.alloc(0);

/** The symbol under which a socket keeps its port, so that all sockets share their listeners: closures would cost 0.5 KiB each. */
const portSymbol: unique symbol = Symbol('port');

/** A socket that a port listens to. */
interface PortSocket extends Duplex {
  [portSymbol]: SocketPort;
  /** Node's own state. It records errors here too, and a stream with an error stops reading. */
  readonly _readableState?: { errored?: Error | null };
}

/** A {@link BytePort} over a TCP, TLS or Unix socket, or over any other Duplex. */
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
  /** Bytes given to `write` after the socket stopped being writable. */
  #unwritten = 0;
  #written: ((error?: Error | null) => void) | undefined;
  #head: Buffer | undefined;

  /**
   * @param head bytes that were read after the handshake, delivered before all others.
   */
  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket as PortSocket;
    this.#socket[portSymbol] = this;
    const plain = socket instanceof Socket && !('encrypted' in socket && socket.encrypted === true);
    this.synchronous = plain;
    this.#resettable = plain && socket.remoteFamily !== undefined;
    // Needed from the start: without a listener a reset would end the process.
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

  /** Receives bytes: the first `length` of `memory`. @internal */
  received(memory: Buffer, length: number): void {
    beginReceiving();
    try {
      this.#events?.bytes(memory, length);
    } finally {
      endReceiving();
    }
  }

  /** The socket emitted 'end'. @internal */
  ended(): void {
    this.#events?.ended();
  }

  /** The socket emitted 'error'; 'close' follows. @internal */
  failed(error: Error): void {
    this.#error ??= error;
  }

  /**
   * A write has failed, and Node is about to destroy the socket, with all bytes that can still be read.
   *
   * @returns whether the socket is kept, so that they can be read.
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

  /** The socket emitted 'close'. @internal */
  closed(): void {
    if (!this.#isTerminated) this.#deliverRest();
    this.#events?.closed(this.#error);
  }

  write(pieces: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (!socket.writable) {
      // Callers that send in a loop notice at once that nothing is sent. `broken` or `closed` follows.
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
    // Calls back after all queued writes. A callback for each write would cost 0.2 us, and most writes have completed by now.
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

  /** Delivers what the stream buffered while it was paused: a destroyed stream does not emit it. */
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

  /** A write has completed. Earlier writes of the same tick report late, so only an empty queue counts. */
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
 * Replaces `destroy` of a socket. Node calls it when a write fails, which says nothing about what the peer sent before: a peer that is
 * gone answers every write with a reset, and its last messages and its Close frame may still be unread.
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
