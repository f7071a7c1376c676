// An echo server with websocket, as its README writes it; but the lengths of messages are raised.
import { createServer } from 'node:http';
import websocket from 'websocket';
import { announce } from './child.mjs';

const most = 256 * 1024 * 1024;
const httpServer = createServer();
const server = new websocket.server({ httpServer, maxReceivedFrameSize: most, maxReceivedMessageSize: most });
server.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
});
httpServer.listen(0, () => announce(httpServer.address().port));
