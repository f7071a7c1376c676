import { inspect } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { type Connection, openConnection, type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { echo, run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

interface Running {
  readonly server: WebSocketServer<undefined>;
  readonly port: number;
  readonly connections: readonly Connection<undefined>[];
}

async function start(options: ServeOptions = {}): Promise<Running> {
  const server = serve({ port: 0, host: '127.0.0.1', perMessageDeflate: false, ...options });
  const { port, connections, subscription } = await run(server, echo);
  atEnd(() => subscription.unsubscribe());
  return { server, port, connections };
}

/** Sends `text`, and waits for its echo. */
async function talk(port: number, text: string): Promise<Connection<undefined>> {
  const conn = await openConnection(`ws://127.0.0.1:${port}/`);
  conn.send.next(text);
  await firstValueFrom(conn.messages$);
  return conn;
}

const NOTHING = {
  connections: 0,
  accepted: 0,
  refused: {},
  closed: {},
  messagesReceived: 0,
  messagesSent: 0,
  messagesDropped: 0,
  bytesReceived: 0,
  bytesSent: 0,
  inboxBytes: 0,
  bufferedAmount: 0,
};

describe('the stats of a server', () => {
  it('sum up what is open and what has ended', async () => {
    const { server, port, connections } = await start();
    expect(server.stats).toEqual(NOTHING);
    const first = await talk(port, 'hello');
    const open = { ...NOTHING, messagesReceived: 1, messagesSent: 1, bytesReceived: 11, bytesSent: 7 };
    expect(server.stats).toEqual({ ...open, connections: 1, accepted: 1 });
    first.close(4000);
    first.ignoreMessages();
    await firstValueFrom(connections[0]!.close$);
    expect(server.stats).toEqual({
      ...open,
      accepted: 1,
      closed: { 4000: 1 },
      bytesReceived: 11 + 8,
      bytesSent: 7 + 4,
    });
    await talk(port, 'again').then((conn) => conn.terminate());
    await firstValueFrom(connections[1]!.close$);
    const { stats } = server;
    expect(stats).toMatchObject({ connections: 0, accepted: 2, closed: { 1006: 1, 4000: 1 }, messagesReceived: 2 });
    expect(stats.bytesReceived).toBe(11 + 8 + 11);
  });

  it('know what waits', async () => {
    const { server, port, connections } = await start();
    const conn = await talk(port, 'a');
    connections[0]!.hold();
    conn.send.next('b');
    await until(() => server.stats.messagesReceived === 2);
    expect(server.stats).toMatchObject({ inboxBytes: 129, messagesSent: 1 });
    conn.terminate();
  });

  it('count what was refused, by its status', async () => {
    const { server, port } = await start({
      path: '/chat',
      verifyClient: ({ request }) => request.headers.cookie !== undefined,
    });
    for (const [path, Cookie] of [
      ['/chat', undefined],
      ['/x', 'a'],
      ['/y', 'a'],
    ] as const) {
      const raw = await RawClient.connect(port);
      atEnd(() => raw.close());
      raw.write(handshake({ path, headers: { Cookie } }));
      await raw.response();
    }
    expect(server.stats).toEqual({ ...NOTHING, refused: { 401: 1, 404: 2 } });
    expect(inspect(server)).toContain("refused: { '401': 1, '404': 2 }");
  });

  it('count what was refused before it asked', async () => {
    const { server, port } = await start({ maxConnections: 1 });
    await talk(port, 'a');
    const raw = await RawClient.connect(port);
    atEnd(() => raw.close());
    expect((await raw.response()).status).toBe(503);
    expect(server.stats).toMatchObject({ connections: 1, refused: { 503: 1 } });
  });

  it('know of connections that are not tracked what they were when they ended', async () => {
    const { server, port, connections } = await start({ clientTracking: false });
    const conn = await talk(port, 'hello');
    expect(server.stats).toEqual({ ...NOTHING, connections: 1, accepted: 1 });
    conn.terminate();
    await firstValueFrom(connections[0]!.close$);
    expect(server.stats).toMatchObject({ connections: 0, closed: { 1006: 1 }, messagesReceived: 1, bytesReceived: 11 });
  });

  it('go on when it listens again', async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    for (const accepted of [1, 2]) {
      const { port, subscription, connections } = await run(server, echo);
      (await talk(port, 'a')).terminate();
      await firstValueFrom(connections[0]!.close$);
      subscription.unsubscribe();
      expect(server.stats).toMatchObject({ accepted, connections: 0 });
    }
  });
});
