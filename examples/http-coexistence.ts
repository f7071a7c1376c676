/**
 * One HTTP server for everything: routes of the application, two WebSocket servers of sluice, and another library next to them.
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

// Any function of (request, response). An Express application works here unchanged.
const app: RequestListener = (request, response) => {
  if (request.url === '/health') response.end('fine');
  else response.writeHead(404).end('no such page');
};
const http = createServer(app);

// Both share one 'upgrade' listener. Plain requests to their paths still go to the application.
const echo = serve({ server: http, path: '/echo' });
const clock = serve({ server: http, path: '/clock' });

const echo$ = echo.pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn))));

const time$ = interval(1000).pipe(
  startWith(0),
  map(() => new Date().toISOString()),
);
const clock$ = clock.pipe(handleConnections((conn) => time$.pipe(takeUntil(conn.close$), sendTo(conn))));

// Another library has its own listener, which hands it only requests for its path. That listener must now answer all requests that no
// `serve` takes, including those for unknown paths. (Without another listener sluice answers them with 404.)
const other = new OtherLibrary({ noServer: true });
other.on('connection', (socket) => socket.send('this is the other library'));
const ours = new Set(['/echo', '/clock']);
http.on('upgrade', (request, socket, head) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (ours.has(pathname)) return;
  if (pathname === '/other') other.handleUpgrade(request, socket, head, (conn) => other.emit('connection', conn));
  else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
});

// The HTTP server belongs to the application: sluice neither starts nor stops it, and the application must handle its errors.
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
