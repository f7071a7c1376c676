import { excerpt } from '../../base/excerpt.js';
import { HandshakeError, type HandshakeErrorCode } from '../errors.js';
import { toHeaderRecord } from './header-fields.js';

/** The head of the HTTP response to our handshake, as received. */
export interface ResponseHead {
  readonly status: number;
  /** The version without the protocol name, such as `1.1`. */
  readonly httpVersion: string;
  /** Name, value, name, value... */
  readonly rawHeaders: readonly string[];
}

/** Creates the error for an invalid response to our handshake, with its status and fields. */
export function invalidAnswer(
  { status, rawHeaders }: Pick<ResponseHead, 'status' | 'rawHeaders'>,
  code: HandshakeErrorCode,
  message: string,
  cause?: unknown,
): HandshakeError {
  return new HandshakeError(code, message, { status, headers: toHeaderRecord(rawHeaders), cause });
}

/** Formats the values of one field for a message: at most four, each shortened. */
export function excerptOf(values: readonly string[]): string {
  return values.length === 0
    ? 'none'
    : values
        .slice(0, 4)
        .map((value) => excerpt(value))
        .join(' and ');
}
