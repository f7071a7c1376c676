// The floor: raw sockets. One frame that was prepared beforehand goes to all for each frame that comes, without parsing. No server in
// JavaScript can do less for a broadcast of one message at a time.
//   net-broadcast.mjs BYTES text|binary
import { createServer } from 'node:net';
import { announce } from './child.mjs';
import { frameHeader, switchingProtocols } from './net-frames.mjs';

const [size, kind] = [Number(process.argv[2]), process.argv[3]];
const header = frameHeader(size, kind === 'binary' ? 0x82 : 0x81);
const masked = header.length + 4 + size;
const frame = Buffer.concat([header, Buffer.alloc(size, 'a')]);
const sockets = new Set();

const server = createServer({ noDelay: true }, (socket) => {
  let partial = 0;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
  socket.once('data', (request) => {
    socket.write(switchingProtocols(request.toString('latin1')));
    sockets.add(socket);
    socket.on('data', (bytes) => {
      partial += bytes.length;
      const due = Math.floor(partial / masked);
      partial %= masked;
      if (due === 0) return;
      const frames = due === 1 ? frame : Buffer.concat(Array(due).fill(frame));
      for (const each of sockets) each.write(frames);
    });
  });
});
server.listen(0, () => announce(server.address().port));
