import { type ServeOptions, serve } from 'sluice';
import { type ClientOptions, WebSocket } from 'ws';
import { conversations, type Ends, roomy } from '../support/conversations.js';
import { deferred } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { foreignWs } from '../support/foreign.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';
import { ca, serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();

/** A server of ours and a client of `ws`. */
async function pair(options: ServeOptions = {}, clientOptions: ClientOptions = {}): Promise<Ends> {
  const accepted = deferred<Ends[0]>();
  const server = serve({ port: 0, host: '127.0.0.1', ...roomy, ...options });
  const { port, subscription } = await run(server, (connection) => accepted.resolve(connection as Ends[0]));
  atEnd(() => subscription.unsubscribe());
  const scheme = options.key === undefined ? 'ws' : 'wss';
  const client = new WebSocket(`${scheme}://127.0.0.1:${port}`, { ca, ...clientOptions });
  atEnd(() => client.terminate());
  const theirs = foreignWs(client);
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  return [await accepted.promise, theirs];
}

describe('a client of ws', () => {
  conversations(() => pair({}, { perMessageDeflate: false }), { control: true });
});

describe('a client of ws that offers compression', () => {
  conversations(() => pair({}, { perMessageDeflate: { threshold: 0 } }), { control: true });
});

describe('a client of ws over TLS', () => {
  conversations(() => pair(serverPair), { control: true });
});

describe('the handshake of a client of ws', () => {
  it('agrees on a subprotocol', async () => {
    const server = serve({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => offered[1] });
    const { port, subscription, connections } = await run(server);
    atEnd(() => subscription.unsubscribe());
    const client = new WebSocket(`ws://127.0.0.1:${port}`, ['a', 'b']);
    await new Promise((resolve) => client.once('open', resolve));
    expect(client.protocol).toBe('b');
    expect(connections[0]?.protocol).toBe('b');
    client.terminate();
  });

  it('is refused with a status that ws understands', async () => {
    const server = serve({ port: 0, host: '127.0.0.1', verifyClient: () => false });
    const { port, subscription } = await run(server);
    atEnd(() => subscription.unsubscribe());
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    const error = await new Promise<Error>((resolve) => client.once('error', resolve));
    expect(error.message).toContain('401');
  });
});
