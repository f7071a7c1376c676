/** Events that a port reports to its owner. Nothing is called before {@link BytePort.open} or after `closed`. */
export interface PortEvents {
  /** Bytes arrived: the first `length` of `memory`. The owner may change them, and must not use them after it returns. */
  bytes(memory: Buffer, length: number): void;
  /** The peer will send nothing more (FIN). Writing is still possible. */
  ended(): void;
  /** Everything that was written has left the process. Called only after `pending` was above 0. */
  drained(): void;
  /**
   * A write has failed: nothing more can be written. Bytes that have arrived are still delivered while there is demand; `ended` or
   * `closed` follows once they were read.
   */
  broken(error: Error): void;
  /** The transport has closed. Called once, with `error` if it was reset or failed. */
  closed(error: Error | undefined): void;
}

/** A task for the flush point: see {@link BytePort.schedule}. */
export interface Flushable {
  /** Hands over everything written since the last call. Never throws. */
  flush(): void;
}

/**
 * A transport as the frame layer sees it: bytes to and from one peer, over a TCP or TLS socket, any Duplex, an HTTP/2 stream, or
 * memory in tests. It moves bytes, counts how many have left, and calls its owner back; it knows nothing of frames. The owner slows
 * it down with `pause`, and does not write while `pending` is above 0. No method throws, and none has an effect after the end.
 */
export interface BytePort {
  /** Whether bytes have left the process if `pending` is 0 when `write` returns, so that their memory may be reused. */
  readonly synchronous: boolean;
  /** Bytes that were written but have not left the process. */
  readonly pending: number;
  /**
   * Approximately how many of them the operating system has not taken. Decreases during one large write if the transport can
   * observe that; otherwise it equals `pending`. Only heartbeats read it, so it may be slower than `pending`.
   */
  readonly unsent: number;
  /** Starts to deliver to `events`. */
  open(events: PortEvents): void;
  /** Writes the pieces in one operation. They must not change until `pending` is 0. */
  write(pieces: readonly Uint8Array[]): void;
  /** Stops the delivery of bytes, as soon as the transport can. */
  pause(): void;
  /** Resumes the delivery of bytes. */
  resume(): void;
  /** Sends FIN after everything written. */
  end(): void;
  /** Ends immediately, with a reset if the transport supports it. `closed` follows. */
  terminate(): void;
  /** Calls `task.flush()` at the end of the current receive loop, or if there is none before the event loop continues. */
  schedule(task: Flushable): void;
  /** The number of the current turn of the event loop. Counts only turns in which `isTurnOver` was called. */
  readonly currentTurn: number;
  /**
   * Whether all connections together have used up this turn of the event loop, so that remaining work must be deferred.
   *
   * @param now the current `performance.now()`.
   */
  isTurnOver(now: number): boolean;
  /** Calls `task` in a later turn of the event loop, after the other connections. */
  defer(task: () => void): void;
}
