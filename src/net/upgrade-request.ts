import type { IncomingMessage } from 'node:http';
import type { BytePort } from '../channel/byte-port.js';
import type { KeptRequest } from '../connection/facts.js';
import type { UpgradeAnswer } from '../protocol/handshake/negotiation.js';
import type { RequestHead } from '../protocol/handshake/read-request.js';
import type { Rejection } from '../protocol/handshake/rejection.js';

/** A request to open a WebSocket, whatever carries it. Exactly one of `accept` and `refuse` is called, once. */
export interface UpgradeRequest {
  /** What the handshake is validated from. */
  readonly head: RequestHead;
  /** The request as Node parsed it, for hooks: who is shown it may keep it. */
  readonly request: IncomingMessage;
  /** What to keep of it for `Connection.request`. */
  readonly kept: KeptRequest;
  readonly remoteAddress: string | undefined;
  /** The address that the peer connected to. */
  readonly localAddress: string | undefined;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Whether the peer showed a certificate. */
  readonly hasClientCertificate: boolean;
  /** When the peer connected, as the clock of the scheduler tells. */
  readonly startedAt: number;
  /** Whether it was counted when it connected: own servers do that, on others nobody knows of it before it asks. */
  readonly isAdmitted: boolean;
  /** Calls `closed` once when the transport is gone, however it ends. */
  whenClosed(closed: () => void): void;
  /** Calls `onGone` once if the peer ends or resets before the decision. Reads a bounded amount meanwhile. */
  watch(onGone: () => void): void;
  /**
   * Sends `answer` and hands over the bytes that follow; undefined if the peer has gone.
   *
   * @param keepAlive whether TCP looks after the peer: for connections without a heartbeat. It costs four system calls.
   */
  accept(answer: UpgradeAnswer, keepAlive: boolean): BytePort | undefined;
  /** Sends the refusal and ends the connection. */
  refuse(rejection: Rejection): void;
}
