import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import { complain } from '../base/mistake.js';
import { report } from '../base/report.js';
import type { Duplex, UpgradeArguments } from '../connection/incoming-message.js';
import type { UsageError } from '../protocol/errors.js';
import { isWebSocketUpgrade } from '../protocol/handshake/read-request.js';
import { type Rejection, reject } from '../protocol/handshake/rejection.js';
import { canGiveBack, giveBack } from './give-back.js';
import type { ListenEvents, Listener } from './listener.js';
import { followAnswers } from './open-answers.js';
import { isTruncated } from './socket-upgrade.js';
import { isTaken, takeUpgrade } from './take-upgrade.js';
import { type UntakenLimits, watchUntaken } from './untaken.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** One `serve({ server, path })` on a shared HTTP server. */
export interface Route {
  /** Whether the request is for this route. Must not throw. */
  matches(request: IncomingMessage): boolean;
  receive(upgrade: UpgradeRequest): void;
  readonly scheduler: SchedulerLike;
  /** In milliseconds. Other listeners have the longest timeout of all routes. */
  readonly handshakeTimeout: number;
}

/**
 * The symbol that marks an 'upgrade' listener as a router of sluice. It is registered, so that the routers of several copies
 * of sluice recognize each other. The last of them answers requests that none has a route for.
 */
const routerSymbol: unique symbol = Symbol.for('sluice.router') as never;

const routers = new WeakMap<HttpServer, UpgradeRouter>();

/** Attaches to an HTTP server that the application created and closes. */
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

/** Adds `route` to `server`, after the existing ones. Returns a function that removes it. */
function addRoute(server: HttpServer, route: Route): () => void {
  const router = routers.get(server) ?? new UpgradeRouter(server);
  routers.set(server, router);
  router.add(route);
  return () => router.remove(route);
}

/** The one 'upgrade' listener that all routes of an HTTP server share. The first route that matches takes the request. */
class UpgradeRouter {
  readonly #server: HttpServer;
  #routes: readonly Route[] = [];
  /** Kept when the last route has left: an event that is being emitted still reaches the listener. */
  #limits: UntakenLimits | undefined;
  #unfollow: (() => void) | undefined;

  constructor(server: HttpServer) {
    this.#server = server;
  }

  add(route: Route): void {
    if (this.#routes.length === 0) this.#attach();
    this.#setRoutes([...this.#routes, route]);
  }

  remove(route: Route): void {
    if (!this.#routes.includes(route)) return;
    this.#setRoutes(this.#routes.filter((other) => other !== route));
    if (this.#routes.length === 0) this.#detach();
  }

  #attach(): void {
    // First, so that it sees what the other listeners do with a socket that it leaves to them.
    this.#server.prependListener('upgrade', this.#onUpgrade);
    this.#unfollow = followAnswers();
  }

  #detach(): void {
    this.#server.off('upgrade', this.#onUpgrade);
    this.#unfollow?.();
  }

  #setRoutes(routes: readonly Route[]): void {
    this.#routes = routes;
    const [first] = routes;
    if (first === undefined) return;
    const handshakeTimeout = Math.max(...routes.map((route) => route.handshakeTimeout));
    this.#limits = { scheduler: first.scheduler, handshakeTimeout };
  }

  readonly #onUpgrade = Object.assign(
    (...upgrade: [IncomingMessage, Duplex, Buffer]): void => {
      const [request, socket] = upgrade;
      if (isTaken(socket)) return;
      const isWebSocket = isWebSocketUpgrade(request.rawHeaders);
      const route = isWebSocket ? this.#routes.find((candidate) => candidate.matches(request)) : undefined;
      if (route !== undefined) {
        const error = takeUpgrade(upgrade, route.scheduler, (taken) => route.receive(taken));
        if (error !== undefined) this.#takenTwice(error);
        return;
      }
      const { isLast, hasForeign } = this.#rivals();
      if (!isLast) return;
      const limits = this.#limits as UntakenLimits;
      if (hasForeign) watchUntaken(upgrade, limits, () => refuse(upgrade, limits, isWebSocket ? noPath : noTaker));
      else if (isWebSocket) refuse(upgrade, limits, noPath);
      // With missing fields it would be a different request: one of them may be the length of its body.
      else if (isTruncated(request)) refuse(upgrade, limits, reject(431));
      else if (canGiveBack(upgrade)) giveBack(this.#server, upgrade);
      else refuse(upgrade, limits, noTaker);
    },
    { [routerSymbol]: true },
  );

  #takenTwice(error: UsageError): void {
    report('server-error', { error });
    complain(this.#server, { kind: 'upgrade', message: 'an upgrade was passed on twice', cause: error });
  }

  /** Returns whether this is the last router of sluice, and whether there are other listeners. */
  #rivals(): { isLast: boolean; hasForeign: boolean } {
    if (this.#server.listenerCount('upgrade') === 1) return alone;
    const listeners = this.#server.listeners('upgrade');
    const later = listeners.slice(listeners.indexOf(this.#onUpgrade) + 1);
    return { isLast: !later.some(isRouter), hasForeign: !listeners.every(isRouter) };
  }
}

const alone = { isLast: true, hasForeign: false } as const;

function isRouter(listener: unknown): boolean {
  return (listener as { [routerSymbol]?: unknown })[routerSymbol] === true;
}

const noPath = reject(404, undefined, undefined, 'There is no WebSocket at this path.');
const noTaker = reject(501, undefined, undefined, 'Nothing here upgrades to the requested protocol.');

function refuse(upgrade: UpgradeArguments, { scheduler }: UntakenLimits, rejection: Rejection): void {
  if (rejection === noPath) report('refuse', { request: upgrade[0], status: rejection.status, body: rejection.body });
  takeUpgrade(upgrade, scheduler, (taken) => taken.refuse(rejection));
}
