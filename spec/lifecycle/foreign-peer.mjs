// A peer of ws in a process of its own, that can be stopped: `foreign-peer.mjs client URL` or `foreign-peer.mjs server`. Tells its parent
// the port that it listens on, and how many bytes of messages it has received when it is asked.
import { WebSocket, WebSocketServer } from 'ws';

const [role, url] = process.argv.slice(2);
let received = 0;

function count(peer) {
  peer.on('error', () => {});
  peer.on('message', ({ length }) => {
    received += length;
  });
}

if (role === 'server') {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () =>
    process.send({ port: server.address().port }),
  );
  server.on('connection', count);
} else count(new WebSocket(url, { perMessageDeflate: false, rejectUnauthorized: false }));

process.on('message', () => process.send({ received }));
process.on('disconnect', () => process.exit());
