import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike, Subscription } from 'rxjs';
import { encodeRefusal, reject } from '../protocol/rejection.js';
import { clockOf } from './clock.js';
import { deadline } from './deadline.js';
import { endAndLinger } from './linger.js';

interface Deadline {
  readonly socket: Socket;
  readonly startedAt: number;
  readonly timer: Subscription;
  /** Taken off when the deadline ends: a socket may live long. */
  readonly onClose: () => void;
}

const tooSlow = encodeRefusal(reject(408, undefined, undefined, 'The handshake took too long.'));

/**
 * Gives each connection of a server a fixed time for its request, counted from its connect and over TLS: a peer that drips
 * gains nothing. Who is late gets 408, or is destroyed while TLS is not up.
 */
export class HandshakeDeadlines {
  readonly #timeout: number;
  readonly #scheduler: SchedulerLike;
  readonly #secure: boolean;
  readonly #clock: () => number;
  readonly #deadlines = new Map<Duplex | string, Deadline>();

  /**
   * @param timeout in milliseconds.
   * @param secure whether TLS comes first.
   */
  constructor(timeout: number, scheduler: SchedulerLike, secure: boolean) {
    this.#timeout = timeout;
    this.#scheduler = scheduler;
    this.#secure = secure;
    this.#clock = clockOf(scheduler);
  }

  /** A socket was accepted. */
  begin(socket: Socket): void {
    const startedAt = this.#clock();
    if (!this.#secure) this.#start(socket, socket, startedAt, () => endAndLinger(socket, tooSlow, this.#scheduler));
    // The sockets of a Unix path have no name to find them by: there Node's own deadline for TLS holds.
    else if (socket.remotePort !== undefined) this.#start(nameOf(socket), socket, startedAt, () => socket.destroy());
  }

  /** TLS is up on it: from now on there is somebody to tell. */
  secured(socket: Socket): void {
    const startedAt = this.end(nameOf(socket));
    this.#start(socket, socket, startedAt, () => endAndLinger(socket, tooSlow, this.#scheduler));
  }

  /** Its request is there. Returns when it had connected. */
  end(key: Duplex | string): number {
    const begun = this.#deadlines.get(key);
    if (begun === undefined) return this.#clock();
    this.#deadlines.delete(key);
    begun.timer.unsubscribe();
    begun.socket.off('close', begun.onClose);
    return begun.startedAt;
  }

  /** Destroys the sockets whose request is not there: nobody would answer it, and nobody else would end them. */
  clear(): void {
    const deadlines = [...this.#deadlines.values()];
    this.#deadlines.clear();
    for (const { socket, timer } of deadlines) {
      timer.unsubscribe();
      socket.destroy();
    }
  }

  #start(key: Duplex | string, socket: Socket, startedAt: number, expire: () => void): void {
    const left = Math.max(0, this.#timeout - (this.#clock() - startedAt));
    const timer = deadline(this.#scheduler, left, () => {
      this.#deadlines.delete(key);
      expire();
    });
    const onClose = (): void => {
      this.end(key);
    };
    this.#deadlines.set(key, { socket, startedAt, timer, onClose });
    socket.on('close', onClose);
  }
}

/** The TLS socket and the one below it have the same peer. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
