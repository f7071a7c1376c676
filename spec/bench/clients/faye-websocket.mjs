// A client with faye-websocket that echoes what its server sends.
import WebSocket from 'faye-websocket';
import { awaitOrders } from '../servers/child.mjs';

awaitOrders((url) => {
  const socket = new WebSocket.Client(url);
  // The load generator ends a round by cutting its connections.
  socket.on('error', () => {});
  socket.on('message', (event) => socket.send(event.data));
});
