import { createServer } from 'node:http';
import { asyncScheduler, firstValueFrom, Subject } from 'rxjs';
import type { BinaryType } from '../../src/connection/connection.js';
import { type ServeOptions, serve } from '../../src/index.js';
import type { ListenAddress, ListenEvents, Listener } from '../../src/net/listener.js';
import { listen } from '../../src/server/listen.js';
import { serveSettings } from '../../src/server/server-options.js';

interface Listening {
  readonly listener: Listener;
  readonly address$: Subject<ListenAddress>;
  readonly failed$: Subject<Error>;
}

function begin(options: ServeOptions<unknown, BinaryType>): Listening {
  const address$ = new Subject<ListenAddress>();
  const failed$ = new Subject<Error>();
  const events: ListenEvents = {
    listening: (address) => address$.next(address),
    failed: (error) => failed$.next(error),
    fault: () => {},
    refused: () => {},
    upgrade: () => {},
    closed: () => {},
  };
  const listener = listen(options, serveSettings(options), () => true, events);
  return { listener, address$, failed$ };
}

describe('listen', () => {
  it('listens on a port, of the host that is named', async () => {
    const { listener, address$ } = begin({ port: 0, host: '127.0.0.1', backlog: 5 });
    expect(await firstValueFrom(address$)).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    expect(listener.address()).toMatchObject({ address: '127.0.0.1' });
    listener.close();
    expect(listener.address()).toBeNull();
  });

  it('listens on all addresses where no host is named', async () => {
    const { listener, address$ } = begin({ port: 0 });
    expect(['::', '0.0.0.0']).toContain(((await firstValueFrom(address$)) as { address: string }).address);
    listener.close();
  });

  it('tells why it cannot', async () => {
    const first = begin({ port: 0, host: '127.0.0.1' });
    const { port } = (await firstValueFrom(first.address$)) as { port: number };
    const second = begin({ port, host: '127.0.0.1' });
    expect(await firstValueFrom(second.failed$)).toMatchObject({ code: 'EADDRINUSE' });
    first.listener.close();
  });

  it('attaches to a server of others, and leaves it as it was', () => {
    const server = createServer();
    const { listener } = begin({ server });
    expect([listener.address(), server.listenerCount('upgrade')]).toEqual([null, 1]);
    listener.close();
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('does nothing where there is no server', () => {
    const { listener } = begin({ noServer: true, scheduler: asyncScheduler });
    expect(listener.address()).toBeNull();
    listener.close();
  });

  it('is not called before somebody subscribes', () => {
    const server = createServer();
    serve({ server });
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});
