import { describe } from '../base/describe.js';
import { toBytes } from './outgoing.js';

const encoder = new TextEncoder();

/**
 * Copies the payload of a ping or pong.
 *
 * @throws TypeError for anything other than a string or bytes, RangeError above 125 bytes. RFC 6455 §5.5.
 */
export function controlPayload(data: string | ArrayBufferView | ArrayBuffer): Uint8Array {
  const payload = typeof data === 'string' ? encoder.encode(data) : copyOf(data);
  if (payload.length > 125) throw new RangeError(`data must be at most 125 bytes, got ${payload.length}`);
  return payload;
}

function copyOf(data: unknown): Uint8Array {
  try {
    return new Uint8Array(toBytes(data));
  } catch {
    throw new TypeError(`data must be a string, an ArrayBuffer or a view of one, got ${describe(data)}`);
  }
}
