// A server that sends each message to all with ws, as its README writes it.
import { WebSocket, WebSocketServer } from 'ws';
import { announce } from './child.mjs';

const server = new WebSocketServer({ port: 0, perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
server.on('listening', () => announce(server.address().port));
server.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (data, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
});
