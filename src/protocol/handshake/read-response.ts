import { excerpt } from '../../base/excerpt.js';
import { acceptKey } from './accept-key.js';
import { fieldValues, isToken, listTokens, trimWhitespace } from './header-fields.js';
import { type Agreement, readAgreement } from './negotiation.js';
import { excerptOf, invalidAnswer, type ResponseHead } from './response-head.js';
import type { RequestedUpgrade } from './write-request.js';

/**
 * Reads the server's answer to our handshake. RFC 6455 §4.1, the list under "the client MUST validate the server's response".
 *
 * @throws HandshakeError with the status and fields of the response: UNEXPECTED_STATUS, RESPONSE_INVALID (not HTTP/1.1,
 *   or with a body), UPGRADE_INVALID (Upgrade or Connection), ACCEPT_INVALID, PROTOCOL_INVALID or EXTENSION_INVALID.
 */
export function readUpgradeResponse(
  head: ResponseHead,
  requested: Pick<RequestedUpgrade, 'key' | 'protocols' | 'deflate'>,
): Agreement {
  checkStatusLine(head);
  checkNoBody(head);
  checkUpgrade(head);
  checkAccept(head, requested.key);
  return readAgreement(head, requested);
}

function checkStatusLine(head: ResponseHead): void {
  // §4.1 (1): "If the status code received from the server is not 101, the client handles the response per HTTP procedures."
  if (head.status !== 101)
    throw invalidAnswer(head, 'UNEXPECTED_STATUS', `expected 101 Switching Protocols, got ${head.status}`);
  // RFC 9110 §15.2: "HTTP/1.0 did not define any 1xx status codes"
  if (head.httpVersion !== '1.1') {
    throw invalidAnswer(head, 'RESPONSE_INVALID', `expected HTTP/1.1, got HTTP/${excerpt(head.httpVersion)}`);
  }
}

/**
 * Refuses a body, whose bytes one end could read as a body and the other as frames.
 *
 * RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx". RFC 9112 §6.1 says
 * the same about Transfer-Encoding. A Content-Length of 0 is accepted: many servers send it (by default, with every response), all
 * other clients accept it, and it leaves nothing to interpret differently.
 */
function checkNoBody(head: ResponseHead): void {
  const lengths = fieldValues(head.rawHeaders, 'Content-Length');
  if (!lengths.every((length) => trimWhitespace(length) === '0')) {
    throw invalidAnswer(head, 'RESPONSE_INVALID', `a 101 must not have Content-Length, got ${excerptOf(lengths)}`);
  }
  const encodings = fieldValues(head.rawHeaders, 'Transfer-Encoding');
  if (encodings.length > 0) {
    throw invalidAnswer(head, 'RESPONSE_INVALID', `a 101 must not have Transfer-Encoding, got ${excerptOf(encodings)}`);
  }
}

function checkUpgrade(head: ResponseHead): void {
  const upgrades = fieldValues(head.rawHeaders, 'Upgrade');
  // §4.1 (2): "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an
  // ASCII case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_."
  if (upgrades.length !== 1 || !isWebSocket(upgrades[0]!)) {
    throw invalidAnswer(head, 'UPGRADE_INVALID', `expected one "Upgrade: websocket" field, got ${excerptOf(upgrades)}`);
  }
  const connections = fieldValues(head.rawHeaders, 'Connection');
  // §4.1 (3): "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token that
  // is an ASCII case-insensitive match for the value "Upgrade", the client MUST _Fail the WebSocket Connection_."
  if (!listTokens(connections).includes('upgrade')) {
    throw invalidAnswer(
      head,
      'UPGRADE_INVALID',
      `expected the token "Upgrade" in Connection, got ${excerptOf(connections)}`,
    );
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
    throw invalidAnswer(
      head,
      'ACCEPT_INVALID',
      `expected one Sec-WebSocket-Accept field "${expected}", got ${excerptOf(accepts)}`,
    );
  }
}
