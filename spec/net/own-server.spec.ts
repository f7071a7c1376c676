import { fork } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { ACCEPT, type HandshakeParts, handshake, KEY, RawClient } from '../support/raw-client.js';
import { echo, type RunningServer, run } from '../support/running-server.js';
import { stopChild } from '../support/stop-child.js';
import { serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();
let server: RunningServer<unknown, unknown>;

beforeAll(async () => {
  server = await run(serve({ port: 0, host: '127.0.0.1' }), echo);
});
afterAll(() => server.subscription.unsubscribe());

async function client(): Promise<RawClient> {
  const raw = await RawClient.connect(server.port);
  atEnd(() => raw.close());
  return raw;
}

/** Sends a handshake, or any bytes, and gives the status of the answer. */
async function answerTo(request: HandshakeParts | string): Promise<number> {
  const raw = await client();
  raw.write(typeof request === 'string' ? request : handshake(request));
  return (await raw.response()).status;
}

async function expectEcho(raw: RawClient, payload: string): Promise<void> {
  raw.write(wire('server', [text(payload)]));
  expect(await raw.frame()).toEqual({ first: 0x81, opcode: 1, masked: false, payload: Buffer.from(payload) });
}

describe('a valid opening handshake (RFC 6455 §4.2)', () => {
  it('is answered with 101 and exactly the fields that it needs', async () => {
    const raw = await client();
    raw.write(handshake());
    const { status, reason, headers } = await raw.response();
    expect([status, reason]).toEqual([101, 'Switching Protocols']);
    expect(Object.fromEntries(headers)).toEqual({
      upgrade: ['websocket'],
      connection: ['Upgrade'],
      'sec-websocket-accept': [ACCEPT],
    });
    await expectEcho(raw, 'hello');
  });

  it('keeps the frames that come in the same packet', async () => {
    const raw = await client();
    raw.write(Buffer.concat([Buffer.from(handshake()), wire('server', [text('a'), text('b')])]));
    expect((await raw.response()).status).toBe(101);
    expect((await raw.frame()).payload.toString()).toBe('a');
    expect((await raw.frame()).payload.toString()).toBe('b');
    await expectEcho(raw, 'c');
  });

  it('may be cut at any byte, frames behind it too', async () => {
    const bytes = Buffer.concat([Buffer.from(handshake()), wire('server', [text('whole')])]);
    await Promise.all(
      Array.from({ length: bytes.length - 1 }, async (_, index) => {
        const raw = await client();
        await raw.send(bytes.subarray(0, index + 1));
        await raw.send(bytes.subarray(index + 1));
        expect((await raw.response()).headers.get('sec-websocket-accept')).toEqual([ACCEPT]);
        expect((await raw.frame()).payload.toString()).toBe('whole');
        await raw.close();
      }),
    );
  });

  it('may come byte by byte', async () => {
    const raw = await client();
    raw.socket.setNoDelay(true);
    for (const byte of Buffer.concat([Buffer.from(handshake()), wire('server', [text('drip')])])) {
      await raw.send(Buffer.from([byte]));
    }
    expect((await raw.response()).status).toBe(101);
    expect((await raw.frame()).payload.toString()).toBe('drip');
  });

  it.each<[string, HandshakeParts['headers']]>([
    ['Content-Length: 0', { 'Content-Length': '0' }],
    ['Connection: keep-alive, Upgrade', { Connection: 'keep-alive, Upgrade' }],
    ['connection: UPGRADE', { Connection: undefined, connection: 'UPGRADE' }],
    ['two Connection fields', { Connection: ['keep-alive', 'Upgrade'] }],
    ['Upgrade: WebSocket', { Upgrade: 'WebSocket' }],
    ['Upgrade: h2c, websocket', { Upgrade: 'h2c, websocket' }],
    ['two Upgrade fields', { Upgrade: ['h2c', 'websocket'] }],
    ['an IPv6 Host', { Host: '[::1]:8080' }],
    ['fields named like members of objects', { __proto__x: '1', constructor: 'x', hasOwnProperty: 'x', toString: 'x' }],
    ['an extension that nobody knows', { 'Sec-WebSocket-Extensions': 'constructor, toString; valueOf=1' }],
    ['an extension named __proto__', { 'Sec-WebSocket-Extensions': '__proto__; __proto__=1; hasOwnProperty' }],
  ])('is accepted with %s', async (_, headers) => {
    const raw = await client();
    raw.write(handshake({ headers: { ...headers } }));
    const response = await raw.response();
    expect([response.status, response.headers.size]).toEqual([101, 3]);
    await expectEcho(raw, 'ok');
  });

  it('is accepted with the first of the subprotocols, whatever it is named', async () => {
    const raw = await client();
    raw.write(handshake({ headers: { 'Sec-WebSocket-Protocol': '__proto__, chat' } }));
    const { status, headers } = await raw.response();
    expect({ status, chosen: headers.get('sec-websocket-protocol') }).toEqual({ status: 101, chosen: ['__proto__'] });
    await expectEcho(raw, 'ok');
  });

  it('leaves prototypes alone when a field is named __proto__', async () => {
    const raw = await client();
    raw.write(handshake().replace('\r\n\r\n', '\r\n__proto__: polluted\r\nconstructor: x\r\n\r\n'));
    expect((await raw.response()).status).toBe(101);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    const [connection] = server.connections.slice(-1);
    expect(connection?.request?.rawHeaders).toContain('__proto__');
  });
});

describe('an error of the operating system while connections are accepted', () => {
  it('is reported to the diagnostics, and ends nothing', async () => {
    const sockets: Socket[] = [];
    const reported: unknown[] = [];
    const onSocket = (message: unknown): number => sockets.push((message as { socket: Socket }).socket);
    const onError = (message: unknown): number => reported.push((message as { error: unknown }).error);
    subscribe('net.server.socket', onSocket);
    subscribe('sluice:server-error', onError);
    const before = await client();
    before.write(handshake());
    expect((await before.response()).status).toBe(101);
    const tooMany = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    (sockets[0] as unknown as { server: Server }).server.emit('error', tooMany);
    unsubscribe('net.server.socket', onSocket);
    unsubscribe('sluice:server-error', onError);
    expect(reported).toEqual([tooMany]);
    await expectEcho(before, 'still here');
    expect(await answerTo({})).toBe(101);
  });
});

describe('a request that is no valid handshake', () => {
  it.each<[number, string, HandshakeParts]>([
    [405, 'POST', { method: 'POST' }],
    [405, 'HEAD', { method: 'HEAD' }],
    [405, 'PUT', { method: 'PUT' }],
    [405, 'OPTIONS', { method: 'OPTIONS' }],
    [505, 'HTTP/1.0', { version: '1.0' }],
    [400, 'no Host', { headers: { Host: undefined } }],
    [400, 'two Hosts', { headers: { Host: ['a', 'a'] } }],
    [400, 'an empty Host', { headers: { Host: '' } }],
    [400, 'a Host that is none', { headers: { Host: 'a/b' } }],
    [426, 'no Upgrade', { headers: { Upgrade: undefined } }],
    [426, 'no Connection', { headers: { Connection: undefined } }],
    [426, 'Connection: close', { headers: { Connection: 'close' } }],
    [426, 'Connection: notupgrade', { headers: { Connection: 'notupgrade' } }],
    [400, 'Upgrade: websocket/13', { headers: { Upgrade: 'websocket/13' } }],
    [400, 'Upgrade: websockets', { headers: { Upgrade: 'websockets' } }],
    [426, 'Upgrade: h2c', { headers: { Upgrade: 'h2c' } }],
    [426, 'no version', { headers: { 'Sec-WebSocket-Version': undefined } }],
    [426, 'version 8', { headers: { 'Sec-WebSocket-Version': '8' } }],
    [426, 'version 013', { headers: { 'Sec-WebSocket-Version': '013' } }],
    [426, 'version 13x', { headers: { 'Sec-WebSocket-Version': '13x' } }],
    [400, 'two versions', { headers: { 'Sec-WebSocket-Version': ['13', '13'] } }],
    [400, 'no key', { headers: { 'Sec-WebSocket-Key': undefined } }],
    [400, 'two keys', { headers: { 'Sec-WebSocket-Key': [KEY, KEY] } }],
    [400, 'a key of 15 bytes', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' } }],
    [400, 'a key that is no base64', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j****' } }],
    [400, 'Content-Length: 5', { headers: { 'Content-Length': '5' } }],
    [400, 'a chunked body', { headers: { 'Transfer-Encoding': 'chunked' } }],
    [400, 'a subprotocol twice', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }],
    [400, 'an empty subprotocol', { headers: { 'Sec-WebSocket-Protocol': '' } }],
    [400, 'a subprotocol of two words', { headers: { 'Sec-WebSocket-Protocol': 'a b' } }],
    [400, 'a gap between subprotocols', { headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }],
    [400, 'a subprotocol beyond ASCII', { headers: { 'Sec-WebSocket-Protocol': 'caf\xe9' } }],
    [400, '16 000 spaces in a subprotocol', { headers: { 'Sec-WebSocket-Protocol': `b${' '.repeat(15_000)}x` } }],
    [400, 'a quoted subprotocol', { headers: { 'Sec-WebSocket-Protocol': `a; b="${'\\c'.repeat(7_000)}` } }],
    [400, 'a malformed extension', { headers: { 'Sec-WebSocket-Extensions': ',;constructor' } }],
  ])('gets %i: %s', async (status, _, parts) => {
    const raw = await client();
    raw.write(handshake(parts));
    const response = await raw.response();
    expect(response.status).toBe(status);
    expect(response.headers.get('connection')?.[0]).toMatch(/^close/);
    if (status === 405) expect(response.headers.get('allow')).toEqual(['GET']);
    if (status === 426) expect(response.headers.get('upgrade')).toEqual(['websocket']);
    expect(await raw.ended()).toBe('end');
  });

  it('is told which version is spoken', async () => {
    const raw = await client();
    raw.write(handshake({ headers: { 'Sec-WebSocket-Version': '14' } }));
    const response = await raw.response();
    expect([response.status, response.headers.get('sec-websocket-version')]).toEqual([426, ['13']]);
  });

  it('gets no body on HEAD', async () => {
    const raw = await client();
    raw.write(handshake({ method: 'HEAD' }));
    await raw.response();
    await raw.ended();
    expect(raw.received).toHaveLength(0);
  });

  it.each([
    ['a plain GET', `GET / HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['a plain POST', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`],
    ['a GET of HTTP/1.0', `GET / HTTP/1.0\r\n\r\n`],
  ])('gets 426: %s', async (_, request) => {
    const raw = await client();
    raw.write(request);
    const response = await raw.response();
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, ['websocket']]);
    expect(response.headers.get('connection')).toEqual(['close, Upgrade']);
    expect(await raw.ended()).toBe('end');
  });

  it.each([
    ['Hixie-76', `Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U`],
    ['hybi-00 without keys', '\r\n'],
  ])('gets 426: the draft %s', async (_, rest) => {
    expect(await answerTo(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n${rest}`)).toBe(
      426,
    );
  });

  it.each([
    ['a folded line', `X: a\r\n b`],
    ['a bare LF', `X: a\nY: b`],
    ['a NUL', `X: a\0b`],
    ['a bare CR', `X: a\rb`],
    ['a space before the colon', `X : a`],
    ['no colon', `X`],
    ['Content-Length and Transfer-Encoding', `Content-Length: 5\r\nTransfer-Encoding: chunked`],
    ['two Content-Lengths', `Content-Length: 5\r\nContent-Length: 6`],
  ])('gets 400: %s in the head', async (_, line) => {
    expect(await answerTo(handshake().replace('\r\n\r\n', `\r\n${line}\r\n\r\n`))).toBe(400);
  });

  it('gets 400 for an ambiguous head, though the process runs with a lenient parser', async () => {
    const execArgv = ['--insecure-http-parser', '--import', 'tsx'];
    const child = fork('spec/faults/topic-server.ts', ['0'], { execArgv });
    atEnd(() => stopChild(child));
    const [port] = (await once(child, 'message')) as [number];
    for (const line of [`X: a\0b`, `X: a\rb`, `Content-Length: 5\r\nTransfer-Encoding: chunked`]) {
      const raw = await RawClient.connect(port);
      atEnd(() => raw.close());
      raw.write(handshake().replace('\r\n\r\n', `\r\n${line}\r\n\r\n`));
      expect((await raw.response()).status).toBe(400);
    }
  });

  it('is seen as such however many fields hide it', async () => {
    const many = 'a:\r\n'.repeat(2_500);
    expect(await answerTo(handshake().replace('\r\n\r\n', `\r\n${many}\r\n`))).toBe(101);
    expect(await answerTo(handshake().replace('\r\n\r\n', `\r\n${many}Content-Length: 5\r\n\r\nhello`))).toBe(400);
    expect(await answerTo(handshake().replace('\r\n\r\n', `\r\n${many}Host: b\r\n\r\n`))).toBe(400);
  });

  it.each([
    ['a path of 16 KiB', handshake({ path: `/${'a'.repeat(16_384)}` })],
    ['a field of 17 KB', handshake({ headers: { X: 'a'.repeat(17_000) } })],
  ])('gets 431: %s', async (_, request) => {
    expect(await answerTo(request)).toBe(431);
  });
});

describe('a peer that sends without end', () => {
  /** Writes `piece` again and again until the connection is gone. */
  async function flood(raw: RawClient, piece: Buffer): Promise<void> {
    while (raw.socket.writable) {
      if (raw.socket.write(piece)) continue;
      await new Promise<void>((resolve) => raw.socket.once('drain', resolve).once('close', resolve));
    }
  }

  it.each([
    ['a header without end', 431, handshake().replace('\r\n\r\n', `\r\nX: ${'a'.repeat(17_000)}`)],
    ['a body of 1 GiB behind a handshake', 400, handshake({ headers: { 'Content-Length': String(2 ** 30) } })],
    ['a chunked body behind a handshake', 400, handshake({ headers: { 'Transfer-Encoding': 'chunked' } })],
    ['a body of 1 GiB on a plain request', 426, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 ** 30}\r\n\r\n`],
  ])('is answered and cut off: %s', async (_, status, head) => {
    const sockets: Socket[] = [];
    const onConnection = (message: unknown): number => sockets.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', onConnection);
    const raw = await client();
    await raw.send(head);
    unsubscribe('net.server.socket', onConnection);
    expect((await raw.response()).status).toBe(status);
    await flood(raw, Buffer.alloc(16_384, 'a'));
    expect(sockets[0]?.bytesRead).toBeLessThan(3 * 65_536);
  });
});

describe('a peer that writes on while it is refused', () => {
  it.each([
    [431, 'one field of 20 MiB', Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nX: '), Buffer.alloc(20_971_520, 'a')])],
    [431, '20 MiB of fields', Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(3_495_254)}`)],
    [400, '20 MiB that are no HTTP', Buffer.alloc(20_971_520, 'a')],
  ])('reads its %i before it is cut off: %s', async (status, _, bytes) => {
    const raw = await client();
    raw.write(bytes);
    const response = await raw.response();
    expect([response.status, response.headers.get('connection')]).toEqual([status, ['close']]);
  });

  it('is told though it has ended within its request', async () => {
    const raw = await client();
    raw.write('GET / HT');
    raw.end();
    expect((await raw.response()).status).toBe(400);
    expect(await raw.ended()).toBe('end');
  });

  it('ends nobody else by a reset within its request', async () => {
    const sockets: Socket[] = [];
    const onSocket = (message: unknown): number => sockets.push((message as { socket: Socket }).socket);
    subscribe('net.server.socket', onSocket);
    const raw = await client();
    await raw.send('GET / HT');
    while (sockets[0]?.bytesRead !== 8) await new Promise((resolve) => setImmediate(resolve));
    unsubscribe('net.server.socket', onSocket);
    const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
    raw.socket.resetAndDestroy();
    await closed;
    expect(await answerTo({})).toBe(101);
  });
});

describe('bytes that are no HTTP', () => {
  it.each([
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['the ClientHello of TLS', Buffer.from('16030100ff010000fb0303', 'hex')],
    ['frames without a handshake', wire('server', [text('hi')])],
    ['noise', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167) % 256))],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('end that connection only: %s', async (_, bytes) => {
    const raw = await client();
    raw.write(bytes);
    expect((await raw.response()).status).toBe(400);
    await raw.ended();
    const next = await client();
    next.write(handshake());
    expect((await next.response()).status).toBe(101);
  });

  it('get 400 within TLS, and no word where they should be TLS', async () => {
    const secure = await run(serve({ port: 0, host: '127.0.0.1', ...serverPair }), echo);
    atEnd(() => secure.subscription.unsubscribe());
    const mute = await RawClient.connect(secure.port);
    atEnd(() => mute.close());
    mute.write(handshake());
    await mute.ended();
    expect(mute.received.toString('latin1')).not.toContain('HTTP');
    const told = await RawClient.connectTls(secure.port);
    atEnd(() => told.close());
    told.write('BREW / HTTP/1.1\r\n\r\n');
    expect((await told.response()).status).toBe(400);
  });

  it('end a tunnel by CONNECT', async () => {
    const raw = await client();
    raw.write('CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await raw.ended()).toBe('end');
  });
});
