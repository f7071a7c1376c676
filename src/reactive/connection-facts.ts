import type { DeflateParameters } from '../protocol/deflate-negotiation.js';
import type { ExtensionOffer } from '../protocol/extensions.js';
import type { Role } from '../protocol/role.js';
import type { IncomingMessage } from '../transport/incoming-message.js';
import type { KeptRequest } from '../transport/upgrade-request.js';

/** What is known of a connection from its handshake. */
export interface ConnectionFacts<Data> {
  readonly role: Role;
  readonly data: Data;
  /** What keeps the request, on a server. */
  readonly handshake?: KeptRequest | undefined;
  readonly response?: IncomingMessage | undefined;
  readonly url: string;
  readonly protocol: string;
  readonly extensions: readonly ExtensionOffer[];
  /** The parameters of permessage-deflate, where it is among the extensions. */
  readonly deflate?: DeflateParameters | undefined;
  readonly protocolVersion: number;
  readonly remoteAddress: string | undefined;
}
