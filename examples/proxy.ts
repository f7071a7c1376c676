/**
 * A proxy with backpressure: a slow reader on one side slows the sender on the other side down, through both sockets, and the
 * proxy holds no more than a few blocks of either.
 *
 *     PORT=8081 npm start                                           # something to connect to
 *     UPSTREAM=ws://localhost:8081 npx tsx examples/proxy.ts
 *     npx tsx examples/terminal-client.ts ws://localhost:8080
 */
import type { AddressInfo } from 'node:net';
import { merge, mergeMap, type Observable, tap } from 'rxjs';
import { type Connection, ConnectionClosedError, connect, handleConnections, link, serve } from 'sluice';

const upstream = process.env.UPSTREAM ?? 'ws://localhost:8081';

// What the client sends while we dial waits in its connection: nobody has subscribed to its messages yet.
function forward(client: Connection): Observable<never> {
  return connect(upstream).pipe(mergeMap((target) => link(client, target)));
}

function onError(error: unknown, client: Connection): void {
  // `link` has passed the code of the upstream on to the client already: that the connection ended is no news.
  if (error instanceof ConnectionClosedError) return;
  console.error(`${upstream}: ${(error as Error).message}`);
  client.close(1014, 'the upstream cannot be reached');
}

const server = serve({ port: Number(process.env.PORT ?? 8080) });
const ready$ = server.listening$.pipe(
  tap((address) => console.log(`proxy to ${upstream} listening on ws://localhost:${(address as AddressInfo).port}`)),
);

merge(server.pipe(handleConnections(forward, { onError })), ready$).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
});
