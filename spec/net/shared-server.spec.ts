import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asyncScheduler } from 'rxjs';
import type { ListenAddress, Listener } from '../../src/net/listener.js';
import { listenShared } from '../../src/net/shared-server.js';
import type { UpgradeRequest } from '../../src/net/upgrade-request.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';

guardProcess();
const atEnd = endAfterEach();

interface Attached {
  readonly listener: Listener;
  readonly log: unknown[];
}

function attach(server: Server, matches: (url: string) => boolean = () => true): Attached {
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
  const raw = await RawClient.connect((server.address() as AddressInfo).port);
  atEnd(() => raw.close());
  raw.write(handshake({ path }));
  await raw.ended();
}

describe('a server of others', () => {
  it('tells when it listens, each time', async () => {
    const server = createServer();
    const { listener, log } = attach(server);
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
    const { listener, log } = attach(server);
    expect([log, listener.address()]).toEqual([[['listening', server.address()]], server.address()]);
    listener.close();
    await close(server);
  });

  it('hands over upgrades that match, and is left with its own', async () => {
    const server = createServer((_, response) => response.setHeader('Connection', 'close').end());
    await listen(server);
    const { listener, log } = attach(server, (url) => url === '/a');
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
    const { log } = attach(server);
    await listen(server);
    await close(server);
    await listen(server);
    await close(server);
    expect(log.slice(1)).toEqual(['closed']);
    expect(server.listenerCount('close')).toBe(0);
  });
});
