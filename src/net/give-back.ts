import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { UpgradeArguments } from '../connection/incoming-message.js';
import { afterAnswersRead, ignore } from './open-answers.js';

/**
 * Whether everything after the head is still unread on the socket. Since version 26 Node parses the body of an upgrade request, and wraps
 * the socket in a stream. Another parser would wait for that body in vain.
 */
export function canGiveBack([request, socket]: UpgradeArguments): boolean {
  return socket === request.socket && request.readableLength === 0;
}

/**
 * Returns a request to upgrade to another protocol to the server, without its Upgrade field. If there is any 'upgrade' listener, Node 20
 * does not emit 'request' for such requests, including `Upgrade: h2c` from curl and Java clients. A server may ignore Upgrade
 * (RFC 9110 §7.8).
 *
 * Waits for the responses to earlier requests on the connection: Node would drop unsent ones when the server receives the
 * socket as a new connection. The `shouldUpgradeCallback` of newer versions does not help: Node drops what a client pipelines after an
 * upgrade that it declines.
 */
export function giveBack(server: HttpServer, upgrade: UpgradeArguments): void {
  const [request, socket] = upgrade;
  afterAnswersRead(upgrade, (head, isFirst) => {
    // An earlier response, or the FIN of the peer, has ended the connection.
    if (!isFirst && !socket.writable) {
      socket.on('error', ignore);
      return;
    }
    // Node set its idle timeout when the last response was sent. The new parser would not know about it.
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0);
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), head]));
    server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
    // It was paused while it had to wait.
    if (!isFirst) socket.resume();
  });
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    const isConnection = /^connection$/i.test(name);
    const value = isConnection ? withoutUpgrade(rawHeaders[at + 1] as string) : rawHeaders[at + 1];
    // Connection without options is omitted, so the version decides: HTTP/1.0 closes, HTTP/1.1 keeps alive.
    if (!isConnection || value !== '') lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(',')
    .map((option) => option.trim())
    .filter((option) => !/^(?:upgrade|http2-settings)?$/i.test(option))
    .join(', ');
}
