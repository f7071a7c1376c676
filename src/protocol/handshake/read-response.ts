import { excerpt } from '../../base/excerpt.js';
import { HandshakeError, type HandshakeErrorCode } from '../errors.js';
import { acceptKey } from './accept-key.js';
import { type ExtensionOffer, parseExtensions } from './extensions.js';
import { fieldValues, isToken, listTokens, toHeaderRecord, trimWhitespace } from './header-fields.js';

/** The head of the HTTP response to our handshake, as it came. */
export interface ResponseHead {
  readonly status: number;
  /** `1.1`, without the name of the protocol. */
  readonly httpVersion: string;
  /** Name, value, name, value... */
  readonly rawHeaders: readonly string[];
}

/** What our client asked for. */
export interface RequestedUpgrade {
  /** Sec-WebSocket-Key of the request. */
  readonly key: string;
  readonly protocols: readonly string[];
  readonly extensions?: readonly ExtensionOffer[] | undefined;
}

/** What the server agreed to. */
export interface Agreement {
  /** One of the requested subprotocols, or `''` when the server chose none. */
  readonly protocol: string;
  /** The accepted extensions with their parameters, each by a name that was offered. */
  readonly extensions: readonly ExtensionOffer[];
}

/**
 * Reads the server's answer to our handshake. RFC 6455 §4.1, the list under "the client MUST validate the server's response".
 *
 * @throws HandshakeError with the status and the fields of the answer: UNEXPECTED_STATUS, RESPONSE_INVALID (not HTTP/1.1,
 *   or one that says it has a body), UPGRADE_INVALID (Upgrade or Connection), ACCEPT_INVALID, PROTOCOL_INVALID or EXTENSION_INVALID.
 */
export function readUpgradeResponse(head: ResponseHead, offer: RequestedUpgrade): Agreement {
  checkStatusLine(head);
  checkNoBody(head);
  checkUpgrade(head);
  checkAccept(head, offer.key);
  return { protocol: readProtocol(head, offer.protocols), extensions: readExtensions(head, offer.extensions ?? []) };
}

function checkStatusLine(head: ResponseHead): void {
  // §4.1 (1): "If the status code received from the server is not 101, the client handles the response per HTTP procedures."
  if (head.status !== 101) throw failure(head, 'UNEXPECTED_STATUS', `found status ${head.status}, needed is 101`);
  // RFC 9110 §15.2: "HTTP/1.0 did not define any 1xx status codes"
  if (head.httpVersion !== '1.1') {
    throw failure(head, 'RESPONSE_INVALID', `found HTTP/${excerpt(head.httpVersion)}, needed is HTTP/1.1`);
  }
}

/**
 * A body would be bytes that one of us takes for a body and the other for frames.
 *
 * RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx", RFC 9112 §6.1 says
 * the same of Transfer-Encoding. A Content-Length of 0 is let pass: many servers send it (by default, to every response), all
 * other clients take it, and there is nothing that two could read differently.
 */
function checkNoBody(head: ResponseHead): void {
  const lengths = fieldValues(head.rawHeaders, 'Content-Length');
  if (!lengths.every((length) => trimWhitespace(length) === '0')) {
    throw failure(head, 'RESPONSE_INVALID', `found Content-Length ${list(lengths)} in a 101, allowed is none`);
  }
  const encodings = fieldValues(head.rawHeaders, 'Transfer-Encoding');
  if (encodings.length > 0) {
    throw failure(head, 'RESPONSE_INVALID', `found Transfer-Encoding ${list(encodings)} in a 101, allowed is none`);
  }
}

function checkUpgrade(head: ResponseHead): void {
  const upgrades = fieldValues(head.rawHeaders, 'Upgrade');
  // §4.1 (2): "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an
  // ASCII case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_."
  if (upgrades.length !== 1 || !isWebSocket(upgrades[0]!)) {
    throw failure(head, 'UPGRADE_INVALID', `found Upgrade ${list(upgrades)}, needed is one field "websocket"`);
  }
  const connections = fieldValues(head.rawHeaders, 'Connection');
  // §4.1 (3): "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token that
  // is an ASCII case-insensitive match for the value "Upgrade", the client MUST _Fail the WebSocket Connection_."
  if (!listTokens(connections).includes('upgrade')) {
    throw failure(head, 'UPGRADE_INVALID', `found Connection ${list(connections)}, needed is the token "Upgrade"`);
  }
}

function isWebSocket(value: string): boolean {
  const protocol = trimWhitespace(value);
  return isToken(protocol) && protocol.toLowerCase() === 'websocket';
}

function checkAccept(head: ResponseHead, key: string): void {
  const accepts = fieldValues(head.rawHeaders, 'Sec-WebSocket-Accept');
  const expected = acceptKey(key);
  // §4.1 (4): "the base64-encoded SHA-1 of the concatenation of the |Sec-WebSocket-Key| (as a string, not base64-decoded) with
  // the string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" but ignoring any leading and trailing whitespace"
  if (accepts.length !== 1 || trimWhitespace(accepts[0]!) !== expected) {
    throw failure(
      head,
      'ACCEPT_INVALID',
      `found Sec-WebSocket-Accept ${list(accepts)}, needed is one field "${expected}"`,
    );
  }
}

function readProtocol(head: ResponseHead, requested: readonly string[]): string {
  const protocols = fieldValues(head.rawHeaders, 'Sec-WebSocket-Protocol');
  if (protocols.length === 0) return '';
  const protocol = trimWhitespace(protocols[0]!);
  // §4.1 (6): "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of a
  // subprotocol that was not present in the client's handshake, the client MUST _Fail the WebSocket Connection_."
  if (protocols.length > 1 || !requested.includes(protocol)) {
    const allowed =
      requested.length === 0 ? 'none was asked for' : `allowed is one of ${excerpt(requested.join(', '))}`;
    throw failure(head, 'PROTOCOL_INVALID', `found Sec-WebSocket-Protocol ${list(protocols)}, ${allowed}`);
  }
  return protocol;
}

function readExtensions(head: ResponseHead, offered: readonly ExtensionOffer[]): readonly ExtensionOffer[] {
  const values = fieldValues(head.rawHeaders, 'Sec-WebSocket-Extensions');
  if (values.length === 0) return [];
  const accepted = parse(head, values.join(', '));
  const names = new Set(offered.map(({ name }) => name));
  for (const { name } of accepted) {
    // §4.1 (5): "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of
    // an extension that was not present in the client's handshake, the client MUST _Fail the WebSocket Connection_."
    if (!names.has(name)) {
      const allowed = names.size === 0 ? 'none was offered' : `offered was ${excerpt([...names].join(', '))}`;
      throw failure(head, 'EXTENSION_INVALID', `found the extension ${excerpt(name)}, ${allowed}`);
    }
  }
  return accepted;
}

function parse(head: ResponseHead, value: string): ExtensionOffer[] {
  try {
    return parseExtensions(value);
  } catch (error) {
    throw failure(head, 'EXTENSION_INVALID', (error as SyntaxError).message, error);
  }
}

function list(values: readonly string[]): string {
  return values.length === 0
    ? 'not at all'
    : values
        .slice(0, 4)
        .map((value) => excerpt(value))
        .join(' and ');
}

function failure(head: ResponseHead, code: HandshakeErrorCode, message: string, cause?: unknown): HandshakeError {
  return new HandshakeError(code, message, { status: head.status, headers: toHeaderRecord(head.rawHeaders), cause });
}
