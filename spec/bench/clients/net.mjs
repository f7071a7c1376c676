// The floor: a raw socket that counts bytes, and writes a masked frame prepared beforehand for each that is complete.
//   net.mjs BYTES text|binary
import { connect } from 'node:net';
import { awaitOrders } from '../servers/child.mjs';
import { frameHeader } from '../servers/net-frames.mjs';

const [size, kind] = [Number(process.argv[2]), process.argv[3]];
const header = frameHeader(size, kind === 'binary' ? 0x82 : 0x81);
const incoming = header.length + size;
const masked = Buffer.from(header);
masked[1] |= 0x80;
const answer = Buffer.concat([masked, Buffer.alloc(4), Buffer.alloc(size, 'a')]);
const most = Math.max(1, Math.ceil(65536 / incoming) + 1);
const answers = Buffer.concat(Array(most).fill(answer));
const request =
  'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

awaitOrders((url) => {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true });
  // The load generator ends a round by cutting its connections.
  socket.on('error', () => socket.destroy());
  socket.write(request);
  let partial = 0;
  const count = (bytes) => {
    partial += bytes.length;
    for (let due = Math.floor(partial / incoming); due > 0; due -= most) {
      socket.write(answers.subarray(0, Math.min(due, most) * answer.length));
    }
    partial %= incoming;
  };
  socket.once('data', (bytes) => {
    // What follows the head of the answer came in the same read.
    count(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4));
    socket.on('data', count);
  });
});
