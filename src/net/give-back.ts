import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { UpgradeArguments } from '../connection/incoming-message.js';
import { afterAnswersRead, ignore } from './open-answers.js';

/**
 * Whether all that follows the head is still on the socket. Since version 26 Node parses the body of a request to upgrade, and puts a
 * stream around its socket: another parser would wait for that body in vain.
 */
export function canGiveBack([request, socket]: UpgradeArguments): boolean {
  return socket === request.socket && request.readableLength === 0;
}

/**
 * Hands a request to upgrade to something else back to the server, without its Upgrade: with any 'upgrade' listener Node 20
 * takes every such request out of the ordinary way, `Upgrade: h2c` of curl and Java clients too. A server may ignore Upgrade
 * (RFC 9110 §7.8).
 *
 * Waits for the responses to earlier requests on the connection: Node would forget those that are not sent when the server gets the
 * socket as a new one. The `shouldUpgradeCallback` of newer versions is no way round it: Node drops what a client pipelines behind an
 * upgrade that it declines.
 */
export function giveBack(server: HttpServer, upgrade: UpgradeArguments): void {
  const [request, socket] = upgrade;
  afterAnswersRead(upgrade, (head, isFirst) => {
    // An answer before it, or the FIN of the peer, has ended the connection.
    if (!isFirst && !socket.writable) {
      socket.on('error', ignore);
      return;
    }
    // Node set its timeout for idle connections when the last response was sent; the new parser would not know of it.
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
    // Without options it says nothing, and the version decides: HTTP/1.0 closes, HTTP/1.1 keeps alive.
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
