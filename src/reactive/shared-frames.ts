import { type FinishedFrame, finishFrame } from '../protocol/shared-message.js';

/** The finished frames of one message that goes to several connections, made for the first that needs them. */
export class SharedFrames {
  /** Of the payload as it was given, in bytes. */
  readonly size: number;
  #plain: FinishedFrame | undefined;
  /** By the parameters of the compression. */
  #deflated: Map<string, FinishedFrame> | undefined;

  constructor(size: number) {
    this.size = size;
  }

  /** The frame of the message as it was given, if it was made. */
  get plain(): FinishedFrame | undefined {
    return this.#plain;
  }

  /** Makes {@link plain}. */
  finish(firstByte: number, payload: Uint8Array): FinishedFrame {
    this.#plain = finishFrame(firstByte, payload);
    return this.#plain;
  }

  /** The frame for connections that compress with these parameters, if it was made. */
  deflated(group: string): FinishedFrame | undefined {
    return this.#deflated?.get(group);
  }

  /** Makes {@link deflated}; one that does not pay is {@link plain}. */
  addDeflated(group: string, frame: FinishedFrame): FinishedFrame {
    this.#deflated ??= new Map();
    this.#deflated.set(group, frame);
    return frame;
  }
}
