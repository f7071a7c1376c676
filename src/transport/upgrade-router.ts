import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { isWebSocketUpgrade } from '../protocol/handshake-request.js';
import { type Rejection, reject } from '../protocol/rejection.js';
import { isTruncated, SocketUpgrade, type UpgradeRequest } from './upgrade-request.js';

/** One `serve({ server, path })` on a shared HTTP server. */
export interface Route {
  /** Whether the request is for it. Must not throw. */
  matches(request: IncomingMessage): boolean;
  receive(upgrade: UpgradeRequest): void;
  readonly scheduler: SchedulerLike;
}

const routers = new WeakMap<HttpServer, UpgradeRouter>();

/** Puts `route` on `server`, behind those that are there already. Returns how to take it off. */
export function addRoute(server: HttpServer, route: Route): () => void {
  const router = routers.get(server) ?? new UpgradeRouter(server);
  routers.set(server, router);
  router.add(route);
  return () => router.remove(route);
}

/** The one 'upgrade' listener that all routes of an HTTP server share. The first route that matches takes the request. */
class UpgradeRouter {
  readonly #server: HttpServer;
  #routes: readonly Route[] = [];

  constructor(server: HttpServer) {
    this.#server = server;
  }

  add(route: Route): void {
    if (this.#routes.length === 0) this.#server.on('upgrade', this.#onUpgrade);
    this.#routes = [...this.#routes, route];
  }

  remove(route: Route): void {
    this.#routes = this.#routes.filter((other) => other !== route);
    if (this.#routes.length === 0) this.#server.off('upgrade', this.#onUpgrade);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const hasOthers = this.#server.listenerCount('upgrade') > 1;
    if (!isWebSocketUpgrade(request.rawHeaders)) {
      if (hasOthers) return;
      // Without all its fields it would be another request: the length of its body may be among those that are missing.
      if (isTruncated(request)) refuse(request, socket, head, this.#routes[0] as Route, reject(431));
      else giveBack(this.#server, request, socket, head);
      return;
    }
    const route = this.#routes.find((candidate) => candidate.matches(request));
    if (route !== undefined) route.receive(new SocketUpgrade(request, socket, head, route.scheduler));
    else if (!hasOthers) refuse(request, socket, head, this.#routes[0] as Route, unknownPath());
  };
}

function unknownPath(): Rejection {
  return reject(404, undefined, undefined, 'There is no WebSocket at this path.');
}

function refuse(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { scheduler }: Route,
  rejection: Rejection,
): void {
  new SocketUpgrade(request, socket, head, scheduler).refuse(rejection);
}

/**
 * Hands a request to upgrade to something else back to the server, without its Upgrade: with any 'upgrade' listener Node 20
 * takes every such request out of the ordinary way, `Upgrade: h2c` of curl and Java clients too. A server may ignore Upgrade
 * (RFC 9110 §7.8).
 */
function giveBack(server: HttpServer, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    lines.push(`${name}: ${/^connection$/i.test(name) ? withoutUpgrade(value) : value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}

function withoutUpgrade(connection: string): string {
  const left = connection.split(',').filter((token) => !/^\s*(?:upgrade|http2-settings)\s*$/i.test(token));
  return left.length === 0 ? 'keep-alive' : left.join(',');
}
