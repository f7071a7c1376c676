import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fromEvent, Subject } from 'rxjs';
import { accept, type Connection, isWebSocketError, reject, serve, type WebSocketServer, wrap } from 'sluice';
import { WebSocketServer as WsServer } from 'ws';
import { duplexPair } from '../support/duplex-pair.js';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { echo } from '../support/running-server.js';
import { secondCopy } from '../support/second-copy.js';
import { type Carrier, sharedHttp } from '../support/shared-http.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

type Upgrade = [IncomingMessage, Duplex, Buffer];

/** What was reported on `sluice:server-error`, and how often it was printed. */
function reports(): { readonly errors: readonly unknown[]; readonly servers: readonly unknown[] } {
  const errors: unknown[] = [];
  const servers: unknown[] = [];
  const note = (message: unknown): void => {
    const { error, server } = message as { error: unknown; server?: unknown };
    errors.push(error);
    servers.push(server);
  };
  subscribe('sluice:server-error', note);
  const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  atEnd(() => {
    unsubscribe('sluice:server-error', note);
    printed.mockRestore();
  });
  return { errors, servers };
}

const alreadyUpgraded = { name: 'UsageError', code: 'ALREADY_UPGRADED' };

function noServer(): WebSocketServer<undefined> {
  const server = serve({ noServer: true });
  const subscription = server.subscribe(echo);
  atEnd(() => subscription.unsubscribe());
  return server;
}

/** The only answer is a 101, and the connection behind it works. */
async function expectOneAnswer(raw: RawClient): Promise<void> {
  expect((await raw.response()).status).toBe(101);
  raw.write(wire('server', [text('hi')]));
  const frame = await raw.frame();
  expect({ first: frame.first, payload: frame.payload.toString(), received: raw.received.length }).toEqual({
    first: 0x81,
    payload: 'hi',
    received: 0,
  });
}

describe.each<[Carrier]>([['http'], ['https'], ['unix']])('a socket that is upgraded twice, over %s', (carrier) => {
  it('by one server without a server, is answered once', async () => {
    const http = await sharedHttp(atEnd, undefined, carrier);
    const { errors, servers } = reports();
    const server = noServer();
    http.server.on('upgrade', (...upgrade: Upgrade) => {
      server.handleUpgrade(...upgrade);
      server.handleUpgrade(...upgrade);
    });
    await expectOneAnswer(await http.ask());
    expect(errors).toMatchObject([alreadyUpgraded]);
    expect(isWebSocketError(errors[0])).toBe(true);
    expect(servers).toEqual([server]);
  });
});

describe('a socket that is upgraded twice', () => {
  it('by two servers, of two copies of sluice, is answered once', async () => {
    const http = await sharedHttp(atEnd);
    const { errors } = reports();
    const servers = [noServer(), secondCopy().serve({ noServer: true })];
    const subscription = servers[1]!.subscribe();
    atEnd(() => subscription.unsubscribe());
    for (const server of servers) http.server.on('upgrade', (...upgrade: Upgrade) => server.handleUpgrade(...upgrade));
    await expectOneAnswer(await http.ask());
    expect(errors).toMatchObject([alreadyUpgraded]);
  });

  it('by accept, subscribed to twice, is answered once', async () => {
    const http = await sharedHttp(atEnd);
    const { errors } = reports();
    const accepted$ = fromEvent(http.server, 'upgrade').pipe(accept());
    const second: unknown[] = [];
    const subscriptions = [accepted$.subscribe(echo), accepted$.subscribe((connection) => second.push(connection))];
    atEnd(() => subscriptions.map((subscription) => subscription.unsubscribe()));
    await expectOneAnswer(await http.ask());
    expect(errors).toMatchObject([alreadyUpgraded]);
    expect(second).toEqual([]);
  });

  it('by serve on its path and by accept on every, is answered by serve', async () => {
    const http = await sharedHttp(atEnd);
    const { errors } = reports();
    const others: Connection<unknown>[] = [];
    const subscriptions = [
      fromEvent(http.server, 'upgrade')
        .pipe(accept())
        .subscribe((connection) => others.push(connection)),
      serve({ server: http.server, path: '/ours' }).subscribe(echo),
    ];
    atEnd(() => subscriptions.map((subscription) => subscription.unsubscribe()));
    await expectOneAnswer(await http.ask({ path: '/ours' }));
    expect(errors).toMatchObject([alreadyUpgraded]);
    expect(await http.status('/other')).toBe(101);
    expect(others).toHaveLength(1);
  });

  it('by a hook of a server of its own, is answered once', async () => {
    const { errors } = reports();
    const other = noServer();
    const server = serve({
      port: 0,
      host: '127.0.0.1',
      verifyClient: ({ request }) => {
        other.handleUpgrade(request, request.socket, Buffer.alloc(0));
        return true;
      },
    });
    const subscription = server.subscribe(echo);
    atEnd(() => subscription.unsubscribe());
    await until(() => server.address() !== null);
    const raw = await RawClient.connect((server.address() as { port: number }).port);
    atEnd(() => raw.close());
    raw.write(handshake());
    await expectOneAnswer(raw);
    expect(errors).toMatchObject([alreadyUpgraded]);
  });

  it('by wrap, is refused to the caller', async () => {
    const [stream, far] = duplexPair();
    atEnd(() => far.destroy());
    const connection = wrap(stream, { role: 'server' });
    expect(() => wrap(stream, { role: 'client' })).toThrow(expect.objectContaining(alreadyUpgraded));
    connection.terminate();
  });
});

describe('a socket that ws has answered', () => {
  const ways: Readonly<Record<string, (http: Awaited<ReturnType<typeof sharedHttp>>) => void>> = {
    handleUpgrade({ server }) {
      const ours = noServer();
      server.on('upgrade', (...upgrade: Upgrade) => ours.handleUpgrade(...upgrade));
    },
    accept({ server }) {
      const subscription = fromEvent(server, 'upgrade').pipe(accept()).subscribe();
      atEnd(() => subscription.unsubscribe());
    },
    'serve, whose listener comes later': ({ server }) => {
      const [first] = server.listeners('upgrade');
      const subscription = serve({ server, path: '/' }).subscribe();
      atEnd(() => subscription.unsubscribe());
      server.off('upgrade', first as () => void).prependListener('upgrade', first as () => void);
    },
  };

  it.each(Object.keys(ways))('is left to it by %s', async (way) => {
    const http = await sharedHttp(atEnd);
    const { errors } = reports();
    const theirs = new WsServer({ noServer: true });
    http.server.on('upgrade', (...upgrade: Upgrade) => {
      theirs.handleUpgrade(...upgrade, (socket) =>
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
      );
    });
    ways[way]!(http);
    await expectOneAnswer(await http.ask());
    expect(errors).toMatchObject([alreadyUpgraded]);
  });

  it('is left to it where it was refused', async () => {
    const http = await sharedHttp(atEnd);
    const { errors } = reports();
    const theirs = new WsServer({ noServer: true, verifyClient: () => false });
    const ours = noServer();
    http.server.on('upgrade', (...upgrade: Upgrade) => {
      theirs.handleUpgrade(...upgrade, () => {});
      ours.handleUpgrade(...upgrade);
    });
    const raw = await http.ask();
    const response = await raw.response();
    await raw.body(response);
    expect(response.status).toBe(401);
    await raw.ended();
    expect(raw.received).toHaveLength(0);
    // The library has ended it as it ends any: that is no mistake of the application.
    expect(errors).toEqual([]);
  });

  describe.each([
    ['accepts', true],
    ['refuses', reject(403)],
  ])('while a hook of ours decided that %s', (_, verdict) => {
    it('is left to it', async () => {
      const http = await sharedHttp(atEnd);
      const { errors } = reports();
      const verdict$ = new Subject<typeof verdict>();
      const server = serve({ server: http.server, verifyClient: () => verdict$ });
      const subscription = server.subscribe();
      atEnd(() => subscription.unsubscribe());
      const theirs = new WsServer({ noServer: true });
      http.server.on('upgrade', (...upgrade: Upgrade) => {
        theirs.handleUpgrade(...upgrade, (socket) =>
          socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
        );
      });
      const raw = await http.ask();
      await until(() => verdict$.observed && raw.received.length > 0);
      verdict$.next(verdict);
      await expectOneAnswer(raw);
      expect(errors).toMatchObject([alreadyUpgraded]);
      raw.end();
      await raw.ended();
    });
  });

  it('is not stopped or destroyed while a hook of ours has not decided', async () => {
    const http = await sharedHttp(atEnd);
    reports();
    const subscription = serve({ server: http.server, verifyClient: () => new Subject<boolean>() }).subscribe();
    atEnd(() => subscription.unsubscribe());
    let received = 0;
    let taken: Duplex | undefined;
    http.server.on('upgrade', (_request, socket: Duplex) => {
      taken = socket;
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    });
    const raw = await http.ask();
    await raw.response();
    raw.write(Buffer.alloc(1_000_000));
    await until(() => received === 1_000_000);
    raw.end();
    await until(() => taken!.readableEnded);
    taken!.end('HTTP/1.1 299 Theirs\r\n\r\n');
    expect((await raw.response()).status).toBe(299);
  });
});
