/** Streams that are no sockets. */
import { Duplex } from 'node:stream';

/** Bytes that a {@link duplexPair} keeps on each side, in and out, before it wants its writer to wait. */
export const PAIR_MARK = 1024;

class End extends Duplex {
  other: End | undefined;
  #taken: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: PAIR_MARK });
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const other = this.other as End;
    if (other.push(chunk)) process.nextTick(callback);
    else other.#taken = callback;
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }

  /** The other side is gone too, in the next turn: as when a connection is reset. */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    setImmediate(() => this.other?.destroy());
    callback(error);
  }
}

/** Two streams: what is written to one is read from the other. */
export function duplexPair(): [Duplex, Duplex] {
  const [one, other] = [new End(), new End()];
  one.other = other;
  other.other = one;
  return [one, other];
}
