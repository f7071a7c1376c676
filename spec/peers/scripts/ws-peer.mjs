// A peer of the library ws: `ws-peer.mjs server`, or `client` with targets on the standard input. See ../peer.ts.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import WebSocket, { WebSocketServer } from 'ws';

const say = (text) => console.log(text);

function answer(ws, data, isBinary) {
  const text = isBinary ? '' : data.toString();
  const [word, ...rest] = text.split(' ');
  if (word === '!close') ws.close(Number(rest[0]), rest.slice(1).join(' '));
  else if (word === '!ping') ws.ping(rest.join(' '));
  else if (word === '!parts') sendParts(ws);
  else ws.send(data, { binary: isBinary });
}

function sendParts(ws) {
  ws.send('part one, ', { fin: false });
  ws.send('part two, ', { fin: false });
  ws.send('part three');
}

function converse(ws) {
  say(`open ${ws.protocol}`);
  ws.on('message', (data, isBinary) => answer(ws, data, isBinary));
  ws.on('pong', (data) => ws.send(`pong ${data}`));
  ws.on('close', (code, reason) => say(`closed ${code} ${reason}`));
}

function connect(url, compression) {
  const ws = new WebSocket(url, ['chat.v1', 'chat.v2'], { perMessageDeflate: compression === 'on' });
  ws.on('open', () => converse(ws));
  ws.on('error', (error) => say(`failed ${error.message}`));
}

const manifest = createRequire(import.meta.url).resolve('ws/package.json');
say(`version ${JSON.parse(readFileSync(manifest, 'utf8')).version}`);
if (process.argv[2] === 'server') {
  const handleProtocols = (offered) => (offered.has('chat.v2') ? 'chat.v2' : false);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true, handleProtocols });
  server.on('listening', () => say(`port ${server.address().port}`));
  server.on('connection', converse);
} else {
  createInterface({ input: process.stdin }).on('line', (line) => connect(...line.split(' ')));
}
