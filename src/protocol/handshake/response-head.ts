import { excerpt } from '../../base/excerpt.js';
import { HandshakeError, type HandshakeErrorCode } from '../errors.js';
import { toHeaderRecord } from './header-fields.js';

/** The head of the HTTP response to our handshake, as it came. */
export interface ResponseHead {
  readonly status: number;
  /** `1.1`, without the name of the protocol. */
  readonly httpVersion: string;
  /** Name, value, name, value... */
  readonly rawHeaders: readonly string[];
}

/** The error that a wrong answer to our handshake makes, with its status and its fields. */
export function invalidAnswer(
  { status, rawHeaders }: Pick<ResponseHead, 'status' | 'rawHeaders'>,
  code: HandshakeErrorCode,
  message: string,
  cause?: unknown,
): HandshakeError {
  return new HandshakeError(code, message, { status, headers: toHeaderRecord(rawHeaders), cause });
}

/** The values of one field for a message: at most four of them, each of them short. */
export function excerptOf(values: readonly string[]): string {
  return values.length === 0
    ? 'none'
    : values
        .slice(0, 4)
        .map((value) => excerpt(value))
        .join(' and ');
}
