import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { encodeRefusal, reject } from '../protocol/rejection.js';
import { DeadlineQueue, type Due } from './deadline-queue.js';
import { endAndLinger } from './linger.js';

const tooSlow = encodeRefusal(reject(408, undefined, undefined, 'The handshake took too long.'));

/** The deadline of one socket. Told when time is up, it looks once more in the next turn: what lies in the kernel is read first. */
class Deadline implements Due {
  dueAt = 0;
  place = -1;
  readonly socket: Socket;
  readonly startedAt: number;
  readonly #key: Duplex | string;
  readonly #deadlines: HandshakeDeadlines;
  #isLate = false;

  constructor(key: Duplex | string, socket: Socket, startedAt: number, deadlines: HandshakeDeadlines) {
    this.socket = socket;
    this.startedAt = startedAt;
    this.#key = key;
    this.#deadlines = deadlines;
  }

  due(): void {
    if (this.#isLate) this.#deadlines.expire(this.#key);
    else {
      this.#isLate = true;
      this.#deadlines.queue.add(this, 0);
    }
  }

  /** The socket has closed. */
  readonly onClose = (): void => {
    this.#deadlines.end(this.#key);
  };
}

/**
 * Gives each connection of a server a fixed time for its request, counted from its connect and over TLS: a peer that drips
 * gains nothing. Who is late gets 408, or is destroyed while TLS is not up.
 */
export class HandshakeDeadlines {
  /** One timer for all of them. */
  readonly queue: DeadlineQueue;
  readonly #timeout: number;
  readonly #scheduler: SchedulerLike;
  readonly #secure: boolean;
  readonly #deadlines = new Map<Duplex | string, Deadline>();

  /**
   * @param timeout in milliseconds.
   * @param secure whether TLS comes first.
   */
  constructor(timeout: number, scheduler: SchedulerLike, secure: boolean) {
    this.#timeout = timeout;
    this.#scheduler = scheduler;
    this.#secure = secure;
    this.queue = DeadlineQueue.of(scheduler);
  }

  /** A socket was accepted. */
  begin(socket: Socket): void {
    const startedAt = this.queue.clock();
    if (!this.#secure) this.#start(socket, socket, startedAt);
    // The sockets of a Unix path have no name to find them by: there Node's own deadline for TLS holds.
    else if (socket.remotePort !== undefined) this.#start(nameOf(socket), socket, startedAt);
  }

  /** TLS is up on it: from now on there is somebody to tell. */
  secured(socket: Socket): void {
    const startedAt = this.end(nameOf(socket));
    this.#start(socket, socket, startedAt);
  }

  /** Its request is there. Returns when it had connected. */
  end(key: Duplex | string): number {
    const begun = this.#deadlines.get(key);
    if (begun === undefined) return this.queue.clock();
    this.#deadlines.delete(key);
    this.queue.remove(begun);
    begun.socket.off('close', begun.onClose);
    return begun.startedAt;
  }

  /** Destroys the sockets whose request is not there: nobody would answer it, and nobody else would end them. */
  clear(): void {
    const deadlines = [...this.#deadlines.values()];
    this.#deadlines.clear();
    for (const each of deadlines) {
      this.queue.remove(each);
      each.socket.destroy();
    }
  }

  /** Time is up: while TLS is not, there is nobody to tell. */
  expire(key: Duplex | string): void {
    const late = this.#deadlines.get(key);
    if (late === undefined) return;
    this.end(key);
    if (typeof key === 'string') late.socket.destroy();
    else endAndLinger(late.socket, tooSlow, this.#scheduler);
  }

  #start(key: Duplex | string, socket: Socket, startedAt: number): void {
    const begun = new Deadline(key, socket, startedAt, this);
    this.#deadlines.set(key, begun);
    this.queue.add(begun, Math.max(0, this.#timeout - (this.queue.clock() - startedAt)));
    socket.on('close', begun.onClose);
  }
}

/** The TLS socket and the one below it have the same peer. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
