/** What a message does that is small on the wire and huge when inflated. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { constants, createDeflateRaw } from 'node:zlib';
import { peakBytes } from '../support/process-figures.js';
import { steady } from '../support/steady.js';
import type { Sample } from './samples.js';
import { startServer } from './servers.js';

const MiB = 1_048_576;
const inflatedBytes = 1000 * MiB;

/** About how long it takes, in seconds. */
export const bombSeconds = 8;

/**
 * Sends a bomb to a server of sluice with default options, after one that warms it up. The cost is by how many bytes the memory of the
 * process grew at its peak; `blockMillis` is the longest that its event loop was blocked.
 */
export async function measureBomb(): Promise<Sample> {
  const bomb = await makeBomb();
  const server = await startServer('sluice', { bytes: 0, kind: 'binary', compression: 'message' });
  try {
    // What the first messages load and compile is not the bomb's.
    await explode(server.port, await makeBomb(MiB / 2));
    await server.collectGarbage();
    await server.longestBlock();
    const before = peakBytes(server.pid);
    const closeCode = await explode(server.port, bomb);
    await steady(() => peakBytes(server.pid));
    const blockMillis = await server.longestBlock();
    const growthBytes = peakBytes(server.pid) - before;
    const details = { wireBytes: bomb.length, inflatedBytes, closeCode, blockMillis };
    return { server: 'sluice', cost: growthBytes, details };
  } finally {
    await server.stop();
  }
}

async function makeBomb(size = inflatedBytes): Promise<Buffer> {
  const stream = createDeflateRaw({ level: 9, finishFlush: constants.Z_SYNC_FLUSH });
  const output: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => output.push(chunk));
  const zeros = Buffer.alloc(Math.min(size, MiB));
  for (let written = 0; written < size; written += zeros.length) {
    if (!stream.write(zeros)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'end');
  return Buffer.concat(output).subarray(0, -4);
}

/** Sends `payload` as one compressed message, and gives the close code that comes; 0 for any other answer. */
async function explode(port: number, payload: Buffer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  );
  await readUntil(socket, (bytes) => bytes.includes('\r\n\r\n'));
  const header = Buffer.alloc(14);
  header.writeUInt16BE(0xc2ff);
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  socket.write(Buffer.concat([header, payload]));
  const answer = await readUntil(socket, (bytes) => bytes.length >= 4);
  socket.destroy();
  return answer[0] === 0x88 ? answer.readUInt16BE(2) : 0;
}

async function readUntil(socket: Socket, isDone: (bytes: Buffer) => boolean): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (!isDone(bytes)) bytes = Buffer.concat([bytes, (await once(socket, 'data'))[0] as Buffer]);
  return bytes;
}
