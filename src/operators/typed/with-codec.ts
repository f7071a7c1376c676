import type { Connection } from '../../connection/connection.js';
import { type Codec, checkCodec } from './codec.js';
import { CodecConnection } from './codec-connection.js';

/**
 * Makes typed connections: `messages$` emits what the codec decodes, `send`, `trySend` and `sendFrom` take what it encodes. Everything
 * else is the connection's own; use one or the other for messages, not both.
 *
 * A message that cannot be decoded closes the connection with 1007: `close$.error` is a `ProtocolError` MESSAGE_INVALID that quotes the
 * beginning of the message and says what is wrong, and nothing behind it is delivered. With the codec's policy `'drop'` it is reported
 * to the diagnostics and left out. It is never an error of `messages$`. A value that cannot be encoded closes with 1011 and a
 * `UsageError` ENCODE_FAILED, as anything that cannot be sent; `trySend` throws it, `sendFrom` errors with it.
 *
 * Messages are decoded once for all subscribers, and for all open questions of `ask`. `demandMap`, `gate` and their like find the hold on the typed `messages$` too.
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

/** `conn` as an application gets it: typed by `codec`, if there is one. */
export function typedConnection<D, I, O>(
  conn: Connection<D>,
  codec: Codec<unknown, unknown> | undefined,
): Connection<D, I, O> {
  // Without a codec the types of the messages are those of the connection itself.
  const typed: unknown = codec === undefined ? conn : new CodecConnection(conn, codec);
  return typed as Connection<D, I, O>;
}
