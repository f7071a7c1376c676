// A client with websocket that echoes what its server sends.
import websocket from 'websocket';
import { awaitOrders } from '../servers/child.mjs';

awaitOrders((url) => {
  const client = new websocket.client();
  client.on('connect', (connection) => {
    // The load generator ends a round by cutting its connections.
    connection.on('error', () => {});
    connection.on('message', (message) => {
      if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
      else connection.sendBytes(message.binaryData);
    });
  });
  client.connect(url);
});
