import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { clockOf } from '../base/clock.js';
import { complain } from '../base/mistake.js';
import { report } from '../base/report.js';
import type { BytePort } from '../channel/byte-port.js';
import type { KeptRequest } from '../connection/facts.js';
import { UsageError } from '../protocol/errors.js';
import type { UpgradeAnswer } from '../protocol/handshake/negotiation.js';
import type { RequestHead } from '../protocol/handshake/read-request.js';
import type { Rejection } from '../protocol/handshake/rejection.js';
import { encodeAnswer, encodeRefusal } from '../protocol/handshake/write-response.js';
import './diagnostics.js';
import { endAndLinger } from './linger.js';
import { RequestRecord } from './request-record.js';
import { SocketPort } from './socket-port.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** How much is read from a peer while hooks decide about it, in bytes. */
export const EARLY_LIMIT = 65_536;

/** How long a connection is silent before TCP probes the peer, in milliseconds. */
const KEEP_ALIVE_MS = 60_000;

/** An {@link UpgradeRequest} over HTTP/1.1, from the arguments of Node's 'upgrade' event. Must be created inside that event. */
export class SocketUpgrade implements UpgradeRequest {
  readonly startedAt: number;
  readonly isAdmitted: boolean;
  readonly #request: IncomingMessage;
  /** Whether the application may have seen the request. On servers of the application this is always true. */
  #isShown: boolean;
  readonly #socket: Duplex;
  readonly #scheduler: SchedulerLike;
  #head: Buffer;
  #early: Buffer[] = [];
  #gone = false;
  /** Bytes written when the hooks started, on servers of the application: another listener may answer meanwhile. */
  #written: number | undefined;
  #unwatch: (() => void) | undefined;

  readonly #onError = (): void => {
    this.#gone = true;
  };

  /** @param startedAt when the peer connected; undefined except on own servers. */
  constructor(request: IncomingMessage, socket: Duplex, head: Buffer, scheduler: SchedulerLike, startedAt?: number) {
    this.#request = request;
    this.#isShown = startedAt === undefined;
    this.startedAt = startedAt ?? clockOf(scheduler)();
    this.isAdmitted = startedAt !== undefined;
    this.#socket = socket;
    this.#head = head;
    this.#scheduler = scheduler;
    // Node has removed its own listener. Without this one a reset would end the process.
    socket.on('error', this.#onError);
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0);
    if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true);
  }

  /** Whether another listener has answered since. Then the socket must be left alone. */
  get #isLost(): boolean {
    if (this.#written === undefined || this.#gone) return false;
    return this.#socket.writableEnded || bytesWrittenTo(this.#socket) !== this.#written;
  }

  get head(): RequestHead {
    const { method, url, httpVersion, rawHeaders } = this.#request;
    return {
      method: method as string,
      path: url as string,
      httpVersion,
      rawHeaders,
      isTruncated: isTruncated(this.#request),
    };
  }

  get request(): IncomingMessage {
    this.#isShown = true;
    return this.#request;
  }

  get kept(): KeptRequest {
    return this.#isShown
      ? { url: this.#request.url as string, request: this.#request }
      : new RequestRecord(this.#request, this.#socket);
  }

  get remoteAddress(): string | undefined {
    return 'remoteAddress' in this.#socket ? (this.#socket.remoteAddress as string | undefined) : undefined;
  }

  get localAddress(): string | undefined {
    return 'localAddress' in this.#socket ? (this.#socket.localAddress as string | undefined) : undefined;
  }

  get secure(): boolean {
    return 'encrypted' in this.#socket && this.#socket.encrypted === true;
  }

  get hasClientCertificate(): boolean {
    const socket = this.#socket;
    if (!('getPeerCertificate' in socket) || typeof socket.getPeerCertificate !== 'function') return false;
    const certificate: unknown = socket.getPeerCertificate();
    return typeof certificate === 'object' && certificate !== null && Object.keys(certificate).length > 0;
  }

  whenClosed(closed: () => void): void {
    if (this.#socket.closed) closed();
    else this.#socket.once('close', closed);
  }

  watch(onGone: () => void): void {
    const socket = this.#socket;
    let size = this.#head.length;
    if (!this.isAdmitted) this.#written = bytesWrittenTo(socket);
    const onData = (chunk: Buffer): void => {
      this.#early.push(chunk);
      size += chunk.length;
      if (size < EARLY_LIMIT) return;
      if (this.#isLost) this.#unwatch?.();
      else socket.pause();
    };
    const onEnd = (): void => {
      const isLost = this.#isLost;
      this.#gone = true;
      this.#unwatch?.();
      onGone();
      if (!isLost) socket.destroy();
    };
    this.#unwatch = () => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      this.#unwatch = undefined;
    };
    socket.on('data', onData).once('end', onEnd).once('close', onEnd);
    socket.resume();
  }

  accept(answer: UpgradeAnswer, keepAlive: boolean): BytePort | undefined {
    this.#unwatch?.();
    const socket = this.#socket;
    if (this.#isLost) {
      reportLost();
      return undefined;
    }
    if (this.#gone || !socket.readable || !socket.writable) {
      socket.destroy();
      return undefined;
    }
    // Paused until the port is opened, so that bytes that arrive meanwhile follow the early ones.
    socket.pause();
    if (keepAlive && 'setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') {
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
    }
    socket.write(encodeAnswer(answer), 'latin1');
    const port = new SocketPort(
      socket,
      this.#early.length === 0 ? this.#head : Buffer.concat([this.#head, ...this.#early]),
    );
    socket.off('error', this.#onError);
    return port;
  }

  refuse(rejection: Rejection): void {
    this.#unwatch?.();
    this.#early = [];
    if (this.#isLost) {
      reportLost();
      return;
    }
    const response = encodeRefusal(rejection);
    // RFC 9110 §9.3.2: the answer to HEAD has no body.
    const last = this.#request.method === 'HEAD' ? response.slice(0, response.indexOf('\r\n\r\n') + 4) : response;
    endAndLinger(this.#socket, last, this.#scheduler);
  }
}

/** Returns the bytes written to `socket`; undefined for a stream that is not a socket. */
function bytesWrittenTo(socket: Duplex): number | undefined {
  return 'bytesWritten' in socket ? (socket.bytesWritten as number) : undefined;
}

function reportLost(): void {
  const message = 'another listener answered an upgrade while its hooks decided: the socket is left to that listener';
  report('server-error', { error: new UsageError('ALREADY_UPGRADED', message) });
  complain(undefined, { kind: 'upgrade', key: 'lost', message });
}

/** Entries of `rawHeaders` that Node keeps if the server sets no `maxHeadersCount`, two for each field. */
const MAX_ENTRIES = 2_000;

/** Entries that Node's parser delivers at a time. Only entries after the first batch can be dropped. */
const BATCH = 62;

/** Whether Node may have dropped header fields. It drops those above `maxHeadersCount` of the server silently. */
export function isTruncated({ rawHeaders, socket }: IncomingMessage): boolean {
  const { server } = socket as { server?: { maxHeadersCount?: number | null } };
  const count = server?.maxHeadersCount;
  const limit = typeof count === 'number' ? 2 * count : MAX_ENTRIES;
  return limit > 0 && rawHeaders.length >= Math.max(limit, BATCH);
}
