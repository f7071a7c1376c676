import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Observable } from 'rxjs';
import { HookAnswerError } from '../base/hook-answer.js';
import { plainUrl } from '../base/inspect.js';
import { report } from '../base/report.js';
import { describeThrown, propertyOf } from '../base/thrown.js';
import type { BytePort } from '../channel/byte-port.js';
import { nextHandshakeKey } from '../channel/random.js';
import { HandshakeError } from '../protocol/errors.js';
import type { Agreement } from '../protocol/handshake/negotiation.js';
import { readUpgradeResponse } from '../protocol/handshake/read-response.js';
import { invalidAnswer } from '../protocol/handshake/response-head.js';
import type { Target } from '../protocol/handshake/target-url.js';
import { encodeRequestHeaders } from '../protocol/handshake/write-request.js';
import { beginRequest, type DialRequest } from './client-request.js';
import { nextHop } from './redirect.js';
import { readRefusal } from './refusal-body.js';
import { SocketPort } from './socket-port.js';

/** A handshake that the server accepted. */
export interface Dialed {
  readonly port: BytePort;
  readonly agreement: Agreement;
  readonly response: IncomingMessage;
  /** The target after all redirects. */
  readonly target: Target;
  readonly remoteAddress: string | undefined;
}

/**
 * Opens a socket and performs the opening handshake of RFC 6455 §4.1. Emits once and completes. Errors with a `HandshakeError`, or
 * with Node's own error if it could not connect. Unsubscribing before it emits aborts the attempt in any phase.
 */
export function dial(request: DialRequest): Observable<Dialed> {
  return new Observable((subscriber) => {
    let abort = (): void => {};
    const attempt = (hop: DialRequest): void => {
      abort = dialOnce(hop, {
        opened: (dialed) => {
          abort = (): void => {};
          subscriber.next(dialed);
          subscriber.complete();
        },
        redirected: (response) => {
          try {
            attempt(nextHop(hop, response));
          } catch (error) {
            subscriber.error(error);
          }
        },
        failed: (error) => subscriber.error(error),
      });
    };
    try {
      attempt(request);
    } catch (error) {
      subscriber.error(error);
    }
    return () => abort();
  });
}

interface Outcome {
  opened(dialed: Dialed): void;
  redirected(response: IncomingMessage): void;
  failed(error: unknown): void;
}

/** Sends one request. Returns a function that aborts it. */
function dialOnce(hop: DialRequest, outcome: Outcome): () => void {
  const key = nextHandshakeKey();
  report('dial', { url: plainUrl(hop.target.href) });
  const request = beginRequest(hop.target, headersOf(hop, key), hop.network);
  let settled = false;
  const settle = (report: () => void): void => {
    if (settled) return;
    settled = true;
    report();
  };
  request.on('error', (error) => settle(() => outcome.failed(explained(error))));
  request.on('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has removed its own listener. Without this one a reset would end the process.
    socket.on('error', () => {});
    if (settled) {
      socket.destroy();
      return;
    }
    settle(() => {
      try {
        outcome.opened(open(hop, key, response, socket, head));
      } catch (error) {
        socket.destroy();
        outcome.failed(error);
      }
    });
  });
  const refuse = (report: () => void): void =>
    settle(() => {
      request.destroy();
      // Once the response is complete, Node has released its socket, and no agent closes it.
      request.socket?.destroy();
      report();
    });
  request.on('response', (response) => {
    if (settled) return;
    if (isRedirect(response) && hop.maxRedirects > 0) refuse(() => outcome.redirected(response));
    // Node treats a 101 that lacks one of its fields as an ordinary response.
    else if (response.statusCode === 101) refuse(() => outcome.failed(notUpgraded(response)));
    else readRefusal(response, hop.scheduler, (error) => refuse(() => outcome.failed(error)));
  });
  request.end();
  return () => {
    settled = true;
    request.destroy();
  };
}

function headersOf(hop: DialRequest, key: string): Record<string, string | string[]> {
  const { target, version, protocols, origin, deflate } = hop;
  const headers: Record<string, string | readonly string[]> = { ...hop.headers };
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (target.authorization !== undefined && !names.has('authorization')) headers.Authorization = target.authorization;
  if (!names.has('host')) headers.Host = target.authority;
  return encodeRequestHeaders({ key, version, protocols, origin, deflate, headers });
}

function open(hop: DialRequest, key: string, response: IncomingMessage, socket: Duplex, head: Buffer): Dialed {
  const { httpVersion, rawHeaders } = response;
  const status = response.statusCode as number;
  const { protocols, deflate } = hop;
  const agreement = readUpgradeResponse({ status, httpVersion, rawHeaders }, { key, protocols, deflate });
  checkVerdict(hop.verifyResponse, response);
  if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0);
  if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true);
  if ('setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, 60_000);
  const remoteAddress = 'remoteAddress' in socket ? (socket.remoteAddress as string | undefined) : undefined;
  return { port: new SocketPort(socket, head), agreement, response, target: hop.target, remoteAddress };
}

/** Accepts the response only on `true`: a Promise is truthy, and `undefined` is not a decision. */
function checkVerdict(verifyResponse: DialRequest['verifyResponse'], response: IncomingMessage): void {
  const found: unknown = verifyResponse === undefined || verifyResponse(response);
  if (found === true) return;
  const cause =
    found === false ? undefined : new HookAnswerError({ hook: 'verifyResponse', found, ...REFUSED_RESPONSE });
  const head = { status: response.statusCode as number, rawHeaders: response.rawHeaders };
  throw invalidAnswer(head, 'RESPONSE_REFUSED', cause?.message ?? 'verifyResponse refused the response', cause);
}

const REFUSED_RESPONSE = { outcome: 'the response is refused', advice: 'return true or false' } as const;

function notUpgraded({ rawHeaders }: IncomingMessage): HandshakeError {
  const message = 'a 101 must have "Upgrade: websocket" and "Connection: Upgrade", got at most one of them';
  return invalidAnswer({ status: 101, rawHeaders }, 'UPGRADE_INVALID', message);
}

function isRedirect(response: IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(response.statusCode as number);
}

/** Turns an error of Node's HTTP parser into a `HandshakeError`. All other errors come from the network and keep their code. */
function explained(error: unknown): unknown {
  // Errors from an agent or `checkServerIdentity` of the application may have any code, or be any value.
  const code = propertyOf(error, 'code');
  if (typeof code !== 'string' || !code.startsWith('HPE_')) return error;
  const message = `the response is not HTTP/1.1: ${describeThrown(error)}`;
  return new HandshakeError('RESPONSE_INVALID', message, { cause: error });
}
