import { excerpt } from '../../base/excerpt.js';
import {
  type AcceptedDeflate,
  acceptDeflate,
  type DeflateParameters,
  deflateOffers,
  PERMESSAGE_DEFLATE,
  readDeflateAnswer,
  type WantedDeflate,
} from '../deflate/deflate-negotiation.js';
import { acceptKey } from './accept-key.js';
import { type ExtensionOffer, formatExtensions, readExtensions } from './extensions.js';
import { fieldValues, trimWhitespace } from './header-fields.js';
import type { UpgradeOffer } from './read-request.js';
import { excerptOf, invalidAnswer, type ResponseHead } from './response-head.js';

/** The terms that both ends agreed on in an opening handshake. */
export interface Agreement {
  /** The subprotocol, or `''` if there is none. */
  readonly protocol: string;
  /** The agreed permessage-deflate; undefined if messages are not compressed. It is the only supported extension. */
  readonly deflate: AcceptedDeflate | undefined;
}

const NONE: readonly never[] = [];

/** Returns the agreed extensions, with the parameters from the server's answer. */
export function extensionsOf(deflate: AcceptedDeflate | undefined): readonly ExtensionOffer[] {
  return deflate === undefined ? NONE : [deflate.answer];
}

/** A server's answer to a handshake that it accepts. It contains only values: each transport writes them in its own form. */
export interface UpgradeAnswer extends Agreement {
  /** The HTTP status. */
  readonly status: number;
  /** The header fields in the order to send: name, value, name, value... */
  readonly fields: readonly string[];
}

/**
 * Accepts an offer. RFC 6455 §4.2.2 (5).
 *
 * @param protocol the chosen subprotocol; undefined if none was chosen.
 * @param deflate the parameters of permessage-deflate that the server wants; undefined if it does not compress.
 * @throws RangeError if `protocol` was not offered.
 */
export function acceptOffer(
  { key, protocols, extensions }: UpgradeOffer,
  protocol: string | undefined,
  deflate: DeflateParameters | undefined,
): UpgradeAnswer {
  const fields = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', acceptKey(key)];
  if (protocol !== undefined) {
    // §4.2.2: the chosen value "MUST be derived from the client's handshake"
    if (!protocols.includes(protocol)) throw new RangeError(`subprotocol ${excerpt(protocol)} was not offered`);
    fields.push('Sec-WebSocket-Protocol', protocol);
  }
  const accepted = deflate === undefined ? undefined : acceptDeflate(extensions, deflate);
  if (accepted !== undefined) fields.push('Sec-WebSocket-Extensions', formatExtensions([accepted.answer]));
  return { status: 101, fields, protocol: protocol ?? '', deflate: accepted };
}

/** The terms that a client requests, from which the server may choose. */
export interface RequestedTerms {
  /** The subprotocols, in order of preference. */
  readonly protocols: readonly string[];
  /** The parameters of permessage-deflate that the client wants; undefined if it does not offer the extension. */
  readonly deflate?: WantedDeflate | undefined;
}

/** Returns the Sec-WebSocket-Extensions value of a client; undefined if it offers no extension. */
export function offeredExtensions({ deflate }: RequestedTerms): string | undefined {
  return deflate === undefined ? undefined : formatExtensions(deflateOffers(deflate));
}

/**
 * Reads the server's choice from the terms that our client requested. RFC 6455 §4.1.
 *
 * @throws HandshakeError PROTOCOL_INVALID or EXTENSION_INVALID if the server chose something else.
 */
export function readAgreement(head: ResponseHead, requested: RequestedTerms): Agreement {
  return { protocol: readProtocol(head, requested.protocols), deflate: readDeflate(head, requested.deflate) };
}

function readProtocol(head: ResponseHead, requested: readonly string[]): string {
  const protocols = fieldValues(head.rawHeaders, 'Sec-WebSocket-Protocol');
  if (protocols.length === 0) return '';
  const protocol = trimWhitespace(protocols[0]!);
  // §4.1 (6): "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of a
  // subprotocol that was not present in the client's handshake, the client MUST _Fail the WebSocket Connection_."
  if (protocols.length > 1 || !requested.includes(protocol)) {
    const allowed = requested.length === 0 ? 'absent (none was requested)' : `one of ${excerpt(requested.join(', '))}`;
    const message = `Sec-WebSocket-Protocol must be ${allowed}, got ${excerptOf(protocols)}`;
    throw invalidAnswer(head, 'PROTOCOL_INVALID', message);
  }
  return protocol;
}

function readDeflate(head: ResponseHead, wanted: WantedDeflate | undefined): AcceptedDeflate | undefined {
  const answers = readAnswers(head);
  if (answers.length === 0) return undefined;
  const unknown = answers.find(({ name }) => wanted === undefined || name !== PERMESSAGE_DEFLATE);
  // §4.1 (5): "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of
  // an extension that was not present in the client's handshake, the client MUST _Fail the WebSocket Connection_."
  if (wanted === undefined || unknown !== undefined) {
    const allowed =
      wanted === undefined ? 'no extension (none was offered)' : `only the extension "${PERMESSAGE_DEFLATE}"`;
    throw invalidAnswer(head, 'EXTENSION_INVALID', `expected ${allowed}, got ${excerpt(unknown?.name)}`);
  }
  try {
    return readAccepted(answers, wanted);
  } catch (error) {
    throw invalidAnswer(head, 'EXTENSION_INVALID', (error as SyntaxError).message);
  }
}

function readAccepted(answers: readonly ExtensionOffer[], wanted: WantedDeflate): AcceptedDeflate {
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) {
    throw new SyntaxError('permessage-deflate must not be answered more than once');
  }
  return { parameters: readDeflateAnswer(answer, wanted), answer };
}

function readAnswers(head: ResponseHead): readonly ExtensionOffer[] {
  try {
    return readExtensions(head.rawHeaders);
  } catch (error) {
    throw invalidAnswer(head, 'EXTENSION_INVALID', (error as SyntaxError).message, error);
  }
}
