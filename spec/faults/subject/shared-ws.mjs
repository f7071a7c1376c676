// The server that is compared with that of shared.mjs: three servers of ws on one http server, as the README of ws writes it.
import { WebSocketServer } from 'ws';
import { noteWs, startShared } from './start-shared.mjs';

export function start(options, _hook, vitals) {
  return startShared(options, vitals, (http, old) => {
    const servers = new Map([['/old', old]]);
    for (const path of ['/esm', '/cjs']) {
      const server = new WebSocketServer({ noServer: true });
      noteWs(server, vitals);
      servers.set(path, server);
    }
    http.on('upgrade', (request, socket, head) => {
      const server = servers.get(request.url.split('?')[0]);
      if (server === undefined) socket.destroy();
      else server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws, request));
    });
  });
}
