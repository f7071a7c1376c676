import { Opcode } from '../protocol/opcode.js';
import type { Compressor } from './compressor.js';
import { type DeflateMessage, RSV1, SYNCHRONOUS_DEFLATE } from './deflate-sender.js';
import { type Classified, NO_OPTIONS, opcodeOf } from './outgoing.js';
import type { PartedMessage } from './parts-sender.js';

const FIN = 0x80;

/** What is encoded only when its turn comes. */
export type LaterMessage = PartedMessage | DeflateMessage;

/** A message as it goes on: a frame that is ready but for its header, or something for later. */
export type Encoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'frame'; readonly firstByte: number; readonly payload: Uint8Array }
  | LaterMessage;

/**
 * Decides whether `item` is compressed, and does it when that can be done at once.
 *
 * @param size of its payload in bytes.
 * @param isDirect whether it goes out now: with context takeover, what waits must not be compressed before what is before it. Asked
 *   behind the application's predicate, that may have sent something.
 * @throws UsageError COMPRESS_FAILED when the application's predicate throws.
 */
export function encodeMessage(
  item: Classified,
  { compressor, size, isDirect }: { compressor: Compressor | undefined; size: number; isDirect: () => boolean },
): Encoded {
  if (item.kind === 'blob' || item.kind === 'fragments') return item;
  const data = item.kind === 'text' ? item.text : item.bytes;
  const firstByte = FIN | opcodeOf(item);
  if (compressor?.wants(data, size, item.options) !== true) {
    return item.kind === 'text' ? item : { kind: 'frame', firstByte, payload: item.bytes };
  }
  const { deflater } = compressor;
  const bytes = item.kind === 'text' ? Buffer.from(item.text) : item.bytes;
  const shared = item.options === NO_OPTIONS ? undefined : item.options;
  const mustWait = deflater.keepsContext && !isDirect();
  if (mustWait || size > SYNCHRONOUS_DEFLATE) return { kind: 'deflate', firstByte, bytes, deflater, shared };
  const output = deflater.compress(bytes, shared);
  if (output === undefined) return { kind: 'frame', firstByte, payload: bytes };
  return { kind: 'frame', firstByte: firstByte | RSV1, payload: output };
}

/** Whether it is encoded only when its turn comes. */
export function isLater(item: Encoded): item is LaterMessage {
  return item.kind !== 'text' && item.kind !== 'frame';
}

/** The opcode byte of text that is one frame. */
export const TEXT_FRAME: number = FIN | Opcode.text;
