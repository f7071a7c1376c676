// An honest peer, in a process of its own: `bystander.mjs PORT`. Sends a short message each 10 ms, whether the last one came back or
// not, and knows how long each took to come back. Answers 'report' with what it saw since the last report.
import { connect } from 'node:net';

const port = Number(process.argv[2]);
const everyMillis = 10;
// `echo` as a masked text frame whose key is zero, and its echo.
const message = Buffer.from('8184000000006563686f', 'hex');
const echoBytes = 6;

const socket = connect(port, '127.0.0.1');
const sent = [];
let times = [];
let [partial, isLost, started] = [0, false, performance.now()];

socket.setNoDelay(true);
socket.on('error', () => {});
socket.on('close', () => {
  isLost = true;
});
socket.write(
  'GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
);
socket.once('data', () => {
  socket.on('data', (chunk) => {
    partial += chunk.length;
    for (; partial >= echoBytes && sent.length > 0; partial -= echoBytes) times.push(performance.now() - sent.shift());
  });
  setInterval(() => {
    if (isLost) return;
    sent.push(performance.now());
    socket.write(message);
  }, everyMillis);
  process.send('ready');
});

process.on('message', () => {
  // What has not come back yet is late already.
  const late = sent.map((at) => performance.now() - at);
  const sorted = [...times, ...late].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  process.send({
    echoes: times.length,
    isLost,
    p50Millis: at(0.5),
    p99Millis: at(0.99),
    maxMillis: at(1),
    seconds: (performance.now() - started) / 1000,
  });
  times = [];
  started = performance.now();
});
process.on('disconnect', () => process.exit());
