import type { IncomingMessage } from '../connection/incoming-message.js';
import type { ListenEvents, Listener } from '../net/listener.js';
import { listenOwn } from '../net/own-server.js';
import { pickTlsOptions } from '../net/tls-server-options.js';
import { listenShared } from '../net/upgrade-router.js';
import type { AcceptSettings, AnyServeOptions } from './server-options.js';

/** Listens as the options of `serve` say: on a server of our own, on a shared one, or not at all. */
export function listen(
  options: AnyServeOptions,
  { handshakeTimeout, scheduler }: AcceptSettings,
  matches: (request: IncomingMessage) => boolean,
  events: ListenEvents,
): Listener {
  const { server, noServer, port, host, backlog, socketPath } = options;
  if (noServer === true) return { address: () => null, close: () => {} };
  if (server !== undefined) return listenShared(server, { matches, scheduler, handshakeTimeout }, events);
  const place = socketPath === undefined ? { port, ...(host !== undefined && { host }) } : { path: socketPath };
  const listenOptions = { ...place, ...(backlog !== undefined && { backlog }) };
  return listenOwn({ listen: listenOptions, tls: pickTlsOptions(options), handshakeTimeout, scheduler }, events);
}
