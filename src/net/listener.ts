import type { AddressInfo } from 'node:net';
import type { Rejection } from '../protocol/handshake/rejection.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** The address that a server listens on: a TCP address, the path of a Unix socket, or null if it does not listen yet. */
export type ListenAddress = AddressInfo | string | null;

/** A function that releases the slot of a peer that is gone. Further calls have no effect. */
export type Place = () => void;

/** The events that a listener reports to the server. */
export interface ListenEvents {
  /** Connections are accepted from now on. */
  listening(address: ListenAddress): void;
  /** Listening failed. No event follows. */
  failed(error: Error): void;
  /** A connection could not be accepted. The listener continues. */
  fault(error: Error): void;
  /** A peer was refused with an HTTP `status` before it sent a request. A `fault` has the details. */
  refused(status: number): void;
  /** Decides whether a connected peer is admitted. Only own servers call it. Undefined if every peer is admitted. */
  readonly admit?: (address: string | undefined) => Place | Rejection;
  /** A peer requests a WebSocket. */
  upgrade(request: UpgradeRequest): void;
  /** The server that the listener was attached to has closed. No event follows. */
  closed(): void;
}

/** A source of upgrade requests. */
export interface Listener {
  address(): ListenAddress;
  /** Stops accepting. Accepted connections are unaffected. No event follows. */
  close(): void;
}
