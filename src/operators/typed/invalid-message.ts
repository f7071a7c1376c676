import { excerpt } from '../../base/excerpt.js';
import { describeThrown } from '../../base/thrown.js';
import type { Message } from '../../connection/connection.js';
import { ProtocolError } from '../../protocol/errors.js';

/** The error for a message that a codec cannot decode. What was wrong goes first: a Close frame has room for 123 bytes. */
export function invalidMessage(message: Message, cause: unknown): ProtocolError {
  const found = typeof message === 'string' ? excerpt(message) : `a binary message of ${message.length} bytes`;
  const text = `invalid message: ${describeThrown(cause)}; found ${found}`;
  return new ProtocolError('MESSAGE_INVALID', 1007, text, { cause });
}
