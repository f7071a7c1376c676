// What the floor needs to know of WebSocket.
import { createHash } from 'node:crypto';

/** The header of a frame that is not masked. */
export function frameHeader(length, first) {
  if (length < 126) return Buffer.from([first, length]);
  const short = length < 65536;
  const bytes = Buffer.alloc(short ? 4 : 10);
  bytes.writeUInt8(first, 0);
  bytes.writeUInt8(short ? 126 : 127, 1);
  if (short) bytes.writeUInt16BE(length, 2);
  else bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

/** The answer to the request of a handshake. */
export function switchingProtocols(request) {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)[1];
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}
