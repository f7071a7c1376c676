import { type ServeOptions, serve } from 'sluice';
import { Agent, WebSocket } from 'undici';
import { conversations, type Ends, roomy } from '../support/conversations.js';
import { deferred } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { foreignUndici } from '../support/foreign.js';
import { guardProcess } from '../support/process-guard.js';
import { run } from '../support/running-server.js';
import { ca, serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();

/** A server of ours and a WebSocket of undici, which is Node's own since version 22. */
async function pair(options: ServeOptions = {}): Promise<Ends> {
  const accepted = deferred<Ends[0]>();
  const server = serve({ port: 0, host: '127.0.0.1', ...roomy, ...options });
  const { port, subscription } = await run(server, (connection) => accepted.resolve(connection as Ends[0]));
  atEnd(() => subscription.unsubscribe());
  const dispatcher = new Agent({ connect: { ca } });
  atEnd(() => dispatcher.destroy());
  const scheme = options.key === undefined ? 'ws' : 'wss';
  const client = new WebSocket(`${scheme}://127.0.0.1:${port}`, { dispatcher });
  const theirs = foreignUndici(client);
  await new Promise((resolve, reject) => {
    client.addEventListener('open', resolve);
    client.addEventListener('error', reject);
  });
  return [await accepted.promise, theirs];
}

describe('a WebSocket of undici', () => {
  conversations(() => pair(), { control: false });
});

describe('a WebSocket of undici over TLS', () => {
  conversations(() => pair(serverPair), { control: false });
});
