/** What a port tells its owner. Nothing is called before {@link BytePort.open}, and nothing after `closed`. */
export interface PortEvents {
  /** Bytes arrived: the first `length` of `memory`. The owner may change them, and must not look at them any more once it returns. */
  bytes(memory: Buffer, length: number): void;
  /** The peer will send nothing more (FIN). Writing is still possible. */
  ended(): void;
  /** All that was written has left the process. Called only after `pending` had been above 0. */
  drained(): void;
  /**
   * A write has failed: nothing can be written any more. What has arrived is still delivered while it is wanted; `ended` or `closed`
   * follows once it was read.
   */
  broken(error: Error): void;
  /** The transport is gone, once. `error` when it was reset or failed. */
  closed(error: Error | undefined): void;
}

/** Something to be done at the flush point: see {@link BytePort.schedule}. */
export interface Flushable {
  /** Hands over what was written since the last call. Never throws. */
  flush(): void;
}

/**
 * A transport as the frames above it see it: bytes to and from one peer, over a socket of TCP or TLS, any Duplex, a stream of HTTP/2, or
 * memory in tests. It moves bytes, says how many have left, and calls its owner back; it knows nothing of frames. The owner asks for less
 * with `pause`, and waits with its next write while `pending` is above 0. No method throws, and each is harmless after the end.
 */
export interface BytePort {
  /** Whether bytes have left the process when `write` returns and `pending` is 0, so that their memory may be used again. */
  readonly synchronous: boolean;
  /** Bytes that were written and have not left the process. */
  readonly pending: number;
  /**
   * About how many of them the operating system has not taken. Changes while it takes a part of one large write, if the transport can
   * tell that; otherwise it is `pending`. Only heartbeats ask, so it may be slower than `pending`.
   */
  readonly unsent: number;
  /** Starts to deliver to `events`. */
  open(events: PortEvents): void;
  /** Writes the pieces in one go. They must not change until `pending` is 0. */
  write(pieces: readonly Uint8Array[]): void;
  /** Stops the delivery of bytes, as soon as the transport can. */
  pause(): void;
  /** Starts it again. */
  resume(): void;
  /** Sends FIN after what was written. */
  end(): void;
  /** Ends at once, with a reset where the transport has one. `closed` follows. */
  terminate(): void;
  /** Calls `task.flush()` at the end of the receive loop that is running, or else before the event loop goes on. */
  schedule(task: Flushable): void;
  /** The number of the turn of the event loop, counting only turns in which `isTurnOver` was called. */
  readonly currentTurn: number;
  /**
   * Whether all connections together have used this turn of the event loop, so that what is left to do is to be deferred.
   *
   * @param now what `performance.now()` gives.
   */
  isTurnOver(now: number): boolean;
  /** Calls `task` in a later turn of the event loop, after the other connections. */
  defer(task: () => void): void;
}
