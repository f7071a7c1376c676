/**
 * A gateway: it authenticates each client, limits each tenant, and passes the connection on to the service that the path names, with the
 * identity in header fields. Failures of clients, services and networks are not errors of the gateway, and print nothing.
 *
 *     PORT=8081 npx tsx examples/gateway/service.ts chat
 *     PORT=8082 npx tsx examples/gateway/service.ts orders
 *     npx tsx examples/gateway/main.ts
 *     npx tsx examples/terminal-client.ts ws://:key-of-ann@localhost:8080/chat
 */
import type { AddressInfo } from 'node:net';
import { fromEvent, ignoreElements, merge, mergeMap, type Observable, take, tap } from 'rxjs';
import { type Connection, connect, handleConnections, limitRate, link, reject, serve } from 'sluice';
import { type Identity, identify, plans } from './tenants.js';

// The services trust the header fields of the gateway, so they listen where nothing else can reach them.
const services = new Map([
  ['/chat', process.env.CHAT ?? 'ws://127.0.0.1:8081'],
  ['/orders', process.env.ORDERS ?? 'ws://127.0.0.1:8082'],
]);

const server = serve({
  port: Number(process.env.PORT ?? 8080),
  // All other paths get 404.
  path: (path) => services.has(path),
  authenticate: ({ headers }) =>
    identify(headers.authorization) ?? reject(401, undefined, { 'WWW-Authenticate': 'Basic realm="gateway"' }),
  limitBy: [
    // Of one address, checked before any work is done for it. The limits below cost a handshake first.
    { max: 100 },
    // Of one tenant, all its users together. Each plan has its own limit, and therefore its own entry.
    { max: plans.free.connections, dataKey: ({ plan, tenant }) => (plan === 'free' ? tenant : undefined) },
    { max: plans.paid.connections, dataKey: ({ plan, tenant }) => (plan === 'paid' ? tenant : undefined) },
  ],
  maxPayload: 65_536,
});

function forward(client: Connection<Identity>): Observable<unknown> {
  const { user, tenant, plan } = client.data;
  const { pathname } = new URL(client.url, 'ws://gateway');
  // This is a new request. It carries nothing that the client has sent: not its key, and not an X-Tenant of its own.
  const service$ = connect({
    url: services.get(pathname) ?? '',
    headers: { 'X-User': user, 'X-Tenant': tenant },
    perMessageDeflate: false,
  });
  // A second subscriber besides the link: while it holds the client, the link waits too. Nothing is dropped; the client is slowed down.
  const pace$ = client.messages$.pipe(limitRate({ messages: plans[plan].messages, perMs: 1_000 }));
  // Closes with 1014 if the service cannot be reached. Unsubscribing aborts the dial.
  return merge(pace$, link(client, service$)).pipe(ignoreElements());
}

const ready$ = server.listening$.pipe(
  tap((address) => console.log(`gateway listening on ws://localhost:${(address as AddressInfo).port}`)),
);

merge(server.pipe(handleConnections(forward)), ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
  complete: () => console.log('all clients are gone'),
});

// Closes clients with 1001, which the link passes on to the services. Then nothing keeps the process alive.
merge(fromEvent(process, 'SIGTERM'), fromEvent(process, 'SIGINT'))
  .pipe(
    take(1),
    mergeMap(() => server.close({ reason: 'restart', jitter: 500, timeout: 5_000 })),
  )
  .subscribe();
