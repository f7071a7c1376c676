import type { Duplex } from 'node:stream';

/** The handle of a TLS socket, over the handle of its transport. */
interface TlsHandle {
  readonly writeQueueSize?: unknown;
  readonly _parent?: ReadHandle | null;
}

/** A handle that reads the encrypted bytes. */
export interface ReadHandle {
  readStop(): unknown;
  readStart(): unknown;
}

/**
 * Returns the handle that reads the encrypted bytes of `socket` if it continues to read while the socket is paused, which would buffer
 * everything that the peer sends. The TLS of Deno (2.9) does so. The TLS of Node stops the transport by itself, and its handles report what
 * they have queued for writing, which tells the two apart. Returns `undefined` if there is nothing to stop.
 */
export function unstoppedReader(socket: Duplex): ReadHandle | undefined {
  const { _handle: handle } = socket as Duplex & { readonly _handle?: TlsHandle | null };
  const reader = handle?._parent;
  if (handle === undefined || handle === null || 'writeQueueSize' in handle) return undefined;
  const isReader = typeof reader?.readStop === 'function' && typeof reader.readStart === 'function';
  return isReader ? reader : undefined;
}
