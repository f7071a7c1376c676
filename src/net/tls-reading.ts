import type { Duplex } from 'node:stream';

/** The handle of a TLS socket, over that of its transport. */
interface TlsHandle {
  readonly writeQueueSize?: unknown;
  readonly _parent?: ReadHandle | null;
}

/** What reads the encrypted bytes. */
export interface ReadHandle {
  readStop(): unknown;
  readStart(): unknown;
}

/**
 * The handle that reads the encrypted bytes of `socket`, where it goes on reading while the socket is paused, so that all that the peer
 * sends would be kept: with the TLS of Deno (2.9). The TLS of Node stops the transport by itself, and its handles say what they have queued
 * for writing; that is how the two are told apart. `undefined` where nothing has to be stopped.
 */
export function unstoppedReader(socket: Duplex): ReadHandle | undefined {
  const { _handle: handle } = socket as Duplex & { readonly _handle?: TlsHandle | null };
  const reader = handle?._parent;
  if (handle === undefined || handle === null || 'writeQueueSize' in handle) return undefined;
  const isReader = typeof reader?.readStop === 'function' && typeof reader.readStart === 'function';
  return isReader ? reader : undefined;
}
