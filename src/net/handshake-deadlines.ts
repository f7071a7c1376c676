import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { DeadlineQueue, type Due } from '../base/deadline-queue.js';
import { type Enrolled, Roster } from '../base/roster.js';
import { reject } from '../protocol/handshake/rejection.js';
import { encodeRefusal } from '../protocol/handshake/write-response.js';
import { endAndLinger } from './linger.js';

const tooSlow = encodeRefusal(reject(408, undefined, undefined, 'The handshake took too long.'));

/** Under this symbol a socket carries its deadline, so that all share one listener. */
const deadlineSymbol: unique symbol = Symbol('deadline');

/** A socket whose request is waited for. */
interface TimedSocket {
  [deadlineSymbol]?: Deadline | undefined;
}

/** The deadline of one socket. */
class Deadline implements Due, Enrolled {
  dueAt = 0;
  place = -1;
  rank = -1;
  readonly socket: Socket;
  readonly startedAt: number;
  /** By which the TLS socket finds it, while TLS is not up: the other end. Several may have the same, on other ends of ours. */
  readonly name: string | undefined;
  readonly #deadlines: HandshakeDeadlines;

  constructor(socket: Socket, startedAt: number, name: string | undefined, deadlines: HandshakeDeadlines) {
    this.socket = socket;
    this.startedAt = startedAt;
    this.name = name;
    this.#deadlines = deadlines;
  }

  due(): void {
    this.#deadlines.expire(this);
  }

  /** It is waited for no more. */
  stop(): void {
    this.#deadlines.stop(this);
  }
}

function onClose(this: TimedSocket): void {
  this[deadlineSymbol]?.stop();
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
  readonly #deadlines = new Roster<Deadline>();
  /** Those of sockets on which TLS is not up, the oldest first under each name. */
  readonly #byName = new Map<string, Deadline[]>();

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
    if (!this.#secure) this.#start(socket, startedAt, this.#timeout);
    // The sockets of a Unix path have no name to find them by: there Node's own deadline for TLS holds.
    else if (socket.remotePort !== undefined) this.#start(socket, startedAt, this.#timeout, nameOf(socket));
  }

  /** TLS is up on it: from now on there is somebody to tell. */
  secured(socket: Socket): void {
    const begun = this.#begunBelow(socket);
    if (begun !== undefined) this.stop(begun);
    const now = this.queue.clock();
    const startedAt = begun?.startedAt ?? now;
    this.#start(socket, startedAt, Math.max(0, this.#timeout - (now - startedAt)));
  }

  /** Its request is there. Returns when it had connected. */
  end(socket: Duplex): number {
    const begun = (socket as TimedSocket)[deadlineSymbol];
    if (begun === undefined) return this.queue.clock();
    this.stop(begun);
    return begun.startedAt;
  }

  /** Forgets `begun`. */
  stop(begun: Deadline): void {
    const { socket, name } = begun;
    (socket as TimedSocket)[deadlineSymbol] = undefined;
    socket.off('close', onClose);
    if (name !== undefined) this.#forgetName(name, begun);
    this.#deadlines.delete(begun);
    this.queue.remove(begun);
  }

  /** Destroys the sockets whose request is not there: nobody would answer it, and nobody else would end them. */
  clear(): void {
    for (const each of this.#deadlines) {
      this.stop(each);
      each.socket.destroy();
    }
  }

  /** Time is up: while TLS is not, there is nobody to tell. */
  expire(late: Deadline): void {
    this.stop(late);
    if (late.name !== undefined) late.socket.destroy();
    else endAndLinger(late.socket, tooSlow, this.#scheduler);
  }

  #start(socket: Socket, startedAt: number, left: number, name?: string): void {
    const begun = new Deadline(socket, startedAt, name, this);
    (socket as TimedSocket)[deadlineSymbol] = begun;
    if (name !== undefined) this.#byName.set(name, [...(this.#byName.get(name) ?? []), begun]);
    this.#deadlines.add(begun);
    this.queue.add(begun, left);
    socket.on('close', onClose);
  }

  /**
   * The deadline of the socket below a TLS socket: both have the same two ends. Our end is asked for only where the other end does not
   * tell, since both sockets would keep it for as long as they live. Of two with the same ends the first has gone.
   */
  #begunBelow(secured: Socket): Deadline | undefined {
    const candidates = this.#byName.get(nameOf(secured));
    if (candidates === undefined || candidates.length < 2) return candidates?.[0];
    const { localAddress, localPort } = secured;
    return candidates.findLast(({ socket }) => socket.localAddress === localAddress && socket.localPort === localPort);
  }

  #forgetName(name: string, begun: Deadline): void {
    const left = this.#byName.get(name)?.filter((other) => other !== begun) ?? [];
    if (left.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, left);
  }
}

/** The other end of a connection. A client may use one port for several of ours. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
