import { NEVER, of } from 'rxjs';
import { type Connection, type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();

type End = (server: WebSocketServer<unknown>, unsubscribe: () => void) => void;
type Hooks = (end: () => void) => ServeOptions<unknown>;

const ends: [string, End][] = [
  ['close()', (server) => void server.close()],
  ['unsubscribing', (_, unsubscribe) => unsubscribe()],
];

function answering<T>(end: () => void, answer: T): () => T {
  return () => {
    end();
    return answer;
  };
}

/** Hooks that end the server and agree all the same. */
const hooks: [string, Hooks][] = [
  ['path', (end) => ({ path: answering(end, true) })],
  ['origins', (end) => ({ origins: answering(end, true) })],
  ['verifyClient', (end) => ({ verifyClient: answering(end, true) })],
  ['verifyClient, later', (end) => ({ verifyClient: async () => answering(end, true)() })],
  ['authenticate', (end) => ({ authenticate: answering(end, of(1)) })],
  ['authenticate, that never answers', (end) => ({ authenticate: answering(end, NEVER) })],
  ['handleProtocols', (end) => ({ handleProtocols: answering(end, 'a') })],
  ['headers', (end) => ({ headers: () => end() })],
];

/** Asks a server that `endWith` ends from within a hook, and gives the status and what came out of the server. */
async function ask(
  hook: Hooks,
  endWith: End,
): Promise<{ status: number; raw: RawClient; seen: Connection<unknown>[] }> {
  let end = (): void => {};
  const server = serve({ port: 0, host: '127.0.0.1', ...hook(() => end()) });
  const { port, subscription, connections } = await run(server);
  end = () => endWith(server, () => subscription.unsubscribe());
  atEnd(() => subscription.unsubscribe());
  const raw = await RawClient.connect(port);
  atEnd(() => raw.close());
  raw.write(handshake({ headers: { Origin: 'http://127.0.0.1', 'Sec-WebSocket-Protocol': 'a' } }));
  const { status } = await raw.response();
  return { status, raw, seen: [...connections] };
}

describe.each(ends)('%s within a hook', (_, endWith) => {
  it.each(hooks)('refuses that handshake with 503, though the hook agrees: %s', async (__, hook) => {
    const { status, raw, seen } = await ask(hook, endWith);
    expect([status, seen]).toEqual([503, []]);
    expect(await raw.ended()).toBe('end');
  });
});
