// An echo server with faye-websocket, as its README writes it.
import { createServer } from 'node:http';
import WebSocket from 'faye-websocket';
import { announce } from './child.mjs';

const server = createServer();
server.on('upgrade', (request, socket, body) => {
  const connection = new WebSocket(request, socket, body);
  connection.on('message', (event) => connection.send(event.data));
});
server.listen(0, () => announce(server.address().port));
