import { openConnection, type ServeOptions, serve } from 'sluice';
import { conversations, type Ends, roomy } from '../support/conversations.js';
import { deferred } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { type Foreign, foreignBytes } from '../support/foreign.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { closeRawServers, type RawServerOptions, rawServer } from '../support/raw-server.js';
import { run } from '../support/running-server.js';
import { ca, serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();
afterEach(closeRawServers);

/** A server of ours and a client that writes bytes. */
async function withClient(options: ServeOptions = {}): Promise<Ends> {
  const accepted = deferred<Ends[0]>();
  const server = serve({ port: 0, host: '127.0.0.1', ...roomy, ...options });
  const { port, subscription } = await run(server, (connection) => accepted.resolve(connection as Ends[0]));
  atEnd(() => subscription.unsubscribe());
  const client = await (options.key === undefined ? RawClient.connect(port) : RawClient.connectTls(port));
  atEnd(() => client.close());
  client.write(handshake());
  expect((await client.response()).status).toBe(101);
  const theirs = foreignBytes({
    frame: () => client.frame(),
    write: (bytes) => client.write(bytes),
    end: () => client.end(),
    to: 'server',
  });
  return [await accepted.promise, theirs];
}

/** A server that writes bytes and a client of ours. */
async function withServer(options: RawServerOptions = {}): Promise<Ends> {
  const accepted = deferred<Foreign>();
  const server = await rawServer(async (peer) => {
    await peer.accept();
    const frame = async (): Promise<{ first: number; payload: Buffer }> => {
      const { fin, opcode, payload } = await peer.frame();
      return { first: (fin ? 0x80 : 0) | opcode, payload };
    };
    const write = (bytes: Buffer): void => void peer.socket.write(bytes);
    accepted.resolve(foreignBytes({ frame, write, end: () => peer.socket.end(), to: 'client' }));
  }, options);
  const connection = await openConnection(server.url, { ca, ...roomy });
  return [connection as Ends[0], await accepted.promise];
}

describe('a client that writes bytes', () => {
  conversations(() => withClient(), { control: true });
});

describe('a client that writes bytes over TLS', () => {
  conversations(() => withClient(serverPair), { control: true });
});

describe('a server that writes bytes', () => {
  conversations(() => withServer(), { control: true });
});

describe('a server that writes bytes over TLS', () => {
  conversations(() => withServer({ tls: serverPair }), { control: true });
});
