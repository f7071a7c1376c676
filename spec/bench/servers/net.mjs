// The floor: a raw socket that answers without parsing. It is told what the frames look like, counts bytes, and writes a frame
// prepared beforehand for each that is complete. No server in JavaScript can do less for an echo.
//   net.mjs BYTES text|binary
import { createServer } from 'node:net';
import { announce } from './child.mjs';
import { frameHeader, switchingProtocols } from './net-frames.mjs';

const [size, kind] = [Number(process.argv[2]), process.argv[3]];
const header = frameHeader(size, kind === 'binary' ? 0x82 : 0x81);
const masked = header.length + 4 + size;
const answer = Buffer.concat([header, Buffer.alloc(size, 'a')]);
const most = Math.max(1, Math.ceil(65536 / masked) + 1);
const answers = Buffer.concat(Array(most).fill(answer));

const server = createServer({ noDelay: true }, (socket) => {
  let partial = 0;
  socket.on('error', () => socket.destroy());
  socket.once('data', (request) => {
    socket.write(switchingProtocols(request.toString('latin1')));
    socket.on('data', (bytes) => {
      partial += bytes.length;
      for (let due = Math.floor(partial / masked); due > 0; due -= most) {
        socket.write(answers.subarray(0, Math.min(due, most) * answer.length));
      }
      partial %= masked;
    });
  });
});
server.listen(0, () => announce(server.address().port));
