import type { Duplex } from 'node:stream';

/** A stream over a handle of libuv. TLS has one of its own, over that of its socket. */
interface HandledStream extends Duplex {
  readonly _handle?: QueueingHandle | null;
}

/** A handle that says how many bytes of its writes the kernel has not taken. Node's own `socket.setTimeout` reads it too. */
interface QueueingHandle {
  readonly writeQueueSize?: unknown;
  readonly _parent?: QueueingHandle | null;
}

/**
 * About how many bytes that were written to `stream` the kernel has not taken. `writableLength` stays the same until a write has left
 * as a whole; the handles of TCP, Unix sockets and TLS show how a large one progresses. With TLS it is the encrypted bytes. Any other
 * stream, and a runtime without such handles, gives `writableLength`.
 */
export function unsentOf(stream: Duplex): number {
  const { _handle: handle } = stream as HandledStream;
  // The handle of TLS takes a write as a whole. What it has encrypted waits in the handle below it.
  for (const queued of [handle?._parent?.writeQueueSize, handle?.writeQueueSize]) {
    if (typeof queued === 'number') return queued;
  }
  return stream.writableLength;
}
