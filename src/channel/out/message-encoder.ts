import { NO_OPTIONS } from '../../connection/outgoing.js';
import { Opcode } from '../../protocol/frame/opcode.js';
import { SharedFrame, type SharedFrames } from '../../protocol/frame/shared-frame.js';
import { type Classified, opcodeOf } from './classify.js';
import { type DeflateMessage, RSV1, SYNCHRONOUS_DEFLATE } from './deflating.js';
import type { PartedMessage, PartsSettings } from './parts-sender.js';
import type { ReadyMessage, WireSettings } from './wire.js';

const FIN = 0x80;

/** A message that is encoded only when its turn comes. */
export type LaterMessage = PartedMessage | DeflateMessage;

/** An encoded message: a frame that lacks only its header, or a message to be encoded later. */
export type Encoded = ReadyMessage | LaterMessage;

/** Options of {@link encodeMessage}. */
interface Encoding {
  readonly settings: Pick<PartsSettings & WireSettings, 'compressor' | 'maskKey'>;
  /** Size of the payload in bytes. */
  readonly size: number;
  /**
   * Whether the message is sent now: with context takeover, a waiting message must not be compressed before those ahead of it. Called
   * after the application's predicate, which may have sent something.
   */
  readonly isDirect: () => boolean;
}

/**
 * Decides whether to compress `item`, and compresses it if that can be done immediately.
 *
 * @throws UsageError COMPRESS_FAILED when the application's predicate throws.
 */
export function encodeMessage(item: Classified, { settings, size, isDirect }: Encoding): Encoded {
  const { compressor, maskKey } = settings;
  if (item.kind === 'blob' || item.kind === 'fragments') return item;
  const data = item.kind === 'text' ? item.text : item.bytes;
  const firstByte = FIN | opcodeOf(item);
  // §5.3: masked frames differ between connections.
  const shared = maskKey === undefined ? item.shared : undefined;
  if (compressor?.wants(data, size, item.options) !== true) {
    if (shared !== undefined) return shared.asGiven(firstByte, () => bytesOf(item));
    return item.kind === 'text' ? item : { kind: 'frame', firstByte, payload: item.bytes };
  }
  const { deflater } = compressor;
  const frames = deflater.keepsContext ? undefined : shared;
  const known = frames?.deflated(deflater.group);
  if (known !== undefined) return known;
  const bytes = bytesOf(item);
  const message = item.options === NO_OPTIONS ? item.shared : item.options;
  const mustWait = deflater.keepsContext && !isDirect();
  if (mustWait || size > SYNCHRONOUS_DEFLATE) return { kind: 'deflate', firstByte, bytes, deflater, shared: message };
  const output = deflater.compress(bytes, message);
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
): SharedFrame {
  if (output !== undefined) return frames.addDeflated(group, new SharedFrame(firstByte | RSV1, output));
  return frames.addDeflated(
    group,
    frames.asGiven(firstByte, () => bytes),
  );
}

/** Whether `item` is encoded only when its turn comes. */
export function isLater(item: Encoded): item is LaterMessage {
  return item.kind !== 'text' && item.kind !== 'frame' && item.kind !== 'shared';
}

/** The first byte of a text message in one frame. */
export const TEXT_FRAME: number = FIN | Opcode.text;

/** The first byte of a Close frame. */
export const CLOSE_FRAME: number = FIN | Opcode.close;
