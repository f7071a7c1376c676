import { excerpt } from '../../base/excerpt.js';
import { isToken, trimWhitespace } from './header-fields.js';

/** The subprotocols of a client that requests none. */
const NONE: readonly never[] = [];

/**
 * Reads the subprotocols that a client requests, in its order of preference. The values of several fields form one list.
 * RFC 6455 §4.1 (10), §11.3.4.
 *
 * @returns the names, with their case preserved; empty if there is no field.
 * @throws SyntaxError if an element is empty or not a token, or a name appears twice.
 */
export function parseSubprotocols(values: readonly string[]): readonly string[] {
  if (values.length === 0) return NONE;
  const protocols = values.flatMap((value) => value.split(',')).map(trimWhitespace);
  checkNames(protocols, 'Sec-WebSocket-Protocol');
  return protocols;
}

/**
 * Checks the subprotocols that our own client will request.
 *
 * @throws TypeError if `protocols` is not an array of strings.
 * @throws SyntaxError if a name is not a token or appears twice.
 */
export function checkSubprotocols(protocols: readonly string[]): void {
  if (!Array.isArray(protocols))
    throw new TypeError(`protocols must be an array of strings, got ${excerpt(protocols)}`);
  for (const protocol of protocols as readonly unknown[]) {
    if (typeof protocol !== 'string') {
      throw new TypeError(`protocols must contain strings only, got ${excerpt(protocol)}`);
    }
  }
  checkNames(protocols, 'protocols');
}

function checkNames(protocols: readonly string[], where: string): void {
  const seen = new Set<string>();
  for (const protocol of protocols) {
    // §4.1 (10): "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to
    // U+007E not including separator characters"
    if (!isToken(protocol)) {
      throw new SyntaxError(`${where}: subprotocols must be tokens (RFC 9110 §5.6.2), got ${excerpt(protocol)}`);
    }
    // §4.1 (10): "and MUST all be unique strings"
    if (seen.has(protocol))
      throw new SyntaxError(`${where}: each subprotocol may appear once, got ${excerpt(protocol)} twice`);
    seen.add(protocol);
  }
}
