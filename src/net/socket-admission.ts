import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import type { SchedulerLike } from 'rxjs';
import { isRejection, type Rejection } from '../protocol/handshake/rejection.js';
import { encodeRefusal } from '../protocol/handshake/write-response.js';
import { endAndLinger } from './linger.js';
import type { Place } from './listener.js';

/** Sockets that are being told, at a time. Those beyond are reset without a word, so that a flood of them takes nothing. */
const MAX_TOLD = 256;

/** How the sockets of a server are admitted. */
export interface SocketAdmissionOptions {
  admit(address: string | undefined): Place | Rejection;
  /** Whether TLS comes first: then nothing can be said, and the socket is reset. */
  readonly secure: boolean;
  readonly scheduler: SchedulerLike;
  /** A socket was refused. */
  refused(address: string | undefined, rejection: Rejection): void;
}

/**
 * Stands before all that listens to 'connection' of a server, Node's own listeners too: a socket that is not admitted gets no HTTP
 * parser, no TLS session and no deadline. What was admitted counts until it is gone.
 */
export class SocketAdmission {
  readonly #server: HttpServer;
  readonly #options: SocketAdmissionOptions;
  readonly #listeners: ReturnType<HttpServer['listeners']>;
  /** Sockets that wait for their second chance or read their refusal. */
  readonly #told = new Set<Socket>();

  /** Takes the place of the listeners that are there now. */
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

  /** Who left before may be noticed after who comes, when the system tells of both at once. Another turn of the loop knows. */
  #wait(socket: Socket): void {
    this.#told.add(socket);
    const onClose = (): void => {
      this.#told.delete(socket);
    };
    // Without a listener a reset would end the process.
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
    // The first is still in the turn in which it came.
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
    // No FIN: it would leave the port waiting in the kernel.
    else socket.resetAndDestroy();
  }
}
