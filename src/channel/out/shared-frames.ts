import { SharedFrame } from '../../protocol/frame/shared-frame.js';

/** The finished frames of one message that goes to several connections, made for the first that needs them. */
export class SharedFrames {
  /** Of the payload as it was given, in bytes. */
  readonly size: number;
  /** The size that says whether it is compressed; infinite where it is whatever its size. */
  readonly deflateSize: number;
  /** The frame of the message as it was given, once it was needed. */
  plain: SharedFrame | undefined;
  /** By the parameters of the compression. */
  readonly #deflated = new Map<string, SharedFrame>();

  constructor(size: number, compress: boolean | undefined) {
    this.size = size;
    this.deflateSize = compress === true ? Number.POSITIVE_INFINITY : size;
    this.plain = undefined;
  }

  /** The frame for connections that do not compress it. */
  asGiven(firstByte: number, payload: () => Uint8Array): SharedFrame {
    this.plain ??= new SharedFrame(firstByte, payload());
    return this.plain;
  }

  /** The frame for connections that compress with these parameters, if it was made. */
  deflated(group: string): SharedFrame | undefined {
    return this.#deflated.get(group);
  }

  /** Makes {@link deflated}. */
  addDeflated(group: string, frame: SharedFrame): SharedFrame {
    this.#deflated.set(group, frame);
    return frame;
  }
}
