import type { Connection } from '../../connection/connection.js';
import { type Codec, checkCodec } from './codec.js';
import { CodecConnection } from './codec-connection.js';

/**
 * Makes typed connections: `messages$` emits decoded values, and `send`, `trySend` and `sendFrom` take values to encode. All other
 * members are those of the connection. Use either the typed or the original connection for messages, not both.
 *
 * A message that cannot be decoded closes the connection with 1007: `close$.error` is a `ProtocolError` MESSAGE_INVALID that quotes the
 * beginning of the message and says what is wrong, and no later message is delivered. With the codec's policy `'drop'` it is reported
 * to the diagnostics and skipped. It is never an error of `messages$`. A value that cannot be encoded closes with 1011 and a
 * `UsageError` ENCODE_FAILED, like any value that cannot be sent; `trySend` throws it, `sendFrom` errors with it.
 *
 * Messages are decoded once for all subscribers, and for all open questions of `ask`. `demandMap`, `gate` and similar operators can
 * hold the typed `messages$` too.
 *
 *     messages         -1-2-x-3-|      x cannot be decoded
 *     typed, 'close'   -a-b-|          1007, as soon as the peer has answered
 *     typed, 'drop'    -a-b---c-|
 *
 * @throws TypeError at the call for a codec without `decode` or `encode`, or with an `invalid` that is not allowed.
 * @example serve(8080).pipe(map(withCodec(json<Chat>())), handleConnections((conn) => conn.messages$.pipe(sendTo(conn)))).subscribe();
 */
export function withCodec<I, O>(codec: Codec<I, O>): <D>(conn: Connection<D>) => Connection<D, I, O> {
  checkCodec(codec);
  return (conn) => new CodecConnection(conn, codec);
}

/** Returns `conn` as the application holds it: typed by `codec`, if given. */
export function typedConnection<D, I, O>(
  conn: Connection<D>,
  codec: Codec<unknown, unknown> | undefined,
): Connection<D, I, O> {
  // Without a codec, the connection has its original message types.
  const typed: unknown = codec === undefined ? conn : new CodecConnection(conn, codec);
  return typed as Connection<D, I, O>;
}
