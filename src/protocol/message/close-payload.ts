import { Buffer } from 'node:buffer';
import { describe } from '../../base/describe.js';
import { ProtocolError } from '../errors.js';
import { isValidUtf8 } from '../frame/utf8.js';
import { CloseCode, isReceivableCloseCode, isSendableCloseCode, SENDABLE_CLOSE_CODES } from './close-code.js';
import { MAX_REASON_BYTES } from './close-reason.js';

const ALLOWED_CODES = '1000 to 1003, 1007 to 1014 or 3000 to 4999';

/** The contents of a Close frame. RFC 6455 §7.1.5, §7.1.6. */
export interface ClosePayload {
  /** The status code; 1005 if there was none. */
  readonly code: number;
  /** At most 123 bytes of UTF-8. */
  readonly reason: string;
}

/**
 * Reads the payload of a Close frame. RFC 6455 §5.5.1.
 *
 * @throws ProtocolError 1002 if the payload is one byte or the code must not be sent (§7.4), 1007 if the
 *   reason is not UTF-8 (§8.1).
 */
export function readClosePayload(payload: Buffer): ClosePayload {
  // §7.1.5: "If this Close control frame contains no status code, _The WebSocket Connection Close Code_ is considered to be 1005"
  if (payload.length === 0) return { code: CloseCode.noStatus, reason: '' };
  // §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer"
  if (payload.length === 1) {
    throw new ProtocolError(
      'CLOSE_PAYLOAD_TOO_SHORT',
      1002,
      'a close payload must be empty or at least 2 bytes, got 1',
    );
  }
  const code = payload.readUInt16BE(0);
  if (!isReceivableCloseCode(code)) {
    throw new ProtocolError('CLOSE_CODE_INVALID', 1002, `close code must be ${SENDABLE_CLOSE_CODES}, got ${code}`);
  }
  if (payload.length === 2) return { code, reason: '' };
  const reason = payload.subarray(2);
  if (!isValidUtf8(reason)) throw new ProtocolError('UTF8_INVALID', 1007, 'a close reason must be valid UTF-8');
  return { code, reason: reason.toString() };
}

/**
 * Encodes the payload of a Close frame: 0 or 2 to 125 bytes. Lone surrogates in `reason` become U+FFFD. RFC 6455 §5.5.1.
 *
 * @param code 1005 means no code: the payload is empty then, and the reason must be empty.
 * @throws TypeError if `code` is not a number or `reason` is not a string.
 * @throws RangeError if `code` must not be sent (§7.4), or `reason` is over 123 bytes of UTF-8 or is given without a code.
 */
export function encodeClosePayload(code: number, reason: string): Buffer {
  if (typeof code !== 'number') throw new TypeError(`close code must be a number, got ${describe(code)}`);
  if (typeof reason !== 'string') throw new TypeError(`close reason must be a string, got ${describe(reason)}`);
  if (code === CloseCode.noStatus) {
    if (reason !== '') throw new RangeError('close reason must be empty without a close code');
    return Buffer.alloc(0);
  }
  if (!isSendableCloseCode(code)) throw new RangeError(`close code must be ${SENDABLE_CLOSE_CODES}, got ${code}`);
  const size = Buffer.byteLength(reason);
  if (size > MAX_REASON_BYTES) {
    throw new RangeError(`close reason must be at most ${MAX_REASON_BYTES} bytes, got ${size}`);
  }
  const payload = Buffer.allocUnsafe(2 + size);
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}

/**
 * Encodes the payload of a Close frame that an application requests.
 *
 * @throws TypeError or RangeError if an application must not send the code or reason. RFC 6455 §7.4.
 */
export function checkedClosePayload(code: number, reason: string): Buffer {
  if (typeof code !== 'number') throw new TypeError(`close code must be ${ALLOWED_CODES}, got ${describe(code)}`);
  if (!isSendableCloseCode(code)) throw new RangeError(`close code must be ${ALLOWED_CODES}, got ${code}`);
  return encodeClosePayload(code, reason);
}
