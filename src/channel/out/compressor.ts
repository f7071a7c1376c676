import { describeThrown } from '../../base/thrown.js';
import type { MessageOptions } from '../../connection/outgoing.js';
import type { MessageDeflater } from '../../protocol/deflate/message-deflater.js';
import { UsageError } from '../../protocol/errors.js';

/** Decides which messages of a connection are compressed. */
export class Compressor {
  readonly deflater: MessageDeflater;
  readonly #predicate: ((data: string | Uint8Array) => boolean) | undefined;

  /** @param predicate the option `perMessageDeflate.compress`. */
  constructor(deflater: MessageDeflater, predicate: ((data: string | Uint8Array) => boolean) | undefined) {
    this.deflater = deflater;
    this.#predicate = predicate;
  }

  /**
   * Whether to compress `data`.
   *
   * @param size of it in bytes.
   * @throws UsageError COMPRESS_FAILED when the application's predicate throws.
   */
  wants(data: string | Uint8Array, size: number, { compress }: MessageOptions): boolean {
    if (compress !== undefined) return compress;
    if (size < this.deflater.threshold) return false;
    try {
      return this.#predicate?.(data) !== false;
    } catch (cause) {
      throw new UsageError('COMPRESS_FAILED', `perMessageDeflate.compress threw: ${describeThrown(cause)}`, { cause });
    }
  }
}
