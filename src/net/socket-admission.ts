import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import type { SchedulerLike } from 'rxjs';
import { isRejection, type Rejection } from '../protocol/handshake/rejection.js';
import { encodeRefusal } from '../protocol/handshake/write-response.js';
import { endAndLinger } from './linger.js';
import type { Place } from './listener.js';

/** How many refused sockets may wait or be answered at a time. Further ones are reset without an answer, so a flood costs nothing. */
const MAX_TOLD = 256;

/** Options of {@link SocketAdmission}. */
export interface SocketAdmissionOptions {
  admit(address: string | undefined): Place | Rejection;
  /** Whether TLS comes first. Then no answer can be sent, and the socket is reset. */
  readonly secure: boolean;
  readonly scheduler: SchedulerLike;
  /** A socket was refused. */
  refused(address: string | undefined, rejection: Rejection): void;
}

/**
 * Runs before all 'connection' listeners of a server, including Node's own: a socket that is not admitted gets no HTTP
 * parser, no TLS session and no deadline. An admitted socket counts until it is gone.
 */
export class SocketAdmission {
  readonly #server: HttpServer;
  readonly #options: SocketAdmissionOptions;
  readonly #listeners: ReturnType<HttpServer['listeners']>;
  /** Sockets that wait for a second check, or receive their refusal. */
  readonly #told = new Set<Socket>();

  /** Replaces the current 'connection' listeners of `server`. */
  constructor(server: HttpServer, options: SocketAdmissionOptions) {
    this.#server = server;
    this.#options = options;
    this.#listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#knock(socket));
  }

  #knock(socket: Socket): void {
    const place = this.#options.admit(socket.remoteAddress);
    if (!isRejection(place)) this.#enter(socket, place);
    else if (this.#told.size >= MAX_TOLD) this.#refuse(socket, place, true);
    else this.#wait(socket);
  }

  /** Checks again one turn later: if the system reports both at once, an earlier close may be noticed after the new connection. */
  #wait(socket: Socket): void {
    this.#told.add(socket);
    const onClose = (): void => {
      this.#told.delete(socket);
    };
    // A reset without a listener would end the process.
    const onError = (): void => {};
    socket.on('error', onError).once('close', onClose);
    const decide = (): void => {
      if (socket.destroyed) return;
      if (!this.#server.listening) {
        socket.destroy();
        return;
      }
      const place = this.#options.admit(socket.remoteAddress);
      if (isRejection(place)) {
        this.#refuse(socket, place, this.#options.secure);
        return;
      }
      this.#told.delete(socket);
      socket.off('error', onError).off('close', onClose);
      this.#enter(socket, place);
    };
    // The first runs in the turn in which the socket connected.
    setImmediate(() => setImmediate(decide));
  }

  #enter(socket: Socket, leave: Place): void {
    socket.once('close', leave);
    for (const listener of this.#listeners) Reflect.apply(listener, this.#server, [socket]);
  }

  #refuse(socket: Socket, rejection: Rejection, isMute: boolean): void {
    this.#options.refused(socket.remoteAddress, rejection);
    if (!isMute) endAndLinger(socket, encodeRefusal(rejection), this.#options.scheduler);
    else if (socket.remoteFamily === undefined) socket.destroy();
    // A FIN would leave the port waiting in the kernel.
    else socket.resetAndDestroy();
  }
}
