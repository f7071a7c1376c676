import type { Batch } from './batch.js';

/** The most bytes of waiting pongs, headers included. Beyond that only the latest pong is kept. */
const PONG_LIMIT = 4096;

/** A control frame that is not encoded yet. */
interface ControlFrame {
  readonly firstByte: number;
  readonly payload: Uint8Array;
}

/** Control frames that wait for the transport. They are sent before all messages: RFC 6455 §5.4 allows it, and heartbeats need it. */
export class ControlLane {
  /** Size of the waiting frames, in bytes. */
  size = 0;
  readonly #header: number;
  #frames: ControlFrame[] = [];
  #pongs = 0;
  #latest: ControlFrame | undefined;

  /** @param header size of the header of a control frame, in bytes. */
  constructor(header: number) {
    this.#header = header;
  }

  /** Adds a frame that is never dropped. */
  add(firstByte: number, payload: Uint8Array): void {
    this.#frames.push({ firstByte, payload });
    this.size += this.#header + payload.length;
  }

  /**
   * Adds the answer to a ping. RFC 6455 §5.5.3: an endpoint "MAY elect to send a Pong frame for only the most recently processed
   * Ping frame". It does so if the peer does not read them.
   */
  addPong(firstByte: number, payload: Uint8Array): void {
    const size = this.#header + payload.length;
    if (this.#pongs + size <= PONG_LIMIT) {
      this.#pongs += size;
      this.add(firstByte, payload);
      return;
    }
    this.size += payload.length - (this.#latest?.payload.length ?? -this.#header);
    this.#latest = { firstByte, payload };
  }

  /** Moves all frames to `batch`. */
  moveTo(batch: Batch, maskKey: (() => number) | undefined): void {
    if (this.size === 0) return;
    for (const { firstByte, payload } of this.#frames) batch.payload(firstByte, payload, maskKey?.());
    if (this.#latest !== undefined) batch.payload(this.#latest.firstByte, this.#latest.payload, maskKey?.());
    this.clear();
  }

  /** Discards all frames. */
  clear(): void {
    this.#frames = [];
    this.#latest = undefined;
    this.#pongs = 0;
    this.size = 0;
  }
}
