import type { Server as HttpServer } from 'node:http';
import type { ListenEvents, Listener } from './listener.js';
import { addRoute, type Route } from './upgrade-router.js';

/** Attaches to an HTTP server that somebody else made and ends. */
export function listenShared(server: HttpServer, route: Omit<Route, 'receive'>, events: ListenEvents): Listener {
  const leave = addRoute(server, { ...route, receive: (upgrade) => events.upgrade(upgrade) });
  const onListening = (): void => events.listening(server.address());
  const onClose = (): void => {
    close();
    events.closed();
  };
  const close = (): void => {
    leave();
    server.off('listening', onListening).off('close', onClose);
  };
  server.on('listening', onListening).on('close', onClose);
  if (server.listening) onListening();
  return { address: () => server.address(), close };
}
