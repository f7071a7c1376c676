// An echo server with ws, as its README writes it.
import { WebSocketServer } from 'ws';
import { announce } from './child.mjs';

const server = new WebSocketServer({ port: 0, perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
server.on('listening', () => announce(server.address().port));
server.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
