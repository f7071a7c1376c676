// A server that sends each message to all with faye-websocket. It keeps no list of its connections.
import { createServer } from 'node:http';
import WebSocket from 'faye-websocket';
import { announce } from './child.mjs';

const connections = new Set();
const server = createServer();
server.on('upgrade', (request, socket, body) => {
  const connection = new WebSocket(request, socket, body);
  connections.add(connection);
  connection.on('close', () => connections.delete(connection));
  connection.on('message', (event) => {
    for (const each of connections) each.send(event.data);
  });
});
server.listen(0, () => announce(server.address().port));
