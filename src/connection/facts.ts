import type { Role } from '../protocol/frame/opcode.js';
import type { ExtensionOffer } from '../protocol/handshake/extensions.js';
import type { IncomingMessage } from './incoming-message.js';

/** A request, or the data from which it can be rebuilt. */
export interface KeptRequest {
  readonly url: string;
  readonly request: IncomingMessage;
}

/** Facts about a connection that are known from its handshake. */
export interface ConnectionFacts<Data> {
  /** Undefined if both ends are alike. */
  readonly role?: Role;
  readonly data: Data;
  /** The holder of the request, on a server. */
  readonly handshake?: KeptRequest | undefined;
  readonly response?: IncomingMessage | undefined;
  readonly url: string;
  readonly protocol: string;
  readonly extensions: readonly ExtensionOffer[];
  readonly protocolVersion: number;
  readonly remoteAddress: string | undefined;
}
