import { Opcode } from '../protocol/opcode.js';
import { type FinishedFrame, finishFrame } from '../protocol/shared-message.js';
import type { Compressor } from './compressor.js';
import { type DeflateMessage, RSV1, SYNCHRONOUS_DEFLATE } from './deflate-sender.js';
import { type Classified, NO_OPTIONS, opcodeOf } from './outgoing.js';
import type { PartedMessage } from './parts-sender.js';
import type { SharedFrames } from './shared-frames.js';

const FIN = 0x80;

/** What is encoded only when its turn comes. */
export type LaterMessage = PartedMessage | DeflateMessage;

/** A message as it goes on: a frame that is ready but for its header, or something for later. */
export type Encoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'frame'; readonly firstByte: number; readonly payload: Uint8Array }
  | FinishedFrame
  | LaterMessage;

/** What {@link encodeMessage} needs to know of the connection. */
interface EncodingSettings {
  readonly compressor: Compressor | undefined;
  /** Of the payload in bytes. */
  readonly size: number;
  /** Whether frames are masked, so that none is the same for two connections. RFC 6455 §5.3. */
  readonly isMasked: boolean;
  /**
   * Whether it goes out now: with context takeover, what waits must not be compressed before what is before it. Asked behind the
   * application's predicate, that may have sent something.
   */
  readonly isDirect: () => boolean;
}

/**
 * Decides whether `item` is compressed, and does it when that can be done at once.
 *
 * @throws UsageError COMPRESS_FAILED when the application's predicate throws.
 */
export function encodeMessage(item: Classified, { compressor, size, isMasked, isDirect }: EncodingSettings): Encoded {
  if (item.kind === 'blob' || item.kind === 'fragments') return item;
  const data = item.kind === 'text' ? item.text : item.bytes;
  const firstByte = FIN | opcodeOf(item);
  if (compressor?.wants(data, size, item.options) !== true) {
    if (item.shared !== undefined && !isMasked)
      return item.shared.plain ?? item.shared.finish(firstByte, bytesOf(item));
    return item.kind === 'text' ? item : { kind: 'frame', firstByte, payload: item.bytes };
  }
  const { deflater } = compressor;
  const frames = isMasked || deflater.keepsContext ? undefined : item.shared;
  const known = frames?.deflated(deflater.group);
  if (known !== undefined) return known;
  const bytes = bytesOf(item);
  const shared = item.options === NO_OPTIONS ? item.shared : item.options;
  const mustWait = deflater.keepsContext && !isDirect();
  if (mustWait || size > SYNCHRONOUS_DEFLATE) return { kind: 'deflate', firstByte, bytes, deflater, shared };
  const output = deflater.compress(bytes, shared);
  if (frames !== undefined) return addDeflated(frames, deflater.group, { firstByte, bytes, output });
  if (output === undefined) return { kind: 'frame', firstByte, payload: bytes };
  return { kind: 'frame', firstByte: firstByte | RSV1, payload: output };
}

function bytesOf(item: Extract<Classified, { kind: 'text' | 'bytes' }>): Uint8Array {
  return item.kind === 'text' ? Buffer.from(item.text) : item.bytes;
}

function addDeflated(
  frames: SharedFrames,
  group: string,
  { firstByte, bytes, output }: { firstByte: number; bytes: Uint8Array; output: Uint8Array | undefined },
): FinishedFrame {
  if (output !== undefined) return frames.addDeflated(group, finishFrame(firstByte | RSV1, output));
  return frames.addDeflated(group, frames.plain ?? frames.finish(firstByte, bytes));
}

/** Whether it is encoded only when its turn comes. */
export function isLater(item: Encoded): item is LaterMessage {
  return item.kind !== 'text' && item.kind !== 'frame' && item.kind !== 'finished';
}

/** The opcode byte of text that is one frame. */
export const TEXT_FRAME: number = FIN | Opcode.text;
