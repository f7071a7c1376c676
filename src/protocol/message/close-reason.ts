/** The maximum payload of a control frame (125 bytes, RFC 6455 §5.5) without the status code. */
export const MAX_REASON_BYTES = 123;

const encoder = new TextEncoder();

/** Returns the longest prefix of `reason` that fits in a Close frame (123 bytes of UTF-8) and ends with a whole code point. */
export function truncateReason(reason: string): string {
  // 123 UTF-16 units are at least 123 bytes: the rest cannot fit, however long it is
  const bytes = encoder.encode(reason.slice(0, MAX_REASON_BYTES + 1));
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
