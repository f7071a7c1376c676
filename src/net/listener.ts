import type { AddressInfo } from 'node:net';
import type { Rejection } from '../protocol/handshake/rejection.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** Where a server listens: an address of TCP, the path of a Unix socket, or nothing yet. */
export type ListenAddress = AddressInfo | string | null;

/** Gives back the place of a peer that has gone. Harmless when it is called again. */
export type Place = () => void;

/** What a listener tells the server. */
export interface ListenEvents {
  /** Connections come in from now on. */
  listening(address: ListenAddress): void;
  /** It could not begin to listen. Nothing follows. */
  failed(error: Error): void;
  /** A fault that ends nothing: a connection could not be accepted. */
  fault(error: Error): void;
  /** A peer was refused with an HTTP `status` before it had asked for anything. A fault tells more. */
  refused(status: number): void;
  /** Whether a peer that has connected may come in: asked by own servers only. Not there where all may. */
  readonly admit?: (address: string | undefined) => Place | Rejection;
  /** A peer asks for a WebSocket. */
  upgrade(request: UpgradeRequest): void;
  /** The server that it was attached to has closed. Nothing follows. */
  closed(): void;
}

/** Something that takes in upgrade requests. */
export interface Listener {
  address(): ListenAddress;
  /** Stops to take in. What was accepted is not touched. No event follows. */
  close(): void;
}
