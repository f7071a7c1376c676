import type { Duplex } from 'node:stream';

/** A stream over a libuv handle. TLS has its own handle, over that of its socket. */
interface HandledStream extends Duplex {
  readonly _handle?: QueueingHandle | null;
}

/** A handle that reports how many written bytes the kernel has not accepted. Node's own `socket.setTimeout` reads it too. */
interface QueueingHandle {
  readonly writeQueueSize?: unknown;
  readonly _parent?: QueueingHandle | null;
}

/**
 * Returns approximately how many bytes written to `stream` the kernel has not accepted. `writableLength` only changes when a whole write
 * has completed, but the handles of TCP, Unix sockets and TLS show the progress of a large one. With TLS the encrypted bytes are counted.
 * For any other stream, and in a runtime without such handles, it is `writableLength`.
 */
export function unsentOf(stream: Duplex): number {
  const { _handle: handle } = stream as HandledStream;
  // The TLS handle accepts a write as a whole. The encrypted bytes wait in the handle under it.
  for (const queued of [handle?._parent?.writeQueueSize, handle?.writeQueueSize]) {
    if (typeof queued === 'number') return queued;
  }
  return stream.writableLength;
}
