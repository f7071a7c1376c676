import {
  type FragmentedMessage,
  isBlob,
  type MessageOptions,
  NO_OPTIONS,
  toBytes,
  type WholeMessage,
} from '../../connection/outgoing.js';
import { outgoingSymbol as brand, type SharedMessage } from '../../connection/shared-message.js';
import { UsageError } from '../../protocol/errors.js';
import { headerLength } from '../../protocol/frame/frame-header.js';
import { Opcode } from '../../protocol/frame/opcode.js';
import { SharedFrames } from '../../protocol/frame/shared-frame.js';
import { isValidUtf8 } from '../../protocol/frame/utf8.js';

/** A message whose payload is available. */
interface Ready {
  readonly options: MessageOptions;
  /** Its frames; undefined unless it goes to several connections. */
  readonly shared: SharedFrames | undefined;
}

/** An outgoing value by its kind. */
export type Classified =
  | ({ readonly kind: 'text'; readonly text: string } & Ready)
  | ({ readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly binary: boolean } & Ready)
  | { readonly kind: 'blob'; readonly blob: Blob; readonly binary: boolean; readonly options: MessageOptions }
  | { readonly kind: 'fragments'; readonly message: FragmentedMessage };

/**
 * Determines the kind of `value`.
 *
 * @throws UsageError UNSUPPORTED_DATA for anything that cannot be sent, UTF8_INVALID for bytes to be sent as text that are not UTF-8.
 * @internal
 */
export function classify(value: unknown): Classified {
  // First, because most values here are bytes: checking their brand and tag costs as much as their frame (see `bench: 32 B binary, 16 in flight`).
  if (value instanceof Uint8Array) return classifyPayload(value);
  if (typeof value === 'object' && value !== null && brand in value) {
    const outgoing = value as WholeMessage | FragmentedMessage | SharedMessage<unknown, Classified>;
    if (outgoing[brand] === 'shared') {
      outgoing.item ??= share(classify(outgoing.value));
      return outgoing.item;
    }
    return outgoing[brand] === 'fragments'
      ? { kind: 'fragments', message: outgoing }
      : classifyPayload(outgoing.data, outgoing);
  }
  return classifyPayload(value);
}

/** The frames of a message that goes to several connections; undefined until one of them has classified it. */
export function sharedFramesOf({ item }: SharedMessage): SharedFrames | undefined {
  return (item as Partial<Ready> | undefined)?.shared;
}

function share(item: Classified): Classified {
  return item.kind === 'text' || item.kind === 'bytes'
    ? { ...item, shared: new SharedFrames(payloadSizeOf(item), item.options.compress) }
    : item;
}

function classifyPayload(data: unknown, options: MessageOptions = NO_OPTIONS): Classified {
  const { binary } = options;
  if (typeof data === 'string')
    return binary === true
      ? { kind: 'bytes', bytes: Buffer.from(data), binary, options, shared: undefined }
      : { kind: 'text', text: data, options, shared: undefined };
  if (!(data instanceof Uint8Array) && isBlob(data)) {
    return { kind: 'blob', blob: data, binary: binary ?? true, options };
  }
  const bytes = toBytes(data);
  if (binary === false && !isValidUtf8(bytes)) {
    throw new UsageError('UTF8_INVALID', 'binary: false requires bytes of valid UTF-8');
  }
  return { kind: 'bytes', bytes, binary: binary ?? true, options, shared: undefined };
}

/** The opcode of a message. RFC 6455 §11.8. */
export function opcodeOf(item: Extract<Classified, { kind: 'text' | 'bytes' }>): Opcode {
  return item.kind === 'bytes' && item.binary ? Opcode.binary : Opcode.text;
}

/** Size of a message's payload in bytes, as far as known before its turn. */
export function payloadSizeOf(item: Classified): number {
  switch (item.kind) {
    case 'text':
      return item.shared?.size ?? Buffer.byteLength(item.text);
    case 'bytes':
      return item.bytes.length;
    case 'blob':
      return item.blob.size;
    case 'fragments':
      return 0;
    default:
      return item satisfies never;
  }
}

/** Size in bytes of the frames of a message with a payload of `size` bytes, as far as known before its turn. */
export function frameSizeOf({ kind }: Classified, size: number, masked: boolean): number {
  return kind === 'text' || kind === 'bytes' ? headerLength(size, masked) + size : size;
}
