import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Observable, Subject } from 'rxjs';
import { type Connection, type ServeOptions, serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { ACCEPT, handshake, RawClient } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { run } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();

async function start(options: ServeOptions<unknown>): Promise<{ port: number; connections: readonly Connection[] }> {
  const server = await run(serve({ port: 0, host: '127.0.0.1', ...options }));
  atEnd(() => server.subscription.unsubscribe());
  return server;
}

const peers = rawPeers(atEnd);
const ask = (port: number, headers: Record<string, string> = {}): Promise<RawClient> => peers.ask(port, { headers });

const openSockets = (server: HttpServer): Promise<number> =>
  new Promise((resolve) => server.getConnections((_, count) => resolve(count)));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the headers hook', () => {
  it('may add lines to the 101', async () => {
    const { port } = await start({
      headers: (lines, request) => {
        lines.push(`X-Path: ${request.url}`, 'Set-Cookie: a=1', 'Set-Cookie: b=2');
      },
    });
    const { status, headers } = await (await ask(port)).response();
    expect(status).toBe(101);
    expect(headers.get('x-path')).toEqual(['/']);
    expect(headers.get('set-cookie')).toEqual(['a=1', 'b=2']);
  });

  it('sees the lines that are there', async () => {
    const seen: string[] = [];
    const { port } = await start({
      handleProtocols: () => 'chat',
      headers: (lines) => {
        seen.push(...lines);
      },
    });
    await (await ask(port, { 'Sec-WebSocket-Protocol': 'chat' })).response();
    expect(seen).toEqual([
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${ACCEPT}`,
      'Sec-WebSocket-Protocol: chat',
    ]);
  });

  it.each<[string, NonNullable<ServeOptions['headers']>]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['adds a line end', (lines) => lines.push('A: b\r\nX-Injected: 1')],
    ['adds a line without a name', (lines) => lines.push(': b')],
    ['adds what is no line', (lines) => lines.push('nonsense')],
    ['adds what is no string', (lines) => lines.push(5 as unknown as string)],
    ['adds what latin1 cannot carry', (lines) => lines.push('A: €')],
  ])('that %s is a 500, and injects nothing', async (_, headers) => {
    const { port, connections } = await start({ headers });
    const response = await (await ask(port)).response();
    expect([response.status, response.headers.has('x-injected')]).toEqual([500, false]);
    expect(connections).toEqual([]);
  });
});

describe('peers that leave while a hook decides', () => {
  it('are let go by the hundred, and nothing is kept of them', async () => {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    atEnd(() => new Promise((resolve) => http.close(resolve)));
    const { port } = http.address() as AddressInfo;
    let asked = 0;
    let aborted = 0;
    let subscribed = 0;
    const server = serve({
      server: http,
      authenticate: (_, { signal }) => {
        asked++;
        signal.addEventListener('abort', () => aborted++);
        return new Observable<never>(() => {
          subscribed++;
          return () => subscribed--;
        });
      },
    });
    const { subscription, connections } = await run(server);
    for (let round = 0; round < 300; round++) {
      const raw = await RawClient.connect(port);
      raw.write(handshake());
      while (asked === round) await turn();
      if (round % 2 === 0) raw.reset();
      else await raw.close();
    }
    while ((await openSockets(http)) > 0) await turn();
    expect({ asked, aborted, subscribed }).toEqual({ asked: 300, aborted: 300, subscribed: 0 });
    expect([connections.length, server.connections.size]).toEqual([0, 0]);
    subscription.unsubscribe();
  });

  it('leave no 101 behind when the answer comes in the same moment', async () => {
    const answer = new Subject<boolean>();
    const { port, connections } = await start({ verifyClient: () => answer });
    const raw = await ask(port);
    while (!answer.observed) await turn();
    raw.reset();
    while (answer.observed) await turn();
    answer.next(true);
    expect(connections).toEqual([]);
  });
});

describe('connections', () => {
  it('are there inside next, and gone once closed', async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const sizes: number[] = [];
    const { port, subscription } = await run(server, () => sizes.push(server.connections.size));
    const first = await ask(port);
    await first.response();
    await (await ask(port)).response();
    expect(sizes).toEqual([1, 2]);
    first.reset();
    while (server.connections.size > 1) await turn();
    subscription.unsubscribe();
  });
});
