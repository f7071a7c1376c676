/**
 * A server that authenticates its clients, and two clients: one with a valid token, and one with a guessed one.
 *
 *     npx tsx examples/authenticated-client.ts
 */
import type { AddressInfo } from 'node:net';
import { catchError, concat, ignoreElements, map, merge, mergeMap, type Observable, of, take, tap } from 'rxjs';
import { type Connection, connect, HandshakeError, handleConnections, reject, sendTo, serve } from 'sluice';

interface User {
  readonly name: string;
  readonly role: 'admin' | 'guest';
}

const users = new Map<string, User>([['token-of-ann', { name: 'Ann', role: 'admin' }]]);

const server = serve({
  port: Number(process.env.PORT ?? 8080),
  // May be asynchronous: return a Promise or an Observable. The value becomes `conn.data`, unless it is a rejection.
  authenticate: (request) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    return users.get(token) ?? reject(401, undefined, { 'WWW-Authenticate': 'Bearer' }, 'unknown token');
  },
});

// `conn.data` is a User here: the types know what `authenticate` returns.
const greet = (conn: Connection<User>): Observable<unknown> =>
  concat(of(`hello ${conn.data.name}, you are ${conn.data.role}`), conn.messages$).pipe(sendTo(conn));

/** Connects with `token`, and emits the first message, or the reason why there is none. */
function firstMessage(url: string, token: string): Observable<string> {
  return connect(url, { headers: { Authorization: `Bearer ${token}` } }).pipe(
    mergeMap((conn) => conn.messages$),
    map(String),
    // Unsubscribing closes the connection with 1000.
    take(1),
    catchError((error: unknown) => {
      // Other errors (no network, no such server) are passed on.
      if (error instanceof HandshakeError) return of(`refused: ${error.status} ${error.body}`);
      throw error;
    }),
  );
}

const clients$ = server.listening$.pipe(
  map((address) => `ws://localhost:${(address as AddressInfo).port}`),
  tap((url) => console.log(`authenticating server listening on ${url}`)),
  mergeMap((url) => concat(firstMessage(url, 'token-of-ann'), firstMessage(url, 'guessed'))),
  tap((line) => console.log(line)),
);

merge(server.pipe(handleConnections(greet)), clients$.pipe(ignoreElements())).subscribe({
  error: (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
});
