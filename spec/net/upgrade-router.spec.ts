import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';
import { type ServeOptions, serve, type WebSocketServer } from 'sluice';
import { WebSocket, WebSocketServer as WsServer } from 'ws';
import type { ListenAddress, Listener } from '../../src/net/listener.js';
import type { UpgradeRequest } from '../../src/net/upgrade-request.js';
import { listenShared } from '../../src/net/upgrade-router.js';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { type HandshakeParts, handshake, RawClient } from '../support/raw-client.js';
import { httpServer, portOf, rawPeers } from '../support/raw-peers.js';
import { secondCopy } from '../support/second-copy.js';
import { serverPair } from '../support/tls.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

/** Answers with the method, the path, the Upgrade field and the size of the body. */
function route(request: IncomingMessage, response: ServerResponse): void {
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    const body = `${method} ${url} upgrade=${headers.upgrade} body=${size}`;
    response.writeHead(200, { 'Content-Length': body.length });
    response.end(body);
  });
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return server;
}

const routed = (): Promise<Server> => httpServer(atEnd, route);

/** Serves on `server`, and sends `name` to each connection. */
function attach(server: Server, name: string, options: ServeOptions = {}): WebSocketServer<undefined> {
  const attached = serve({ server, ...options });
  const subscription = attached.subscribe((connection) => connection.send.next(name));
  atEnd(() => subscription.unsubscribe());
  return attached;
}

const peers = rawPeers(atEnd);
const connect = (server: Server): Promise<RawClient> => peers.connect(portOf(server.address()));
const request = (server: Server, parts: HandshakeParts): Promise<RawClient> =>
  peers.ask(portOf(server.address()), parts);

/** Waits until no connection of `server` is left. */
async function gone(server: Server): Promise<void> {
  const count = await new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
  if (count === 0) return;
  await new Promise((resolve) => setImmediate(resolve));
  await gone(server);
}

/** What a WebSocket at `path` is greeted with, or the status that it got instead. */
async function greeting(server: Server, path: string): Promise<string | number> {
  const raw = await request(server, { path });
  const { status } = await raw.response();
  return status === 101 ? (await raw.frame()).payload.toString() : status;
}

async function answer(raw: RawClient): Promise<string> {
  const response = await raw.response();
  return `${response.status} ${await raw.body(response)}`;
}

describe('several servers on one http server', () => {
  it('get the requests for their paths, the first that matches', async () => {
    const server = await routed();
    attach(server, 'a', { path: '/a' });
    attach(server, 'b', { path: /^\/b/ });
    attach(server, 'second', { path: '/a' });
    attach(server, 'c', { path: (path) => path.endsWith('c') });
    expect(await Promise.all(['/a', '/b1', '/a?x=1', '/x/c', '/ac'].map((path) => greeting(server, path)))).toEqual([
      'a',
      'b',
      'a',
      'c',
      'c',
    ]);
    expect(server.listenerCount('upgrade')).toBe(1);
  });

  it('leave a request that none matches with 404', async () => {
    const server = await routed();
    attach(server, 'ws', { path: '/ws' });
    for (const path of ['/', '/ws/', '//ws', '/%77s', '/ws%00', '/wsx', '/WS'])
      expect(await greeting(server, path)).toBe(404);
    expect(await greeting(server, '/ws?x=1')).toBe('ws');
  });

  it('leave the routes of the user alone', async () => {
    const server = await routed();
    attach(server, 'ws', { path: '/ws' });
    const raw = await connect(server);
    raw.write('GET /ws HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await answer(raw)).toBe('200 GET /ws upgrade=undefined body=0');
    raw.write(handshake({ path: '/ws' }));
    expect((await raw.response()).status).toBe(101);
    expect((await raw.frame()).payload.toString()).toBe('ws');
  });

  it('come and go without a trace', async () => {
    const server = await routed();
    const events = ['upgrade', 'listening', 'close', 'error', 'request', 'connection'];
    const before = events.map((event) => server.listenerCount(event));
    const a = serve({ server, path: '/a' }).subscribe();
    const b = serve({ server, path: '/b' }).subscribe();
    a.unsubscribe();
    expect(await greeting(server, '/a')).toBe(404);
    b.unsubscribe();
    expect(events.map((event) => server.listenerCount(event))).toEqual(before);
    expect(await answer(await request(server, { path: '/b' }))).toBe('200 GET /b upgrade=websocket body=0');
  });

  it('pass over one whose predicate throws', async () => {
    const server = await routed();
    attach(server, 'never', {
      path: () => {
        throw new Error('predicate');
      },
    });
    attach(server, 'next');
    expect(await greeting(server, '/a')).toBe('next');
  });
});

describe('beside upgrade listeners of others', () => {
  it('shares the server with ws', async () => {
    const server = await routed();
    attach(server, 'ours', { path: '/ours' });
    const theirs = new WsServer({ noServer: true });
    server.on('upgrade', (upgrade, socket, head) => {
      if (upgrade.url === '/theirs')
        theirs.handleUpgrade(upgrade, socket, head, (socketOfTheirs) => socketOfTheirs.send('theirs'));
    });
    expect(await greeting(server, '/ours')).toBe('ours');
    expect(await greeting(server, '/theirs')).toBe('theirs');
  });

  it('shares it with ws as a client too', async () => {
    const server = await routed();
    attach(server, 'ours', { path: '/ours' });
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(server.address())}/ours`);
    const greeted = await new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
    expect(greeted).toBe('ours');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    expect(await closed).toBe(1005);
  });

  it.each([
    ['a WebSocket on another path', { path: '/theirs' }],
    ['Upgrade: foo', { headers: { Upgrade: 'foo' } }],
    ['Upgrade: h2c', { headers: { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings' } }],
  ])('leaves them %s', async (_, parts) => {
    const server = await routed();
    attach(server, 'ours', { path: '/ours' });
    server.on('upgrade', (upgrade, socket) => {
      if (upgrade.url !== '/ours') socket.end('HTTP/1.1 299 Theirs\r\nContent-Length: 0\r\n\r\n');
    });
    expect((await (await request(server, parts)).response()).status).toBe(299);
  });
});

/** The recipe of docs/how-to/shared-http-server.md: `ws` on `/old`, beside what else is on the server. */
function recipeOfWs(server: Server): WsServer {
  const old = new WsServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/old') return;
    old.handleUpgrade(request, socket, head, (ws) => old.emit('connection', ws, request));
  });
  old.on('connection', (ws) => ws.send('old'));
  atEnd(() => {
    for (const ws of old.clients) ws.terminate();
  });
  return old;
}

describe('beside ws, by the recipe of the documentation', () => {
  it.each(['before', 'after'])('each gets its own path: %s it is attached', async (order) => {
    const server = await routed();
    if (order === 'before') attach(server, 'new', { path: '/new' });
    recipeOfWs(server);
    if (order === 'after') attach(server, 'new', { path: '/new' });
    expect([await greeting(server, '/new'), await greeting(server, '/old')]).toEqual(['new', 'old']);
  });

  it('no peer of a path of neither ends the process or stays, whether it resets or ends', async () => {
    const server = await routed();
    attach(server, 'new', { path: '/new' });
    recipeOfWs(server);
    for (const leave of [(raw: RawClient): void => raw.reset(), (raw: RawClient): void => raw.end()]) {
      const upgraded = new Promise((resolve) => server.once('upgrade', resolve));
      const raw = await request(server, { path: '/nope' });
      await upgraded;
      leave(raw);
      await raw.ended();
    }
    await gone(server);
  });

  it('a path of neither gets 404 when handshakeTimeout is over', async () => {
    const server = await routed();
    attach(server, 'new', { path: '/new', handshakeTimeout: 1 });
    attach(server, 'newer', { path: '/newer', handshakeTimeout: 20 });
    recipeOfWs(server);
    expect(await greeting(server, '/nope')).toBe(404);
  });

  it('what ws has taken is not touched when handshakeTimeout is over', async () => {
    const server = await routed();
    const scheduler = new VirtualTimeScheduler(undefined, 10_000);
    attach(server, 'new', { path: '/new', scheduler });
    const old = recipeOfWs(server);
    old.on('connection', (ws) => ws.on('message', (data) => ws.send(`${data}`)));
    const raw = await request(server, { path: '/old' });
    expect((await raw.response()).status).toBe(101);
    await raw.frame();
    scheduler.flush();
    raw.write(wire('server', [text('still here')]));
    expect((await raw.frame()).payload.toString()).toBe('still here');
  });
});

describe('two copies of sluice on one http server', () => {
  /** What `server` and another copy of sluice serve, in either order. */
  async function twoCopies(order: string): Promise<Server> {
    const server = await routed();
    const first = (): unknown => attach(server, 'first', { path: '/first' });
    const second = (): void => {
      const subscription = secondCopy()
        .serve({ server, path: '/second' })
        .subscribe((connection) => connection.send.next('second'));
      atEnd(() => subscription.unsubscribe());
    };
    for (const begin of order === 'in order' ? [first, second] : [second, first]) begin();
    return server;
  }

  it.each(['in order', 'in reverse'])('get their paths, and one of them answers the others: %s', async (order) => {
    const server = await twoCopies(order);
    expect(server.listenerCount('upgrade')).toBe(2);
    expect([await greeting(server, '/first'), await greeting(server, '/second')]).toEqual(['first', 'second']);
    const raw = await request(server, { path: '/nope' });
    const response = await raw.response();
    await raw.body(response);
    expect(response.status).toBe(404);
    await raw.ended();
    expect(raw.received).toHaveLength(0);
  });

  it.each(['in order', 'in reverse'])('leave to another listener what is its own: %s', async (order) => {
    const server = await twoCopies(order);
    recipeOfWs(server);
    expect(await greeting(server, '/old')).toBe('old');
    const upgraded = new Promise<Duplex>((resolve) => server.once('upgrade', (_request, socket) => resolve(socket)));
    const raw = await request(server, { path: '/nope' });
    const socket = await upgraded;
    raw.reset();
    await until(() => socket.closed);
  });

  it('take one socket once where both have its path', async () => {
    const server = await routed();
    attach(server, 'both', { path: '/both' });
    const subscription = secondCopy()
      .serve({ server, path: '/both' })
      .subscribe((connection) => connection.send.next('both'));
    atEnd(() => subscription.unsubscribe());
    const raw = await request(server, { path: '/both' });
    expect((await raw.response()).status).toBe(101);
    expect((await raw.frame()).payload.toString()).toBe('both');
    expect(raw.received).toHaveLength(0);
  });
});

describe('a server that is left while its request is looked at', () => {
  it('has the request answered all the same, by its own predicate', async () => {
    const server = await routed();
    const subscription = serve({
      server,
      path: () => {
        subscription.unsubscribe();
        return false;
      },
    }).subscribe();
    expect(await greeting(server, '/')).toBe(404);
  });

  it('has the request answered all the same, by a listener before it', async () => {
    const server = await routed();
    const subscription = serve({ server, path: '/ours', handshakeTimeout: 1 }).subscribe();
    server.prependListener('upgrade', () => subscription.unsubscribe());
    expect(await greeting(server, '/nope')).toBe(404);
  });
});

describe.each([
  ['http', routed, connect],
  [
    'https',
    (): Promise<Server> => listening(createTlsServer(serverPair, route)),
    (server: Server): Promise<RawClient> => peers.connectTls(portOf(server.address())),
  ],
])('an Upgrade to something else, over %s', (_, create, dial) => {
  it.each(['foo', 'h2c', 'TLS/1.2, HTTP/1.1'])('is answered as if it were absent: %s', async (upgrade) => {
    const server = await create();
    attach(server, 'ws');
    const raw = await dial(server);
    const headers = {
      Upgrade: upgrade,
      Connection: 'Upgrade, HTTP2-Settings',
      'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
    };
    raw.write(handshake({ path: '/one', headers }));
    expect(await answer(raw)).toBe('200 GET /one upgrade=undefined body=0');
    raw.write(handshake({ path: '/two', headers }));
    expect(await answer(raw)).toBe('200 GET /two upgrade=undefined body=0');
    raw.write('GET /three HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await answer(raw)).toBe('200 GET /three upgrade=undefined body=0');
    raw.write(handshake());
    expect((await raw.response()).status).toBe(101);
  });

  it.each([
    ['in one piece', 1_000_000],
    ['in packets of 10 000 bytes', 10_000],
  ])('keeps its body of 200 KB, which comes %s', async (__, size) => {
    const server = await create();
    attach(server, 'ws');
    const raw = await dial(server);
    const body = Buffer.alloc(200_000, 'b');
    const headers = { Upgrade: 'h2c', 'Content-Length': '200000' };
    const bytes = Buffer.concat([Buffer.from(handshake({ method: 'POST', path: '/post', headers })), body]);
    for (let at = 0; at < bytes.length; at += size) await raw.send(bytes.subarray(at, at + size));
    expect(await answer(raw)).toBe('200 POST /post upgrade=undefined body=200000');
    raw.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await answer(raw)).toBe('200 GET /next upgrade=undefined body=0');
  });

  it('keeps the requests that come in the same packet', async () => {
    const server = await create();
    attach(server, 'ws');
    const raw = await dial(server);
    const chunked = { Upgrade: 'foo', 'Transfer-Encoding': 'chunked' };
    const put = handshake({ method: 'PUT', path: '/a', headers: chunked });
    raw.write(`${put}3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await answer(raw)).toBe('200 PUT /a upgrade=undefined body=3');
    expect(await answer(raw)).toBe('200 GET /b upgrade=undefined body=0');
    raw.write(handshake());
    expect((await raw.response()).status).toBe(101);
  });
});

describe('a request with more header fields than Node keeps', () => {
  const many = (count: number): string => 'a:\r\n'.repeat(count);

  it.each([
    ['a handshake', 'websocket', null, 2_000],
    ['another upgrade', 'foo', null, 2_000],
    ['a handshake, of a server that keeps few', 'websocket', 10, 60],
    ['another upgrade, of a server that keeps few', 'foo', 10, 60],
  ])('gets 431, since a body could be among the rest: %s', async (_, upgrade, kept, count) => {
    const server = await routed();
    server.maxHeadersCount = kept;
    attach(server, 'ws');
    const raw = await connect(server);
    const head = handshake({ method: 'GET', headers: { Upgrade: upgrade } });
    raw.write(head.replace('\r\n\r\n', `\r\n${many(count)}Content-Length: 5\r\n\r\nhello`));
    expect((await raw.response()).status).toBe(431);
    expect(await raw.ended()).toBe('end');
  });

  it.each([
    [null, 900],
    [0, 3_000],
    [10, 20],
  ])('is judged as any other where they are all there: %p kept of %p', async (kept, count) => {
    const server = await routed();
    server.maxHeadersCount = kept;
    attach(server, 'ws');
    const raw = await connect(server);
    raw.write(handshake().replace('\r\n\r\n', `\r\n${many(count)}\r\n`));
    expect((await raw.response()).status).toBe(101);
  });
});

describe('sockets given back to the http server', () => {
  it('are gone when the peer is', async () => {
    const server = await routed();
    attach(server, 'ws');
    for (let round = 0; round < 50; round++) {
      const raw = await request(server, { headers: { Upgrade: 'foo' } });
      await answer(raw);
      if (round % 2 === 0) raw.reset();
      else await raw.close();
    }
    await gone(server);
  });
});

interface Attached {
  readonly listener: Listener;
  readonly log: unknown[];
}

function listenOn(server: Server, matches: (url: string) => boolean = () => true): Attached {
  const log: unknown[] = [];
  const listener = listenShared(
    server,
    { matches: ({ url = '' }) => matches(url), scheduler: asyncScheduler, handshakeTimeout: 10_000 },
    {
      listening: (address: ListenAddress) => log.push(['listening', address]),
      failed: () => log.push('failed'),
      fault: () => log.push('fault'),
      upgrade: (upgrade: UpgradeRequest) => {
        log.push(['upgrade', upgrade.head.path]);
        upgrade.accept({ status: 101, fields: [], protocol: '', deflate: undefined }, false)?.terminate();
      },
      closed: () => log.push('closed'),
    },
  );
  return { listener, log };
}

const listen = (server: Server): Promise<void> => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

async function ask(server: Server, path: string): Promise<void> {
  const raw = await RawClient.connect(portOf(server.address()));
  atEnd(() => raw.close());
  raw.write(handshake({ path }));
  await raw.ended();
}

describe('a server of others', () => {
  it('tells when it listens, each time', async () => {
    const server = createServer();
    const { listener, log } = listenOn(server);
    expect([log, listener.address()]).toEqual([[], null]);
    await listen(server);
    expect(log).toEqual([['listening', server.address()]]);
    listener.close();
    await close(server);
    expect(log).toHaveLength(1);
  });

  it('tells at once when it listens already', async () => {
    const server = createServer();
    await listen(server);
    const { listener, log } = listenOn(server);
    expect([log, listener.address()]).toEqual([[['listening', server.address()]], server.address()]);
    listener.close();
    await close(server);
  });

  it('hands over upgrades that match, and is left with its own', async () => {
    const server = createServer((_, response) => response.setHeader('Connection', 'close').end());
    await listen(server);
    const { listener, log } = listenOn(server, (url) => url === '/a');
    await ask(server, '/a');
    await ask(server, '/b');
    listener.close();
    listener.close();
    await ask(server, '/a');
    expect(log.slice(1)).toEqual([['upgrade', '/a']]);
    await close(server);
  });

  it('tells when it closes, once, and nothing behind that', async () => {
    const server = createServer();
    const { log } = listenOn(server);
    await listen(server);
    await close(server);
    await listen(server);
    await close(server);
    expect(log.slice(1)).toEqual(['closed']);
    expect(server.listenerCount('close')).toBe(0);
  });
});
