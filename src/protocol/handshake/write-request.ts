import { excerpt } from '../../base/excerpt.js';
import { isFieldName, isFieldValue } from './header-fields.js';
import { offeredExtensions, type RequestedTerms } from './negotiation.js';
import type { OutgoingHeaders } from './rejection.js';
import { checkSubprotocols } from './subprotocols.js';

/** The requests of our client in its opening handshake. */
export interface RequestedUpgrade extends RequestedTerms {
  /** Sec-WebSocket-Key: the base64 of 16 random bytes, new for every attempt. RFC 6455 §4.1 (7). */
  readonly key: string;
  readonly version: 8 | 13;
  /** Sent as Origin, in version 8 as Sec-WebSocket-Origin. */
  readonly origin?: string | undefined;
  /** Additional fields. Those of the handshake itself are refused, Host is allowed. */
  readonly headers?: OutgoingHeaders | undefined;
}

/** The fields that the caller cannot set, with the reason or the alternative. */
const OWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ['upgrade', 'it is always "websocket"'],
  ['connection', 'it is always "Upgrade"'],
  ['sec-websocket-key', 'it is generated for every attempt'],
  ['sec-websocket-version', 'use the option protocolVersion'],
  ['sec-websocket-accept', 'only a server sends it'],
  ['sec-websocket-protocol', 'use the argument protocols'],
  ['sec-websocket-extensions', 'use the option perMessageDeflate'],
  ['sec-websocket-origin', 'use the option origin'],
  ['content-length', 'a handshake has no body'],
  ['transfer-encoding', 'a handshake has no body'],
]);

/**
 * Returns the header fields of our opening handshake, in about the order of browsers, without a prototype. RFC 6455 §4.1.
 *
 * @throws TypeError if a name or value contains CR, LF or another character that no field may contain, if `headers` contain a
 *   field of the handshake itself (the message says what to use instead), or if they contain Origin in addition to `origin`.
 * @throws SyntaxError if a subprotocol is not a token or appears twice.
 */
export function encodeRequestHeaders(request: RequestedUpgrade): Record<string, string | string[]> {
  const { key, version, protocols, origin, headers = {} } = request;
  const fields: Record<string, string | string[]> = Object.create(null);
  fields.Connection = 'Upgrade';
  fields.Upgrade = 'websocket';
  if (origin !== undefined) fields[version === 8 ? 'Sec-WebSocket-Origin' : 'Origin'] = checked('origin', origin);
  fields['Sec-WebSocket-Version'] = String(version);
  for (const [name, value] of Object.entries(headers)) {
    checkName(name, origin !== undefined);
    fields[name] = Array.isArray(value) ? value.map((item) => checked(name, item)) : checked(name, value);
  }
  fields['Sec-WebSocket-Key'] = checked('key', key);
  const extensions = offeredExtensions(request);
  if (extensions !== undefined) fields['Sec-WebSocket-Extensions'] = extensions;
  checkSubprotocols(protocols);
  // §4.1 (10): "The request MAY include a header field with the name |Sec-WebSocket-Protocol|": an empty one is malformed.
  if (protocols.length > 0) fields['Sec-WebSocket-Protocol'] = protocols.join(', ');
  return fields;
}

function checkName(name: string, hasOrigin: boolean): void {
  if (!isFieldName(name)) {
    throw new TypeError(`a header name must be a token (RFC 9110 §5.1), got ${excerpt(name)}`);
  }
  const lower = name.toLowerCase();
  const instead = lower === 'origin' && hasOrigin ? 'the option origin is also given' : OWN_FIELDS.get(lower);
  if (instead !== undefined) throw new TypeError(`header ${excerpt(name)} cannot be set: ${instead}`);
}

function checked(what: string, value: unknown): string {
  if (typeof value === 'string' && isFieldValue(value)) return value;
  throw new TypeError(
    `${what} must be text without control characters or characters above U+00FF, got ${excerpt(value)}`,
  );
}
