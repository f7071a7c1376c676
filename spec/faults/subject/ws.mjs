// The server that is compared: ws, as its README writes it.
import { WebSocket, WebSocketServer } from 'ws';
import { sendAll } from './send-all.mjs';

export async function start(options, _hook, vitals) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('connection', (socket, request) => {
    vitals.opened++;
    let error;
    socket.on('error', (cause) => {
      error = cause;
    });
    socket.on('close', (code) => vitals.noteClose(error?.code === undefined ? `${code}` : `${code} ${error.code}`));
    socket.on('message', (data) => vitals.noteMessage(data.length));
    deal(socket, new URL(request.url, 'ws://127.0.0.1'), vitals);
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: server.address().port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

function deal(socket, { pathname, searchParams }, vitals) {
  switch (pathname) {
    case '/ignore':
      return;
    case '/slow':
      deliverSlowly(socket, Number(searchParams.get('ms')));
      return;
    case '/unread':
      socket.pause();
      return;
    case '/send':
      sendAll(searchParams, {
        done: () => vitals.noteSent(),
        isOpen: () => socket.readyState === WebSocket.OPEN,
        send(data) {
          socket.send(data);
          vitals.noteBuffered(socket.bufferedAmount);
        },
      });
      return;
    default:
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  }
}

/** One message after the other, as an application with an asynchronous handler does: what has to wait waits in its queue. */
function deliverSlowly(socket, millis) {
  let last = Promise.resolve();
  socket.on('message', (data) => {
    last = last.then(() => new Promise((resolve) => setTimeout(resolve, millis, data)));
  });
}
