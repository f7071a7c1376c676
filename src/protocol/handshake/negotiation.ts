import { excerpt } from '../../base/excerpt.js';
import {
  type AcceptedDeflate,
  acceptDeflate,
  type DeflateParameters,
  deflateOffer,
  PERMESSAGE_DEFLATE,
  readDeflateAnswer,
} from '../deflate/deflate-negotiation.js';
import { acceptKey } from './accept-key.js';
import { type ExtensionOffer, formatExtensions, parseExtensions } from './extensions.js';
import { fieldValues, trimWhitespace } from './header-fields.js';
import type { UpgradeOffer } from './read-request.js';
import { excerptOf, invalidAnswer, type ResponseHead } from './response-head.js';

/** What both ends have agreed on in an opening handshake, beside the protocol itself. */
export interface Agreement {
  /** The subprotocol, or `''` if there is none. */
  readonly protocol: string;
  /** The agreed permessage-deflate; undefined if messages are not compressed. It is the only extension that is ever agreed on. */
  readonly deflate: AcceptedDeflate | undefined;
}

const NONE: readonly never[] = [];

/** The extensions of an agreement, with the parameters that the server answered. */
export function extensionsOf(deflate: AcceptedDeflate | undefined): readonly ExtensionOffer[] {
  return deflate === undefined ? NONE : [deflate.answer];
}

/** A server's answer to a handshake that it accepts. It is all values: each way of upgrading writes them in its own form. */
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
 * @throws RangeError when `protocol` was not offered.
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

/** What a client asks for that the server may choose from. */
export interface RequestedTerms {
  /** The subprotocols, the preferred first. */
  readonly protocols: readonly string[];
  /** The parameters of permessage-deflate that the client wants; undefined if it does not offer the extension. */
  readonly deflate?: DeflateParameters | undefined;
}

/** The value of Sec-WebSocket-Extensions that a client offers; undefined if it offers nothing. */
export function offeredExtensions({ deflate }: RequestedTerms): string | undefined {
  return deflate === undefined ? undefined : formatExtensions([deflateOffer(deflate)]);
}

/**
 * Reads what a server chose of what our client asked for. RFC 6455 §4.1.
 *
 * @throws HandshakeError PROTOCOL_INVALID or EXTENSION_INVALID when it chose something else.
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
    const allowed = requested.length === 0 ? 'none was requested' : `expected one of ${excerpt(requested.join(', '))}`;
    throw invalidAnswer(head, 'PROTOCOL_INVALID', `found Sec-WebSocket-Protocol ${excerptOf(protocols)}, ${allowed}`);
  }
  return protocol;
}

function readDeflate(head: ResponseHead, wanted: DeflateParameters | undefined): AcceptedDeflate | undefined {
  const values = fieldValues(head.rawHeaders, 'Sec-WebSocket-Extensions');
  if (values.length === 0) return undefined;
  const answers = parse(head, values.join(', '));
  const unknown = answers.find(({ name }) => wanted === undefined || name !== PERMESSAGE_DEFLATE);
  // §4.1 (5): "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of
  // an extension that was not present in the client's handshake, the client MUST _Fail the WebSocket Connection_."
  if (wanted === undefined || unknown !== undefined) {
    const allowed = wanted === undefined ? 'none was offered' : `offered was "${PERMESSAGE_DEFLATE}"`;
    throw invalidAnswer(head, 'EXTENSION_INVALID', `found the extension ${excerpt(unknown?.name)}, ${allowed}`);
  }
  try {
    return readAccepted(answers, wanted);
  } catch (error) {
    throw invalidAnswer(head, 'EXTENSION_INVALID', (error as SyntaxError).message);
  }
}

function readAccepted(answers: readonly ExtensionOffer[], wanted: DeflateParameters): AcceptedDeflate {
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) {
    throw new SyntaxError('permessage-deflate answered more than once');
  }
  return { parameters: readDeflateAnswer(answer, wanted), answer };
}

function parse(head: ResponseHead, value: string): ExtensionOffer[] {
  try {
    return parseExtensions(value);
  } catch (error) {
    throw invalidAnswer(head, 'EXTENSION_INVALID', (error as SyntaxError).message, error);
  }
}
