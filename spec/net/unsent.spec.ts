import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { SocketPort } from '../../src/net/socket-port.js';
import { unsentOf } from '../../src/net/unsent.js';
import { duplexPair } from '../support/duplex-pair.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { ca, serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const MiB = 1_048_576;
/** More than the buffers of a kernel hold. */
const LARGE = 32 * MiB;

type Pair = readonly [ours: Socket, theirs: Socket];

const transports: readonly [string, () => Promise<Pair>][] = [
  [
    'TCP',
    () => pairOf(createServer(), { port: 0, host: '127.0.0.1' }, (server) => connectTcp(portOf(server), '127.0.0.1')),
  ],
  ['a Unix socket', unixPair],
  ['TLS', () => tlsPair('server')],
  ['TLS, as the client', () => tlsPair('client')],
];

describe('what the kernel has not taken', () => {
  it.each(transports)('shrinks within one large write over %s', async (_, open) => {
    const [ours, theirs] = await open();
    const port = new SocketPort(ours, Buffer.alloc(0));
    port.open({ bytes: () => {}, ended: () => {}, broken: () => {}, drained: () => {}, closed: () => {} });
    expect(port.unsent).toBe(0);
    port.write([Buffer.alloc(LARGE)]);
    await until(() => port.unsent > 0);
    const [unsent, pending] = [port.unsent, port.pending];
    // It reads some, and stops again.
    let read = 0;
    theirs.on('data', ({ length }: Buffer) => {
      read += length;
      if (read > 8 * MiB) theirs.pause();
    });
    await until(() => port.unsent < unsent);
    expect([port.pending, pending]).toEqual([LARGE, LARGE]);
    theirs.removeAllListeners('data').resume();
    await until(() => port.pending === 0);
    expect(port.unsent).toBe(0);
  });

  it('is what waits in a stream that is no socket', () => {
    const [ours] = duplexPair();
    const port = new SocketPort(ours, Buffer.alloc(0));
    atEnd(() => port.terminate());
    port.write([Buffer.alloc(5_000)]);
    expect(port.unsent).toBe(5_000);
  });

  it('is what TLS has encrypted, when that runs over a stream that is no socket', async () => {
    const [ours] = duplexPair();
    const secure = connectTls({ socket: ours });
    secure.on('error', () => {});
    atEnd(() => secure.destroy());
    // The hello of the handshake.
    await until(() => unsentOf(secure) > 0);
  });

  it('is what waits in the stream where the handle does not tell, or is gone', () => {
    for (const handle of [undefined, null, {}, { writeQueueSize: 'many', _parent: null }]) {
      const stream = Object.assign(new Duplex({ read() {}, write() {} }), { _handle: handle });
      stream.write('abc');
      expect(unsentOf(stream)).toBe(3);
    }
  });
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function unixPair(): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), 'unsent-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'socket');
  return pairOf(createServer(), { path }, () => connectTcp(path));
}

async function tlsPair(role: 'server' | 'client'): Promise<Pair> {
  const server = createTlsServer(serverPair);
  const [accepted, dialed] = await pairOf(server, { port: 0, host: '127.0.0.1' }, () =>
    connectTls({ port: portOf(server), host: '127.0.0.1', ca }),
  );
  return role === 'server' ? [accepted, dialed] : [dialed, accepted];
}

/** The end of the server, then that of the client. */
async function pairOf(server: Server, where: object, dial: (server: Server) => Socket): Promise<Pair> {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  const accepted = new Promise<Socket>((resolve) => server.once(event, resolve));
  await new Promise<void>((resolve) => server.listen(where, resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const theirs = dial(server);
  const ours = await accepted;
  for (const socket of [ours, theirs]) {
    socket.on('error', () => {});
    atEnd(() => void socket.destroy());
  }
  return [ours, theirs];
}
