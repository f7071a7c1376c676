// An http server that WebSocket servers share, with a route that never answers.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** @param attach is given the http server, and a server of ws without one */
export async function startShared(_options, vitals, attach) {
  const http = createServer(({ url }, response) => {
    if (url !== '/slow') response.end('a page');
  });
  const old = new WebSocketServer({ noServer: true });
  noteWs(old, vitals);
  attach(http, old);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const sockets = () => new Promise((resolve) => http.getConnections((_, count) => resolve(count)));
  return { port: http.address().port, sockets };
}

/** Counts its connections, which send each message back. */
export function noteWs(server, vitals) {
  server.on('connection', (ws) => {
    vitals.opened++;
    ws.on('error', () => {});
    ws.on('close', (code) => vitals.noteClose(`${code}`));
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
}
