// A server that sends each message to all with websocket, as its documentation writes it.
import { createServer } from 'node:http';
import websocket from 'websocket';
import { announce } from './child.mjs';

const httpServer = createServer();
const server = new websocket.server({ httpServer });
server.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  connection.on('message', (message) => server.broadcastUTF(message.utf8Data));
});
httpServer.listen(0, () => announce(httpServer.address().port));
