import { excerpt } from '../../base/excerpt.js';
import { isValidKey } from './accept-key.js';
import { type ExtensionOffer, readExtensions } from './extensions.js';
import { fieldValues, listTokens } from './header-fields.js';
import { isRejection, type Rejection, reject } from './rejection.js';
import { parseSubprotocols } from './subprotocols.js';

/** The head of an HTTP request, as received and not validated. */
export interface RequestHead {
  readonly method: string;
  /** The request target. The only check here is that it is not `*`. */
  readonly path: string;
  /** The version without the protocol name, such as `1.1`. */
  readonly httpVersion: string;
  /** Name, value, name, value... */
  readonly rawHeaders: readonly string[];
  /** Whether `rawHeaders` is incomplete because the HTTP parser drops fields above a limit. @default false */
  readonly isTruncated?: boolean;
}

/** A client's requests in a valid opening handshake. RFC 6455 §4.2.1. */
export interface UpgradeOffer {
  /** Sec-WebSocket-Key, 24 characters. */
  readonly key: string;
  readonly version: 8 | 13;
  /** The value of Host, not empty. */
  readonly host: string;
  /** Origin, or Sec-WebSocket-Origin in version 8; `undefined` if the client is not a browser. May be malformed. */
  readonly origin: string | undefined;
  /** The subprotocols that the client supports, in order of preference. */
  readonly protocols: readonly string[];
  readonly extensions: readonly ExtensionOffer[];
}

/** Options for reading handshakes. */
export interface UpgradeRules {
  /** Accepted values of Sec-WebSocket-Version: 13 is RFC 6455, 8 is its last drafts. @default [13] */
  readonly versions?: readonly number[] | undefined;
}

/** Host, with an optional port. RFC 3986 §3.2.2; zone identifiers as in RFC 6874. */
const HOST = /^(?:\[[\w:.%~-]+\]|[\w.~!$&'()*+,;=%-]+)(?::[0-9]*)?$/;

/** Whether the client requests a WebSocket, possibly among other protocols. RFC 6455 §4.2.1 (3). */
export function isWebSocketUpgrade(rawHeaders: readonly string[]): boolean {
  return listTokens(fieldValues(rawHeaders, 'Upgrade')).includes('websocket');
}

/**
 * Reads the client's opening handshake. RFC 6455 §4.2.1. Does not check the path or the origin.
 *
 * @returns the offer, or a refusal if the client broke a MUST: 400, 405, 426 or 505, with a body that says
 *   what was expected and what was found; 431 if fields are missing. Never throws.
 */
export function readUpgradeRequest(head: RequestHead, rules: UpgradeRules = {}): UpgradeOffer | Rejection {
  const { rawHeaders } = head;
  // A missing field might be a second Host, or announce a body.
  if (head.isTruncated === true)
    return reject(431, undefined, {}, 'the request has more header fields than the server accepts\n');
  const refusal =
    refuseRequestLine(head) ?? refuseHost(rawHeaders) ?? refuseUpgrade(rawHeaders) ?? refuseBody(rawHeaders);
  if (refusal !== undefined) return refusal;
  const version = readVersion(rawHeaders, rules.versions ?? [13]);
  if (isRejection(version)) return version;
  return refuseKey(rawHeaders) ?? refuseOrigins(rawHeaders, originField(version)) ?? readOffer(rawHeaders, version);
}

function refuseRequestLine({ method, path, httpVersion }: RequestHead): Rejection | undefined {
  // §4.2.1 (1): "An HTTP/1.1 or higher GET request"; higher versions have another handshake (RFC 8441).
  if (httpVersion !== '1.1') {
    return reject(505, undefined, {}, `expected HTTP/1.1, got HTTP/${excerpt(httpVersion)}\n`);
  }
  // RFC 9112 §3.2.4: the asterisk stands for a whole server, and is only valid with OPTIONS.
  if (method === 'GET') return path === '*' ? badRequest('the request target must be a path, got "*"') : undefined;
  // RFC 9110 §9.3.2: "the server MUST NOT send content in the response" to HEAD
  const body = method === 'HEAD' ? '' : `expected the method GET, got ${excerpt(method)}\n`;
  return reject(405, undefined, { Allow: 'GET' }, body);
}

function refuseHost(rawHeaders: readonly string[]): Rejection | undefined {
  const hosts = fieldValues(rawHeaders, 'Host');
  // RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a
  // Host header field and to any request message that contains more than one Host header field line or a Host header field
  // with an invalid field value."
  if (hosts.length !== 1) return badRequest(`expected one Host field, got ${hosts.length}`);
  return HOST.test(hosts[0]!)
    ? undefined
    : badRequest(`expected a host and an optional port in Host, got ${excerpt(hosts[0])}`);
}

function refuseUpgrade(rawHeaders: readonly string[]): Rejection | undefined {
  const upgrades = fieldValues(rawHeaders, 'Upgrade');
  if (upgrades.length === 0) return upgradeRequired('expected "Upgrade: websocket", got no Upgrade field', {});
  // §4.2.1 (3): "An |Upgrade| header field containing the value "websocket", treated as an ASCII case-insensitive value."
  if (!listTokens(upgrades).includes('websocket')) {
    return badRequest(`expected "Upgrade: websocket", got ${excerpt(upgrades.join(', '))}`);
  }
  const connections = fieldValues(rawHeaders, 'Connection');
  // §4.2.1 (4): "A |Connection| header field that includes the token "Upgrade", treated as an ASCII case-insensitive value."
  if (listTokens(connections).includes('upgrade')) return undefined;
  return badRequest(`expected "Connection: Upgrade", got ${excerpt(connections.join(', '))}`);
}

// Bytes after the head are frames. A body would be read as frames, or hide a second request from a proxy.
function refuseBody(rawHeaders: readonly string[]): Rejection | undefined {
  const coding = fieldValues(rawHeaders, 'Transfer-Encoding');
  if (coding.length > 0) return badRequest(`expected no body, got Transfer-Encoding ${excerpt(coding.join(', '))}`);
  const lengths = fieldValues(rawHeaders, 'Content-Length');
  if (lengths.every((length) => length === '0')) return undefined;
  return badRequest(`expected no body, got Content-Length ${excerpt(lengths.join(', '))}`);
}

function readVersion(rawHeaders: readonly string[], versions: readonly number[]): 8 | 13 | Rejection {
  const fields = fieldValues(rawHeaders, 'Sec-WebSocket-Version');
  if (fields.length > 1) return badRequest(`expected one Sec-WebSocket-Version field, got ${fields.length}`);
  for (const version of [13, 8] as const) {
    if (versions.includes(version) && fields[0] === String(version)) return version;
  }
  // §4.4: "If the server doesn't support the requested version, it MUST respond with a |Sec-WebSocket-Version| header field
  // (or multiple |Sec-WebSocket-Version| header fields) containing all versions it is willing to use."
  const allowed = versions.join(', ');
  const found = fields[0] === undefined ? 'none' : excerpt(fields[0]);
  return upgradeRequired(`expected Sec-WebSocket-Version ${allowed}, got ${found}`, {
    'Sec-WebSocket-Version': allowed,
  });
}

function refuseKey(rawHeaders: readonly string[]): Rejection | undefined {
  const keys = fieldValues(rawHeaders, 'Sec-WebSocket-Key');
  // §11.3.1: "The |Sec-WebSocket-Key| header field MUST NOT appear more than once in an HTTP request."
  if (keys.length !== 1) return badRequest(`expected one Sec-WebSocket-Key field, got ${keys.length}`);
  // §4.2.1 (5): "A |Sec-WebSocket-Key| header field with a base64-encoded value that, when decoded, is 16 bytes in length."
  return isValidKey(keys[0]!)
    ? undefined
    : badRequest(`expected the base64 of 16 bytes in Sec-WebSocket-Key, got ${excerpt(keys[0])}`);
}

/** Returns the name of the origin field; version 8 has its own. draft-ietf-hybi-thewebsocketprotocol-10 §11.3. */
function originField(version: 8 | 13): string {
  return version === 8 ? 'Sec-WebSocket-Origin' : 'Origin';
}

function refuseOrigins(rawHeaders: readonly string[], field: string): Rejection | undefined {
  const { length } = fieldValues(rawHeaders, field);
  // RFC 6454 §7.3: "the user agent MUST NOT include more than one Origin header field in any HTTP request"
  return length > 1 ? badRequest(`expected one ${field} field, got ${length}`) : undefined;
}

function readOffer(rawHeaders: readonly string[], version: 8 | 13): UpgradeOffer | Rejection {
  try {
    return {
      key: fieldValues(rawHeaders, 'Sec-WebSocket-Key')[0]!,
      version,
      host: fieldValues(rawHeaders, 'Host')[0]!,
      origin: fieldValues(rawHeaders, originField(version))[0],
      protocols: parseSubprotocols(fieldValues(rawHeaders, 'Sec-WebSocket-Protocol')),
      extensions: readExtensions(rawHeaders),
    };
  } catch (error) {
    return badRequest((error as SyntaxError).message);
  }
}

function badRequest(body: string): Rejection {
  return reject(400, undefined, {}, `${body}\n`);
}

// RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response to indicate the required protocol(s)"
function upgradeRequired(body: string, headers: Record<string, string>): Rejection {
  return reject(426, undefined, { Upgrade: 'websocket', ...headers }, `${body}\n`);
}
