import type { IncomingMessage } from 'node:http';
import type { BytePort } from '../channel/byte-port.js';
import type { KeptRequest } from '../connection/facts.js';
import type { UpgradeAnswer } from '../protocol/handshake/negotiation.js';
import type { RequestHead } from '../protocol/handshake/read-request.js';
import type { Rejection } from '../protocol/handshake/rejection.js';

/** A request to open a WebSocket over any transport. Exactly one of `accept` and `refuse` must be called, once. */
export interface UpgradeRequest {
  /** The head that the handshake is validated from. */
  readonly head: RequestHead;
  /** The request as Node parsed it, for hooks, which may keep it. */
  readonly request: IncomingMessage;
  /** The form in which the request is kept for `Connection.request`. */
  readonly kept: KeptRequest;
  readonly remoteAddress: string | undefined;
  /** The address that the peer connected to. */
  readonly localAddress: string | undefined;
  /** Whether the request arrived over TLS. */
  readonly secure: boolean;
  /** Whether the peer presented a certificate. */
  readonly hasClientCertificate: boolean;
  /** When the peer connected, by the clock of the scheduler. */
  readonly startedAt: number;
  /** Whether the connection was counted when it connected. Own servers do that; others only learn of it with the request. */
  readonly isAdmitted: boolean;
  /** Calls `closed` once when the transport is closed, for any reason. */
  whenClosed(closed: () => void): void;
  /** Calls `onGone` once if the peer ends or resets before the decision. Reads a bounded amount meanwhile. */
  watch(onGone: () => void): void;
  /**
   * Sends `answer` and returns a port for the bytes that follow; undefined if the peer is gone.
   *
   * @param keepAlive whether TCP probes the peer: for connections without a heartbeat. It costs four system calls.
   */
  accept(answer: UpgradeAnswer, keepAlive: boolean): BytePort | undefined;
  /** Sends the refusal and ends the connection. */
  refuse(rejection: Rejection): void;
}
