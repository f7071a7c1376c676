/**
 * One HTTP server for everything: routes of the application, two WebSocket servers of sluice, and another library beside them.
 *
 *     npx tsx examples/http-coexistence.ts
 *     curl http://localhost:8080/health
 *     npx tsx examples/terminal-client.ts ws://localhost:8080/echo
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromEvent, ignoreElements, interval, map, merge, mergeMap, startWith, takeUntil, throwError } from 'rxjs';
import { handleConnections, sendTo, serve } from 'sluice';
import { WebSocketServer as OtherLibrary } from 'ws';

// Whatever takes (request, response): an Express application goes here as it is.
const app: RequestListener = (request, response) => {
  if (request.url === '/health') response.end('fine');
  else response.writeHead(404).end('no such page');
};
const http = createServer(app);

// Both share one 'upgrade' listener. Plain requests to their paths are still the application's.
const echo = serve({ server: http, path: '/echo' });
const clock = serve({ server: http, path: '/clock' });

const echo$ = echo.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn))));

const time$ = interval(1000).pipe(
  startWith(0),
  map(() => new Date().toISOString()),
);
const clock$ = clock.pipe(handleConnections((conn) => time$.pipe(takeUntil(conn.close$), sendTo(conn))));

// Another library brings a listener of its own, and is told only of its path. From then on the requests that no `serve` takes are
// that listener's, the wrong ones too. (Without any other listener sluice answers them with 404.)
const other = new OtherLibrary({ noServer: true });
other.on('connection', (socket) => socket.send('this is the other library'));
const ours = new Set(['/echo', '/clock']);
http.on('upgrade', (request, socket, head) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (ours.has(pathname)) return;
  if (pathname === '/other') other.handleUpgrade(request, socket, head, (conn) => other.emit('connection', conn));
  else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
});

// The HTTP server is the application's: sluice neither starts nor stops it, and its errors are the application's to see.
const failed$ = fromEvent(http, 'error').pipe(mergeMap((error) => throwError(() => error)));
merge(echo$, clock$, failed$.pipe(ignoreElements())).subscribe({
  error: (error: Error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exitCode = 1;
  },
});

http.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`http server listening on http://localhost:${(http.address() as AddressInfo).port}`);
});
