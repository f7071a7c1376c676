import type { FrameFacts } from '../channel/open.js';
import type { KeptRequest } from '../connection/facts.js';
import type { UpgradeRequest } from '../net/upgrade-request.js';
import type { AcceptedDeflate, DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import type { ExtensionOffer } from '../protocol/handshake/extensions.js';
import { type Agreement, extensionsOf } from '../protocol/handshake/negotiation.js';

/** The facts of a connection that a server has accepted. Facts that follow from others are not stored. */
export class AcceptedFacts<Data> implements FrameFacts<Data> {
  readonly data: Data;
  readonly handshake: KeptRequest;
  readonly protocol: string;
  readonly remoteAddress: string | undefined;
  readonly #deflate: AcceptedDeflate | undefined;

  constructor(
    { kept, remoteAddress }: Pick<UpgradeRequest, 'kept' | 'remoteAddress'>,
    data: Data,
    { protocol, deflate }: Agreement,
  ) {
    this.data = data;
    this.handshake = kept;
    this.protocol = protocol;
    this.remoteAddress = remoteAddress;
    this.#deflate = deflate;
  }

  get role(): 'server' {
    return 'server';
  }

  get url(): string {
    return this.handshake.url;
  }

  get extensions(): readonly ExtensionOffer[] {
    return extensionsOf(this.#deflate);
  }

  get deflate(): DeflateParameters | undefined {
    return this.#deflate?.parameters;
  }

  /** The only version that is accepted. RFC 6455 §4.2.1. */
  get protocolVersion(): number {
    return 13;
  }
}
