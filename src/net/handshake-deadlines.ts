import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { DeadlineQueue, type Due } from '../base/deadline-queue.js';
import { type Enrolled, Roster } from '../base/roster.js';
import { reject } from '../protocol/handshake/rejection.js';
import { encodeRefusal } from '../protocol/handshake/write-response.js';
import { endAndLinger } from './linger.js';

const tooSlow = encodeRefusal(reject(408, undefined, undefined, 'The handshake took too long.'));

/** The symbol under which a socket keeps its deadline, so that all sockets share one listener. */
const deadlineSymbol: unique symbol = Symbol('deadline');

/** A socket that has not sent its request yet. */
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
  /** The remote end, by which the TLS socket finds it before TLS is established. Not unique: local ends may differ. */
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

  /** Stops waiting for the request. */
  stop(): void {
    this.#deadlines.stop(this);
  }
}

function onClose(this: TimedSocket): void {
  this[deadlineSymbol]?.stop();
}

/**
 * Gives each connection of a server a fixed time to send its request, counted from the TCP connection and including TLS. A peer that
 * drips bytes gains nothing. A late peer gets 408, or its socket is destroyed if TLS is not established.
 */
export class HandshakeDeadlines {
  /** One timer for all deadlines. */
  readonly queue: DeadlineQueue;
  readonly #timeout: number;
  readonly #scheduler: SchedulerLike;
  readonly #secure: boolean;
  readonly #deadlines = new Roster<Deadline>();
  /** Deadlines of sockets without established TLS, the oldest first under each name. */
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

  /** Starts the deadline of an accepted socket. */
  begin(socket: Socket): void {
    const startedAt = this.queue.clock();
    if (!this.#secure) this.#start(socket, startedAt, this.#timeout);
    // Unix sockets have no name to find them by. Node's own TLS deadline applies to them.
    else if (socket.remotePort !== undefined) this.#start(socket, startedAt, this.#timeout, nameOf(socket));
  }

  /** TLS is established on `socket`: from now on a refusal can be sent. */
  secured(socket: Socket): void {
    const begun = this.#begunBelow(socket);
    if (begun !== undefined) this.stop(begun);
    const now = this.queue.clock();
    const startedAt = begun?.startedAt ?? now;
    this.#start(socket, startedAt, Math.max(0, this.#timeout - (now - startedAt)));
  }

  /** The request of `socket` has arrived. Returns the time at which the peer connected. */
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

  /** Destroys the sockets that have not sent a request: it would get no answer, and nothing else would end them. */
  clear(): void {
    for (const each of this.#deadlines) {
      this.stop(each);
      each.socket.destroy();
    }
  }

  /** Ends a late socket. Without established TLS no response can be sent. */
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
   * Finds the deadline of the socket under a TLS socket: both have the same two ends. The local end is read only if the remote end is
   * ambiguous, because both sockets would keep it for as long as they live. If two have the same ends, the first is gone.
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

/** The remote end of a connection. A client may connect from one port to several of ours. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
