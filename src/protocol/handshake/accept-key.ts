import * as crypto from 'node:crypto';

/** The globally unique identifier that a WebSocket server appends to the key. RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Returns the Sec-WebSocket-Accept value for `key`: the base64 of the SHA-1 of key and GUID. RFC 6455 §4.2.2, step 5.4. */
export function acceptKey(key: string): string {
  if (hashAtOnce !== undefined) return hashAtOnce('sha1', key + GUID, 'base64');
  return crypto
    .createHash('sha1')
    .update(key + GUID, 'latin1')
    .digest('base64');
}

/** The one-shot hash of Node 20.12 and later. Faster than a hash object, and creates no garbage (see `bench: handshakes`). */
const hashAtOnce = (crypto as { readonly hash?: (algorithm: string, data: string, encoding: 'base64') => string }).hash;

/**
 * Whether `key` is a valid Sec-WebSocket-Key: the base64 of exactly 16 bytes. RFC 6455 §4.1, §4.2.1.
 *
 * Bits after the 16th byte are ignored: the RFC's own example, `AQIDBAUGBwgJCgsMDQ4PEC==`, has one set.
 */
export function isValidKey(key: string): boolean {
  return KEY.test(key);
}
