/** An unanswered ping. */
interface Outstanding {
  readonly payload: Uint8Array;
  readonly sentAt: number;
  readonly answered: (roundTrip: number) => void;
  readonly lost: () => void;
}

/** Shared, empty list. Do not add to it. */
const NONE: readonly never[] = [];

/** Matches pongs to the pings that were sent. */
export class PingTracker {
  /** The last round trip in milliseconds. */
  latency: number | undefined;
  readonly #clock: () => number;
  #outstanding: readonly Outstanding[] = NONE;
  #counter = 0;

  /** @param clock gives milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Whether a ping is unanswered. */
  get isWaiting(): boolean {
    return this.#outstanding.length > 0;
  }

  /** Returns a payload that is unique among the pings of this connection. */
  nextPayload(): Buffer {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(this.#counter++ >>> 0);
    return payload;
  }

  /** Records a sent ping. Returns a function that forgets it. */
  sent(payload: Uint8Array, answered: (roundTrip: number) => void, lost: () => void): () => void {
    const ping = { payload, sentAt: this.#clock(), answered, lost };
    // Pushing to an empty array reserves room for 17 entries, and every connection has one ping in transit now and then.
    if (this.#outstanding === NONE) this.#outstanding = [ping];
    else (this.#outstanding as Outstanding[]).push(ping);
    return () => {
      this.#outstanding = this.#outstanding.filter((other) => other !== ping);
    };
  }

  /**
   * A pong arrived. It answers the oldest ping with the same payload and all pings before that one, because a peer may answer only the
   * latest of several pings (RFC 6455 §5.5.3). A pong that matches no ping is unsolicited.
   */
  received(payload: Buffer): void {
    const index = this.#outstanding.findIndex((ping) => payload.equals(ping.payload));
    if (index < 0) return;
    const now = this.#clock();
    for (const { sentAt, answered } of this.#take(index + 1)) {
      this.latency = now - sentAt;
      answered(this.latency);
    }
  }

  /** No more pongs will arrive. */
  end(): void {
    for (const { lost } of this.#take(this.#outstanding.length)) lost();
  }

  #take(count: number): readonly Outstanding[] {
    const taken = this.#outstanding.slice(0, count);
    this.#outstanding = count === this.#outstanding.length ? NONE : this.#outstanding.slice(count);
    return taken;
  }
}
