import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { firstValueFrom, of, Subject } from 'rxjs';
import { accept, type Connection, serve, type WebSocketServer } from 'sluice';
import { RequestRecord } from '../../src/net/request-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { run } from '../support/running-server.js';

guardProcess();
const ends = endAfterEach();
const listening = { port: 0, host: '127.0.0.1' } as const;

/** What Node makes of a request for an upgrade. */
async function received(lines: string[]): Promise<IncomingMessage> {
  const server = createServer().listen(0, '127.0.0.1');
  ends(() => server.close());
  const request = new Promise<IncomingMessage>((resolve) => {
    server.on('upgrade', (message, socket) => {
      resolve(message);
      socket.destroy();
    });
  });
  await once(server, 'listening');
  const client = await RawClient.connect((server.address() as AddressInfo).port);
  ends(() => client.socket.destroy());
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  return request;
}

describe('a request that is kept', () => {
  it('is made again as Node made it', async () => {
    const original = await received([
      'GET /chat?room=1 HTTP/1.1',
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Cookie: a=1',
      'cookie: b=2',
      'X-Empty:',
      'X-Twice: 1',
      'X-Twice: 2',
      'Set-Cookie: a',
      'Referer: first',
      'Referer: second',
    ]);
    const { request } = new RequestRecord(original, original.socket);
    const fields = ['url', 'method', 'httpVersion', 'httpVersionMajor', 'httpVersionMinor', 'rawHeaders', 'headers'];
    for (const field of [...fields, 'headersDistinct', 'complete', 'socket']) {
      expect([field, Reflect.get(request, field)]).toEqual([field, Reflect.get(original, field)]);
    }
    const body: unknown[] = [];
    for await (const chunk of request) body.push(chunk);
    expect(body).toEqual([]);
  });

  it('is the same one each time', async () => {
    const original = await received(['GET / HTTP/1.1', 'Host: localhost', 'Upgrade: x', 'Connection: Upgrade']);
    const record = new RequestRecord(original, original.socket);
    expect(record.request).toBe(record.request);
  });
});

describe('the request of a connection', () => {
  /** Connects to `server`, and gives what it emits. */
  async function connectionOf(server: WebSocketServer): Promise<Connection> {
    const emitted = new Subject<Connection>();
    const connection = firstValueFrom(emitted);
    const { port, subscription } = await run(server, (conn) => emitted.next(conn));
    const client = await RawClient.connect(port);
    ends(() => subscription.unsubscribe());
    ends(() => client.socket.destroy());
    client.write(handshake({ path: '/a?b' }));
    return connection;
  }

  it('is the one that a hook has seen', async () => {
    const seen: IncomingMessage[] = [];
    const connection = await connectionOf(
      serve({ ...listening, authenticate: (request) => seen.push(request) }) as WebSocketServer,
    );
    expect(connection.request).toBe(seen[0]);
  });

  it('is the one that a predicate of the path has seen', async () => {
    const seen: IncomingMessage[] = [];
    const path = (_path: string, request: IncomingMessage): boolean => seen.push(request) > 0;
    expect((await connectionOf(serve({ ...listening, path }))).request).toBe(seen[0]);
  });

  it('is the one that the headers of the answer were chosen for', async () => {
    const seen: IncomingMessage[] = [];
    const connection = await connectionOf(
      serve({ ...listening, headers: (_lines, request) => void seen.push(request) }),
    );
    expect(connection.request).toBe(seen[0]);
  });

  it('is the one that a server of somebody else gave', async () => {
    const http = createServer().listen(0, '127.0.0.1');
    ends(() => http.close());
    await once(http, 'listening');
    const client = await RawClient.connect((http.address() as AddressInfo).port);
    ends(() => client.socket.destroy());
    const upgraded = once(http, 'upgrade');
    client.write(handshake());
    const given = await upgraded;
    expect((await firstValueFrom(of(given).pipe(accept()))).request).toBe(given[0]);
  });

  it('tells what came where nobody has seen it before, after the end too', async () => {
    const connection = await connectionOf(serve({ ...listening, path: /^\/a$/ }));
    connection.terminate();
    const { request, url } = connection;
    expect({ url, requestUrl: request?.url, headersUpgrade: request?.headers.upgrade }).toEqual({
      url: '/a?b',
      requestUrl: '/a?b',
      headersUpgrade: 'websocket',
    });
    expect(connection.request).toBe(request);
  });
});
