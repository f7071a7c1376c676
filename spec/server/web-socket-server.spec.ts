import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { firstValueFrom, lastValueFrom, repeat, retry, take, takeUntil, toArray } from 'rxjs';
import { type Connection, type ListenAddress, reject, serve } from 'sluice';
import { WebSocket } from 'ws';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { closeCode, httpServer, portOf, rawPeers } from '../support/raw-peers.js';
import { echo, run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();
const { connect, open, status } = rawPeers(atEnd);

const anyPort = { port: 0, host: '127.0.0.1' } as const;

/** A TCP port that nobody listens on just now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the subscriptions of a server', () => {
  it('share one listener, without a replay of earlier connections', async () => {
    const server = serve(anyPort);
    const first = await run(server);
    await open(first.port);
    const later: Connection<unknown>[] = [];
    const second = server.subscribe((connection) => later.push(connection));
    expect(server.connections.size).toBe(1);
    await open(first.port);
    expect(first.connections).toHaveLength(2);
    expect(later).toEqual([first.connections[1]]);
    expect([...server.connections]).toEqual(first.connections);
    first.subscription.unsubscribe();
    await open(first.port);
    expect([first.connections.length, later.length]).toEqual([2, 2]);
    second.unsubscribe();
  });

  it('stop the server when the last has left, closing every connection with 1001', async () => {
    const server = serve(anyPort);
    const { port, subscription } = await run(server);
    const peers = await Promise.all([open(port), open(port)]);
    subscription.unsubscribe();
    expect(server.address()).toBeNull();
    for (const raw of peers) {
      expect(await closeCode(raw)).toBe(1001);
      raw.write(Buffer.from('88820000000003e9', 'hex'));
      expect(await raw.ended()).toBe('end');
      raw.end();
    }
    await Promise.all([...server.connections].map((connection) => lastValueFrom(connection.close$)));
    expect(server.connections.size).toBe(0);
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('terminate a peer that does not answer within closeTimeout', async () => {
    const server = serve({ ...anyPort, closeTimeout: 40 });
    const { port, subscription, connections } = await run(server);
    const raw = await open(port);
    subscription.unsubscribe();
    expect(await closeCode(raw)).toBe(1001);
    await raw.ended();
    expect(await lastValueFrom(connections[0]!.close$)).toMatchObject({ code: 1006, wasClean: false });
  });

  it('may end while the server begins to listen', async () => {
    const port = await freePort();
    for (const host of ['127.0.0.1', 'localhost', undefined]) {
      serve({ port, ...(host !== undefined && { host }) })
        .subscribe()
        .unsubscribe();
    }
    await run(serve({ port, host: '127.0.0.1' })).then(({ subscription }) => subscription.unsubscribe());
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('may end while a server of others, that listens already, tells so', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ server: http });
    const seen = await lastValueFrom(server.pipe(takeUntil(server.listening$), toArray()));
    expect({ seen, address: server.address(), listeners: http.listenerCount('upgrade') }).toEqual({
      seen: [],
      address: null,
      listeners: 0,
    });
    const subscription = server.subscribe();
    expect([await status(portOf(http.address())), http.listenerCount('upgrade')]).toEqual([101, 1]);
    subscription.unsubscribe();
  });

  it('may end inside next', async () => {
    const server = serve(anyPort);
    const listening = firstValueFrom(server.listening$);
    const first = firstValueFrom(server);
    const raw = await open(portOf(await listening));
    await first;
    expect(await closeCode(raw)).toBe(1001);
    expect(server.address()).toBeNull();
  });
});

describe('a server that cannot listen', () => {
  it('errors with the error of the system, and can be retried at once', async () => {
    const blocker = await run(serve(anyPort));
    const server = serve({ port: blocker.port, host: '127.0.0.1' });
    const listening = firstValueFrom(server.listening$);
    await expect(lastValueFrom(server)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(listening).rejects.toMatchObject({ code: 'EADDRINUSE' });
    let attempts = 0;
    const retried = server.pipe(
      retry({
        delay: () => {
          if (++attempts === 2) blocker.subscription.unsubscribe();
          return [0];
        },
        count: 5,
      }),
    );
    const again = firstValueFrom(server.listening$.pipe(retry(5)));
    const subscription = retried.subscribe();
    expect(portOf(await again)).toBe(blocker.port);
    expect(attempts).toBe(2);
    subscription.unsubscribe();
  });

  it.each([
    ['a path that is no directory', { socketPath: '/dev/null/sluice.sock' }],
    ['a key that is none', { ...anyPort, key: 'no key', cert: 'no certificate' }],
    ['an address of another machine', { port: 0, host: '192.0.2.1' }],
  ])('errors for %s', async (_, options) => {
    const server = serve(options);
    const listening = firstValueFrom(server.listening$);
    await expect(lastValueFrom(server)).rejects.toHaveProperty('message');
    await expect(listening).rejects.toHaveProperty('code');
    expect(server.address()).toBeNull();
  });

  it('tells all who wait for it', async () => {
    const blocker = await run(serve(anyPort));
    const server = serve({ port: blocker.port, host: '127.0.0.1' });
    const outcomes = await Promise.allSettled([lastValueFrom(server), lastValueFrom(server)]);
    expect(outcomes.map(({ status: outcome }) => outcome)).toEqual(['rejected', 'rejected']);
    blocker.subscription.unsubscribe();
  });
});

describe('listening$', () => {
  it('does not start the server, replays the address while it listens, and completes when it stops', async () => {
    const server = serve(anyPort);
    const early = firstValueFrom(server.listening$.pipe(toArray()));
    expect(server.address()).toBeNull();
    const { port, subscription } = await run(server);
    const late = firstValueFrom(server.listening$.pipe(toArray()));
    expect(portOf(server.address())).toBe(port);
    subscription.unsubscribe();
    for (const addresses of [await early, await late]) expect(addresses.map(portOf)).toEqual([port]);
  });

  it('emits at each new start to those who repeat it', async () => {
    const server = serve(anyPort);
    const addresses = firstValueFrom(server.listening$.pipe(repeat(), take(2), toArray()));
    (await run(server)).subscription.unsubscribe();
    const { port, subscription } = await run(server);
    expect((await addresses).map(portOf)).toHaveLength(2);
    expect(portOf((await addresses)[1]!)).toBe(port);
    subscription.unsubscribe();
  });

  it('emits at once on a server of others that listens, and later on one that does not yet', async () => {
    const listening = await httpServer(atEnd);
    const server = serve({ server: listening });
    const subscription = server.subscribe();
    const addresses: ListenAddress[] = [];
    server.listening$.subscribe((address) => addresses.push(address));
    expect(addresses).toEqual([listening.address()]);
    subscription.unsubscribe();

    const later = createHttpServer();
    const attached = serve({ server: later });
    const emitted = firstValueFrom(attached.listening$);
    const second = attached.subscribe();
    later.listen(0, '127.0.0.1');
    expect(await emitted).toEqual(later.address());
    second.unsubscribe();
    await new Promise((resolve) => later.close(resolve));
  });
});

describe('a server that starts again', () => {
  it('has its port back at once after a stop and after close()', async () => {
    const port = await freePort();
    const server = serve({ port, host: '127.0.0.1' });
    for (let round = 0; round < 5; round++) {
      const started = await run(server);
      const raw = await open(port);
      if (round % 2 === 0) started.subscription.unsubscribe();
      else server.close();
      expect(await closeCode(raw)).toBe(1001);
    }
    const last = await run(server);
    await open(port);
    expect(last.connections).toHaveLength(1);
    last.subscription.unsubscribe();
  });

  it('listens anew under repeat()', async () => {
    const server = serve(anyPort);
    const addresses = server.listening$.pipe(repeat(), take(2), toArray());
    const seen = firstValueFrom(addresses);
    const started = firstValueFrom(server.listening$);
    const subscription = server.pipe(repeat()).subscribe();
    const raw = await open(portOf(await started));
    server.close({ code: 1012 });
    expect(await closeCode(raw)).toBe(1012);
    const [, second] = await seen;
    await open(portOf(second!));
    subscription.unsubscribe();
  });
});

describe('an AbortSignal', () => {
  it('ends the server as close() does', async () => {
    const controller = new AbortController();
    const server = serve({ ...anyPort, signal: controller.signal });
    const completed = lastValueFrom(server, { defaultValue: 'nothing' });
    const { port } = await run(server);
    const raw = await open(port);
    controller.abort();
    expect(await closeCode(raw)).toBe(1001);
    await completed;
    expect(server.address()).toBeNull();
  });

  it('has one listener for all servers, and none when they have ended', () => {
    const { signal } = new AbortController();
    const subscriptions = Array.from({ length: 20 }, () => serve({ noServer: true, signal }).subscribe());
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('that is aborted already lets nothing listen', async () => {
    const server = serve({ ...anyPort, signal: AbortSignal.abort() });
    expect(await lastValueFrom(server, { defaultValue: 'nothing' })).toBe('nothing');
    expect(server.address()).toBeNull();
  });
});

describe('clientTracking: false', () => {
  it('keeps no connections, and closes none', async () => {
    const server = serve({ ...anyPort, clientTracking: false });
    const { port, subscription, connections } = await run(server, echo);
    const raw = await open(port);
    expect(server.connections.size).toBe(0);
    subscription.unsubscribe();
    raw.write(wire('server', [text('still here')]));
    expect((await raw.frame()).payload.toString()).toBe('still here');
    connections[0]!.terminate();
  });
});

describe('noServer', () => {
  it('tells the caller of handleUpgrade which connection came of the request, before all others', async () => {
    const server = serve({ noServer: true, authenticate: async ({ url }) => url !== '/out' || reject(403) });
    const http = await httpServer(atEnd);
    const told = new Map<string, Connection>();
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (conn) => told.set(request.url ?? '', conn));
    });
    const { port } = http.address() as AddressInfo;
    const names: unknown[] = [];
    const subscription = server.subscribe((conn) => {
      names.push([...told].find(([, each]) => each === conn)?.[0]);
    });
    atEnd(() => subscription.unsubscribe());
    for (const path of ['/a', '/out', '/b']) {
      const raw = await connect(port);
      raw.write(handshake({ path }));
      await raw.response();
    }
    expect({ names, told: [...told.keys()] }).toEqual({ names: ['/a', '/b'], told: ['/a', '/b'] });
  });

  it('closes a connection with 1011 when that callback throws, and none other', async () => {
    const reported: unknown[] = [];
    const note = (message: unknown): void => void reported.push((message as { error: unknown }).error);
    subscribe('sluice:server-error', note);
    atEnd(() => void unsubscribe('sluice:server-error', note));
    const fault = new Error('no place for it');
    const server = serve({ noServer: true });
    const http = await httpServer(atEnd);
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, () => {
        throw fault;
      });
    });
    const { port } = http.address() as AddressInfo;
    const subscription = server.subscribe();
    atEnd(() => subscription.unsubscribe());
    const raw = await open(port);
    expect(await closeCode(raw)).toBe(1011);
    expect(reported).toEqual([fault]);
  });

  it('takes requests by handleUpgrade, and refuses them while nobody subscribes', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ noServer: true, path: '/ws' });
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    const { port } = http.address() as AddressInfo;
    const ask = async (path: string): Promise<number> => {
      const raw = await connect(port);
      raw.write(handshake({ path }));
      return (await raw.response()).status;
    };
    expect(await ask('/ws')).toBe(503);
    const connections: Connection<unknown>[] = [];
    const subscription = server.subscribe((connection) => connections.push(connection));
    expect([await ask('/ws?a'), await ask('/other')]).toEqual([101, 404]);
    expect([connections.length, server.address()]).toEqual([1, null]);
    subscription.unsubscribe();
    expect(await ask('/ws')).toBe(503);
  });
});

describe('shouldHandle', () => {
  it('may be overridden', async () => {
    const http = await httpServer(atEnd);
    const server = serve({ server: http, path: '/never' });
    server.shouldHandle = ({ headers }) => headers['x-tenant'] === 'a';
    const subscription = server.subscribe();
    const ask = async (tenant: string): Promise<number> => {
      const raw = await connect(portOf(http.address()));
      raw.write(handshake({ headers: { 'X-Tenant': tenant } }));
      return (await raw.response()).status;
    };
    expect([await ask('a'), await ask('b')]).toEqual([101, 404]);
    subscription.unsubscribe();
  });

  it('that throws leaves the request, and the server goes on', async () => {
    const server = serve(anyPort);
    let isBroken = true;
    server.shouldHandle = () => {
      if (isBroken) throw new Error('broken');
      return true;
    };
    const { port, subscription } = await run(server);
    expect(await status(port)).toBe(404);
    isBroken = false;
    expect(await status(port)).toBe(101);
    subscription.unsubscribe();
  });
});

describe('the emission of a connection', () => {
  it('is under a hold, so that all who subscribe inside next share the first message', async () => {
    const server = serve(anyPort);
    const got: string[] = [];
    const { port, subscription } = await run(server, (connection) => {
      connection.messages$.subscribe((message) => got.push(`first ${message}`));
      connection.messages$.subscribe((message) => got.push(`second ${message}`));
      connection.messages$.subscribe(connection.send);
    });
    const raw = await connect(port);
    raw.write(Buffer.concat([Buffer.from(handshake()), wire('server', [text('a')])]));
    await raw.response();
    expect((await raw.frame()).payload.toString()).toBe('a');
    expect(got).toEqual(['first a', 'second a']);
    subscription.unsubscribe();
  });

  it('comes for no handshake that was refused', async () => {
    const { port, subscription, connections } = await run(serve({ ...anyPort, verifyClient: () => reject(403) }));
    expect(await status(port)).toBe(403);
    expect(connections).toEqual([]);
    subscription.unsubscribe();
  });

  it('works with a client of ws', async () => {
    const { port, subscription } = await run(serve(anyPort), echo);
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('hi');
    expect(await new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))).toBe('hi');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    subscription.unsubscribe();
    expect(await closed).toBe(1001);
  });
});
