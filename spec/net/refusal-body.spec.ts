import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { VirtualTimeScheduler } from 'rxjs';
import { connect } from 'sluice';
import { readRefusal } from '../../src/net/refusal-body.js';
import { HandshakeError } from '../../src/protocol/errors.js';
import { recordDial } from '../support/dial-record.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, rawServer } from '../support/raw-server.js';

guardProcess();
afterEach(closeRawServers);

interface Answer {
  readonly what: string;
  readonly response: string;
  readonly status: number;
  readonly body: string;
  readonly headers?: object;
}

const answers: Answer[] = [
  { what: '200 with a page', response: '200 OK\r\nContent-Length: 6\r\n\r\n<html>', status: 200, body: '<html>' },
  { what: '204', response: '204 No Content\r\n\r\n', status: 204, body: '' },
  { what: '304', response: '304 Not Modified\r\nContent-Length: 5\r\n\r\n', status: 304, body: '' },
  {
    what: '302, as redirects are not followed',
    response: '302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
    status: 302,
    body: '',
    headers: { location: 'ws://127.0.0.1:1/' },
  },
  {
    what: '401 with a challenge',
    response: '401 Unauthorized\r\nWWW-Authenticate: Basic realm="a"\r\nContent-Length: 2\r\n\r\nno',
    status: 401,
    body: 'no',
    headers: { 'www-authenticate': 'Basic realm="a"' },
  },
  {
    what: '404 in chunks',
    response: '404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n5\r\n here\r\n0\r\n\r\n',
    status: 404,
    body: 'not here',
  },
  {
    what: '426 with the version it speaks',
    response: '426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\nContent-Length: 0\r\n\r\n',
    status: 426,
    body: '',
    headers: { 'sec-websocket-version': '13, 8' },
  },
  {
    what: '500 until the end of the connection',
    response: '500 Internal Server Error\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbröken',
    status: 500,
    body: 'bröken',
    headers: { 'set-cookie': ['a=1', 'b=2'] },
  },
  {
    what: '503 with the time to come back',
    response: '503 Service Unavailable\r\nRetry-After: 120\r\nContent-Length: 4\r\n\r\nbusy',
    status: 503,
    body: 'busy',
    headers: { 'retry-after': '120' },
  },
  { what: 'an unknown status', response: '799 Strange\r\nContent-Length: 1\r\n\r\n?', status: 799, body: '?' },
];

describe('a response other than 101 (RFC 6455 §4.1)', () => {
  it.each(answers)(
    'fails the dial with status, headers and body: $what',
    async ({ response, status, body, headers }) => {
      const server = await rawServer(async (peer) => {
        await peer.request();
        peer.socket.end(`HTTP/1.1 ${response}`);
      });
      const error = await recordDial(connect(server.url)).failure;
      expect(error).toMatchObject({ name: 'HandshakeError', code: 'UNEXPECTED_STATUS', status, body, uptime: 0 });
      expect(error).toMatchObject({ headers: headers ?? {} });
      expect(error.message).toContain(String(status));
      await server.peers[0]?.ended;
    },
  );

  it('has the bytes of the body beside its text, and shows the console only that', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x62, 0x72, 0xf6, 0x6b]);
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 7\r\n\r\n');
      peer.socket.end(bytes);
    });
    const error = (await recordDial(connect(server.url)).failure) as HandshakeError;
    expect(Buffer.from(error.bodyBytes)).toEqual(bytes);
    expect({ body: error.body, printed: inspect(error).includes('bodyBytes') }).toEqual({
      body: '\ufeffbr\ufffdk',
      printed: false,
    });
    expect(new HandshakeError('UNEXPECTED_STATUS', 'no', { body: 'ö' }).bodyBytes).toEqual(
      new Uint8Array([0xc3, 0xb6]),
    );
  });

  it('frees the socket though the server would keep it', async () => {
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n');
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({ status: 404 });
    await server.peers[0]?.ended;
  });

  it('keeps 64 KiB of a longer body, and does not read the rest', async () => {
    let sent = 0;
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 500 Internal Server Error\r\n\r\n');
      const more = (): void => {
        if (peer.socket.destroyed) return;
        sent += 16_384;
        peer.socket.write('a'.repeat(16_384), () => setImmediate(more));
      };
      more();
    });
    const error = (await recordDial(connect(server.url)).failure) as HandshakeError;
    expect(error.body).toBe('a'.repeat(65_536));
    await server.peers[0]?.closed;
    expect(sent).toBeLessThan(100_000_000);
  });

  it('keeps no byte more when more comes at once', async () => {
    const body = new Readable({ read() {} });
    const error = new Promise<HandshakeError>((resolve) =>
      readRefusal(responseFrom(body), new VirtualTimeScheduler(), resolve),
    );
    body.push('a'.repeat(65_535));
    body.push('bcd');
    expect((await error).body).toBe(`${'a'.repeat(65_535)}b`);
    body.destroy();
  });

  it('keeps what came of a body that was cut off', async () => {
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\nhalf');
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({ status: 502, body: 'half' });
  });
});

function responseFrom(body: Readable): IncomingMessage {
  return Object.assign(body, {
    statusCode: 503,
    statusMessage: 'Service Unavailable',
    rawHeaders: ['Retry-After', '1'],
  }) as unknown as IncomingMessage;
}

describe('the body of a refusal', () => {
  it('may take one second, then what has come is enough', async () => {
    const scheduler = new VirtualTimeScheduler();
    const body = new Readable({ read() {} });
    const errors: HandshakeError[] = [];
    readRefusal(responseFrom(body), scheduler, (error) => errors.push(error));
    body.push('so far');
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([]);
    scheduler.flush();
    expect(scheduler.now()).toBe(1000);
    expect(errors).toMatchObject([{ status: 503, body: 'so far', headers: { 'retry-after': '1' } }]);
    body.destroy();
  });

  it('leaves no timer when it has come', async () => {
    const scheduler = new VirtualTimeScheduler();
    const error = await new Promise<HandshakeError>((resolve) =>
      readRefusal(responseFrom(Readable.from([Buffer.from('all')])), scheduler, resolve),
    );
    expect(error.body).toBe('all');
    expect(scheduler.actions).toEqual([]);
  });

  it('may fail', async () => {
    const body = new Readable({ read() {} });
    const error = new Promise<HandshakeError>((resolve) =>
      readRefusal(responseFrom(body), new VirtualTimeScheduler(), resolve),
    );
    body.push('half');
    setImmediate(() => body.destroy(new Error('reset')));
    expect(await error).toMatchObject({ status: 503, body: 'half' });
  });
});
