import type { AddressInfo } from 'node:net';
import type { UpgradeRequest } from './upgrade-request.js';

/** Where a server listens: an address of TCP, the path of a Unix socket, or nothing yet. */
export type ListenAddress = AddressInfo | string | null;

/** What a listener tells the server. */
export interface ListenEvents {
  /** Connections come in from now on. */
  listening(address: ListenAddress): void;
  /** It could not begin to listen. Nothing follows. */
  failed(error: Error): void;
  /** A fault that ends nothing: a connection could not be accepted. */
  fault(error: Error): void;
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
