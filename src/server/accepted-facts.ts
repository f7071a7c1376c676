import type { FrameFacts } from '../channel/open.js';
import type { KeptRequest } from '../connection/facts.js';
import type { UpgradeRequest } from '../net/socket-upgrade.js';
import type { AcceptedDeflate, DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import type { ExtensionOffer } from '../protocol/handshake/extensions.js';

const NONE: readonly never[] = [];

/** The facts of a connection that a server has accepted: what others can be told from is not kept twice. */
export class AcceptedFacts<Data> implements FrameFacts<Data> {
  readonly data: Data;
  readonly handshake: KeptRequest;
  readonly protocol: string;
  readonly remoteAddress: string | undefined;
  readonly #deflate: AcceptedDeflate | undefined;

  constructor(
    { kept, remoteAddress }: Pick<UpgradeRequest, 'kept' | 'remoteAddress'>,
    agreed: {
      readonly data: Data;
      readonly protocol: string | undefined;
      readonly deflate: AcceptedDeflate | undefined;
    },
  ) {
    this.data = agreed.data;
    this.handshake = kept;
    this.protocol = agreed.protocol ?? '';
    this.remoteAddress = remoteAddress;
    this.#deflate = agreed.deflate;
  }

  get role(): 'server' {
    return 'server';
  }

  get url(): string {
    return this.handshake.url;
  }

  get extensions(): readonly ExtensionOffer[] {
    return this.#deflate === undefined ? NONE : [this.#deflate.answer];
  }

  get deflate(): DeflateParameters | undefined {
    return this.#deflate?.parameters;
  }

  /** The only one that is accepted. RFC 6455 §4.2.1. */
  get protocolVersion(): number {
    return 13;
  }
}
