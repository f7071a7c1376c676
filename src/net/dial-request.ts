import type { IncomingMessage } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import type { DeflateParameters } from '../protocol/deflate/deflate-negotiation.js';
import type { Target } from '../protocol/handshake/target-url.js';
import type { DialNetworkOptions } from './client-request.js';

/** What a dial asks for, and how. */
export interface DialRequest {
  readonly target: Target;
  readonly protocols: readonly string[];
  readonly version: 8 | 13;
  /** Fields beside those of the handshake; Host among them replaces the one of the URL. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly origin: string | undefined;
  /** What is offered of permessage-deflate; nothing where it is not. */
  readonly deflate: DeflateParameters | undefined;
  /** How many redirects are followed; 0 makes a redirect an error. */
  readonly maxRedirects: number;
  /** How many were followed already. */
  readonly redirects: number;
  /** Says no to a response that is otherwise right. */
  readonly verifyResponse: ((response: IncomingMessage) => boolean) | undefined;
  readonly network: DialNetworkOptions;
  readonly scheduler: SchedulerLike;
}
