// The floor: a raw socket that computes the key of a handshake, and answers the close frame that follows, without reading either any further.
import { createServer } from 'node:net';
import { announce } from './child.mjs';
import { switchingProtocols } from './net-frames.mjs';

const close = Buffer.from([0x88, 2, 0x03, 0xe8]);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (request) => {
    socket.write(switchingProtocols(request.toString('latin1')));
    socket.once('data', () => socket.end(close));
  });
});
server.listen(0, () => announce(server.address().port));
