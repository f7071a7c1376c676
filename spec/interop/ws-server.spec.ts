import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ConnectOptions, connect, openConnection } from 'sluice';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { conversations, type Ends, roomy } from '../support/conversations.js';
import { recordDial } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { type Foreign, foreignWs } from '../support/foreign.js';
import { guardProcess } from '../support/process-guard.js';
import { ca, serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();

interface TheirServer {
  readonly url: string;
  readonly first: Promise<Foreign>;
}

async function listen(server: Server, scheme: string, options: ServerOptions): Promise<TheirServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new WebSocketServer({ server, ...options });
  const first = new Promise<Foreign>((resolve) =>
    sockets.once('connection', (socket: WebSocket) => resolve(foreignWs(socket))),
  );
  atEnd(async () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, first };
}

/** A server of `ws` and a client of ours. */
async function pair(isSecure: boolean, options: ServerOptions = {}): Promise<Ends> {
  const server = isSecure ? createSecureServer(serverPair) : createServer();
  const { url, first } = await listen(server, isSecure ? 'wss' : 'ws', options);
  const connection = await openConnection(url, { ca, ...roomy } satisfies ConnectOptions);
  atEnd(() => connection.terminate());
  return [connection as Ends[0], await first];
}

describe('a server of ws', () => {
  conversations(() => pair(false), { control: true });
});

describe('a server of ws that would compress', () => {
  conversations(() => pair(false, { perMessageDeflate: { threshold: 0 } }), { control: true });
});

describe('a server of ws over TLS', () => {
  conversations(() => pair(true), { control: true });
});

describe('the handshake with a server of ws', () => {
  it('agrees on a subprotocol', async () => {
    const handleProtocols = (offered: Set<string>): string => [...offered][1] as string;
    const { url } = await listen(createServer(), 'ws', { handleProtocols });
    const connection = await openConnection(url, ['a', 'b']);
    expect(connection.protocol).toBe('b');
    connection.terminate();
  });

  it('is refused with the status of ws', async () => {
    const verifyClient = (_info: unknown, done: (ok: boolean, status: number, reason: string) => void): void =>
      done(false, 403, 'not you');
    const { url } = await listen(createServer(), 'ws', { verifyClient });
    expect(await recordDial(connect(url)).failure).toMatchObject({
      name: 'HandshakeError',
      status: 403,
      body: 'not you',
    });
  });

  it('happens in version 8 too', async () => {
    const { url } = await listen(createServer(), 'ws', {});
    const connection = await openConnection(url, { protocolVersion: 8, origin: 'http://page.example' });
    expect(connection.protocolVersion).toBe(8);
    connection.terminate();
  });
});
