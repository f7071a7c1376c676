// A client with ws that echoes what its server sends.
import { WebSocket } from 'ws';
import { awaitOrders } from '../servers/child.mjs';

awaitOrders((url) => {
  const socket = new WebSocket(url);
  // The load generator ends a round by cutting its connections.
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
