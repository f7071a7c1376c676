/** A text that is the same for messages that are equal: as text, as bytes, or as JSON. Others are equal to themselves only. */
export function messageKey(message: unknown): unknown {
  if (typeof message === 'string') return `text ${message}`;
  const bytes = bytesOf(message);
  if (bytes !== undefined) return `bytes ${bytes.join(' ')}`;
  if (typeof message !== 'object' || message === null || !isPlain(message)) return message;
  try {
    return `json ${JSON.stringify(message)}`;
  } catch {
    return message;
  }
}

function bytesOf(message: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : undefined;
}

/** What JSON would show as it is: no Blob, and no message in parts. */
function isPlain(message: object): boolean {
  if (Array.isArray(message)) return true;
  const prototype = Object.getPrototypeOf(message) as unknown;
  return (
    (prototype === null || Object.getPrototypeOf(prototype) === null) &&
    Object.getOwnPropertySymbols(message).length === 0
  );
}
