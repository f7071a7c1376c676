import type { Role } from '../protocol/frame/opcode.js';
import type { ExtensionOffer } from '../protocol/handshake/extensions.js';
import type { IncomingMessage } from './incoming-message.js';

/** A request, or what it can be made of again. */
export interface KeptRequest {
  readonly url: string;
  readonly request: IncomingMessage;
}

/** What is known of a connection from its handshake. */
export interface ConnectionFacts<Data> {
  /** `undefined` where both ends are alike. */
  readonly role?: Role;
  readonly data: Data;
  /** What keeps the request, on a server. */
  readonly handshake?: KeptRequest | undefined;
  readonly response?: IncomingMessage | undefined;
  readonly url: string;
  readonly protocol: string;
  readonly extensions: readonly ExtensionOffer[];
  readonly protocolVersion: number;
  readonly remoteAddress: string | undefined;
}
