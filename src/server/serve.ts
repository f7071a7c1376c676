import type { BinaryType, MessageOf } from '../connection/connection.js';
import { type Authenticated, type DataOf, type ServeOptions, serveSettings } from './server-options.js';
import { WebSocketServer } from './web-socket-server.js';

/**
 * A WebSocket server, as an Observable of its connections. It listens while it is subscribed to; subscribers share it. See
 * {@link WebSocketServer} for when it completes and errors.
 *
 * @param options a port, or {@link ServeOptions}.
 * @typeParam R what `authenticate` returns: the type of `conn.data`, see {@link DataOf}.
 * @throws TypeError or RangeError at the call for an option that is not allowed.
 * @example serve(8080).pipe(mergeMap((conn) => conn.messages$)).subscribe(console.log);
 */
export function serve<R extends Authenticated<R> = never, B extends BinaryType = 'nodebuffer'>(
  options: number | ServeOptions<R, B>,
): WebSocketServer<DataOf<R>, MessageOf<B>> {
  const given = (typeof options === 'number' ? { port: options } : options) as ServeOptions<unknown, BinaryType>;
  return new WebSocketServer(given, serveSettings(given));
}
