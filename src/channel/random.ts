import { randomBytes, randomFillSync } from 'node:crypto';

const pool = new Int32Array(2048);
let next = pool.length;

/**
 * Returns a masking key as a 32-bit integer, from the operating system's random generator. Random bytes are never reused.
 * RFC 6455 §5.3: "The masking key needs to be unpredictable".
 */
export function nextMaskKey(): number {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  return pool[next++] as number;
}

/** Returns a new Sec-WebSocket-Key: 16 random bytes in base64. RFC 6455 §4.1. */
export function nextHandshakeKey(): string {
  return randomBytes(16).toString('base64');
}
