import type { BinaryType } from '../../connection/connection.js';
import { InternalError } from '../../protocol/errors.js';
import type { Session } from '../../protocol/message/session.js';

/** Converts a binary message to the type of the option `binaryType`. An `ArrayBuffer` is a copy of exactly the message. */
export function toBinaryType(data: Buffer, type: BinaryType): Buffer | ArrayBuffer | Blob {
  switch (type) {
    case 'nodebuffer':
      return data;
    case 'arraybuffer':
      return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
    case 'blob':
      return new Blob([data as Uint8Array<ArrayBuffer>]);
    default:
      return type satisfies never;
  }
}

/**
 * Converts a message received by `session` to the type of the option `binaryType`. If there is no memory for a copy, the session fails
 * and the result is undefined.
 */
export function receivedAs(
  data: string | Buffer,
  type: BinaryType,
  session: Pick<Session, 'fail'>,
): string | Buffer | ArrayBuffer | Blob | undefined {
  if (typeof data === 'string' || type === 'nodebuffer') return data;
  try {
    return toBinaryType(data, type);
  } catch (error) {
    session.fail(new InternalError(error));
    return undefined;
  }
}
