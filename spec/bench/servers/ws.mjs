// An echo server with ws, as its README writes it.
//   ws.mjs BYTES text|binary none|message|context
import { WebSocketServer } from 'ws';
import { announce } from './child.mjs';

const compression = process.argv[4];
const forgets = compression !== 'context';
const server = new WebSocketServer({
  port: 0,
  maxPayload: 256 * 1024 * 1024,
  perMessageDeflate: compression !== 'none' && {
    threshold: 0,
    serverNoContextTakeover: forgets,
    clientNoContextTakeover: forgets,
  },
});
server.on('listening', () => announce(server.address().port));
server.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
