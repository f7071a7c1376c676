import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import fc from 'fast-check';
import { connect } from 'sluice';
import { deferred, recordDial } from '../support/dial-record.js';
import { close, text } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawPeer, type ResponseFault, rawServer, responseOf } from '../support/raw-server.js';

guardProcess();
afterEach(closeRawServers);

describe('the request (RFC 6455 §4.1)', () => {
  it('is a GET with the fields of the handshake, and nothing that nobody asked for', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dial = recordDial(connect(`${server.url}/chat?room=1`));
    await dial.opened;
    const { line, headers, names } = server.peers[0]!.head!;
    expect(line).toBe('GET /chat?room=1 HTTP/1.1');
    expect(Object.fromEntries(headers)).toEqual({
      connection: 'Upgrade',
      host: `127.0.0.1:${server.port}`,
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
      'sec-websocket-extensions':
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate',
    });
    expect(names).toHaveLength(headers.size);
    dial.subscription.unsubscribe();
  });

  it('has a fresh key each time', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dials = Array.from({ length: 20 }, () => recordDial(connect(server.url)));
    await Promise.all(dials.map((dial) => dial.opened));
    expect(new Set(server.peers.map((peer) => peer.head?.headers.get('sec-websocket-key'))).size).toBe(20);
    for (const dial of dials) dial.subscription.unsubscribe();
  });

  it('is followed by masked frames only, each with a key of its own', async () => {
    const count = 2000;
    const keys = new Set<number>();
    const masked: boolean[] = [];
    const server = await rawServer(async (peer) => {
      await peer.accept();
      for (let i = 0; i < count; i++) {
        const frame = await peer.frame();
        keys.add(frame.key);
        if (!frame.masked || frame.payload.toString() !== 'same') masked.push(false);
      }
      peer.send(close(1000));
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    const connection = await dial.opened;
    for (let i = 0; i < count; i++) connection.send.next('same');
    await dial.ending;
    expect(masked).toEqual([]);
    // Two of so many random keys may be equal by chance, but not several.
    expect(keys.size).toBeGreaterThan(count - 5);
  });
});

describe('the response (RFC 6455 §4.1)', () => {
  const right: { what: string; fault: ResponseFault; protocols?: string[]; protocol?: string }[] = [
    { what: 'with fields in other cases', fault: { upgrade: 'WebSocket', connection: 'keep-alive, UPGRADE' } },
    { what: 'with another reason phrase', fault: { statusLine: 'HTTP/1.1 101 Fine' } },
    { what: 'without a reason phrase', fault: { statusLine: 'HTTP/1.1 101 ' } },
    { what: 'after 100 Continue', fault: { statusLine: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 S' } },
    {
      what: 'after 102 and 103 with fields',
      fault: {
        statusLine:
          'HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 101 S',
      },
    },
    { what: 'with a Content-Length of 0', fault: { lines: ['Content-Length: 0'] } },
    { what: 'that names no subprotocol, though one was asked for', fault: {}, protocols: ['a'], protocol: '' },
    {
      what: 'that chooses a subprotocol',
      fault: { lines: ['Sec-WebSocket-Protocol: b'] },
      protocols: ['a', 'b'],
      protocol: 'b',
    },
  ];
  it.each(right)('may come $what', async ({ fault, protocols = [], protocol = '' }) => {
    const server = await rawServer(async (peer) => void (await peer.accept(fault, text('hi'))));
    const dial = recordDial(connect(server.url, protocols));
    const connection = await dial.opened;
    expect(connection.protocol).toBe(protocol);
    expect(server.peers[0]?.head?.headers.get('sec-websocket-protocol')).toBe(
      protocols.length === 0 ? undefined : protocols.join(', '),
    );
    dial.subscription.unsubscribe();
  });

  it('may be cut anywhere, and so may the frame behind it', async () => {
    const frame = text('cut');
    const whole = 129 + 5;
    const server = await rawServer(async (peer, at) => {
      const bytes = Buffer.concat([responseOf(await peer.request()), Buffer.from('8103637574', 'hex')]);
      expect(bytes).toHaveLength(whole);
      peer.socket.setNoDelay(true);
      peer.socket.write(bytes.subarray(0, at + 1));
      setImmediate(() => peer.socket.write(bytes.subarray(at + 1)));
    });
    const dials = Array.from({ length: whole - 1 }, () => recordDial(connect(server.url)));
    const received = dials.map(async (dial) => {
      const connection = await dial.opened;
      const message = deferred<unknown>();
      if (dial.messages.length > 0) message.resolve(dial.messages[0]);
      else connection.messages$.subscribe(message.resolve);
      return message.promise;
    });
    expect(new Set(await Promise.all(received))).toEqual(new Set([frame.payload.toString()]));
    for (const dial of dials) dial.subscription.unsubscribe();
  });

  const manyFields = Array.from({ length: 2000 }, (_, i) => `x${i % 9}: 1`);
  const wrong: { what: string; fault: ResponseFault; code: string; status?: number; protocols?: string[] }[] = [
    { what: 'a wrong accept value', fault: { accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }, code: 'ACCEPT_INVALID' },
    { what: 'no accept value', fault: { accept: null }, code: 'ACCEPT_INVALID' },
    { what: 'an empty accept value', fault: { accept: '' }, code: 'ACCEPT_INVALID' },
    { what: 'no Upgrade', fault: { upgrade: null }, code: 'UPGRADE_INVALID' },
    { what: 'two protocols in Upgrade', fault: { upgrade: 'h2c, websocket' }, code: 'UPGRADE_INVALID' },
    { what: 'another protocol in Upgrade', fault: { upgrade: 'h2c' }, code: 'UPGRADE_INVALID' },
    { what: 'no Connection', fault: { connection: null }, code: 'UPGRADE_INVALID' },
    { what: 'a Connection that closes', fault: { connection: 'close' }, code: 'UPGRADE_INVALID' },
    { what: 'HTTP/1.0', fault: { statusLine: 'HTTP/1.0 101 Switching Protocols' }, code: 'RESPONSE_INVALID' },
    { what: 'a Content-Length', fault: { lines: ['Content-Length: 4'] }, code: 'RESPONSE_INVALID' },
    {
      what: 'a body that looks like a frame',
      fault: { lines: ['Content-Length: 4', '', '\x81\x02hi'] },
      code: 'RESPONSE_INVALID',
    },
    { what: 'a Transfer-Encoding', fault: { lines: ['Transfer-Encoding: chunked'] }, code: 'RESPONSE_INVALID' },
    { what: 'an unknown Transfer-Encoding', fault: { lines: ['transfer-encoding: x'] }, code: 'RESPONSE_INVALID' },
    {
      what: 'two lengths',
      fault: { lines: ['Content-Length: 0', 'Content-Length: 0'] },
      code: 'RESPONSE_INVALID',
      status: 0,
    },
    {
      what: 'both framings of a body',
      fault: { lines: ['Content-Length: 0', 'Transfer-Encoding: chunked'] },
      code: 'RESPONSE_INVALID',
      status: 0,
    },
    {
      what: 'a body after 103',
      fault: { statusLine: 'HTTP/1.1 103 E\r\nContent-Length: 4\r\n\r\nhi!!HTTP/1.1 101 S' },
      code: 'RESPONSE_INVALID',
      status: 0,
    },
    { what: 'fields enough to hide Upgrade', fault: { upgrade: null, lines: manyFields }, code: 'UPGRADE_INVALID' },
    {
      what: 'fields enough to hide Upgrade, which follows',
      fault: { upgrade: null, connection: null, lines: [...manyFields, 'Upgrade: websocket', 'Connection: Upgrade'] },
      code: 'UPGRADE_INVALID',
    },
    {
      what: 'a subprotocol that nobody asked for',
      fault: { lines: ['Sec-WebSocket-Protocol: a'] },
      code: 'PROTOCOL_INVALID',
    },
    {
      what: 'another subprotocol',
      fault: { lines: ['Sec-WebSocket-Protocol: c'] },
      protocols: ['a', 'b'],
      code: 'PROTOCOL_INVALID',
    },
    {
      what: 'several subprotocols',
      fault: { lines: ['Sec-WebSocket-Protocol: a, b'] },
      protocols: ['a', 'b'],
      code: 'PROTOCOL_INVALID',
    },
    {
      what: 'an extension that was not offered',
      fault: { lines: ['Sec-WebSocket-Extensions: x-unknown'] },
      code: 'EXTENSION_INVALID',
    },
  ];
  it.each(wrong)('is refused with $what', async ({ fault, code, status = 101, protocols = [] }) => {
    const server = await rawServer(async (peer) => void (await peer.accept(fault)));
    const dial = recordDial(connect(server.url, protocols));
    expect(await dial.failure).toMatchObject({ name: 'HandshakeError', code, status, uptime: 0 });
    expect(dial.log).toEqual(['error']);
    await server.peers[0]?.ended;
  });

  it('is refused with an accept value in other cases', async () => {
    const server = await rawServer(async (peer) => {
      const right = responseOf(await peer.request()).toString('latin1');
      const value = /Accept: (.*)\r\n/.exec(right)?.[1] as string;
      peer.socket.write(right.replace(value, value.replace(/[a-zA-Z]/, swapCase)));
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({ code: 'ACCEPT_INVALID', status: 101 });
  });

  const noHttp: { what: string; bytes: string }[] = [
    { what: 'no HTTP', bytes: 'SSH-2.0-OpenSSH_9.6\r\n' },
    { what: 'a bare LF in a field', bytes: 'HTTP/1.1 101 S\r\nX: a\nUpgrade: websocket\0\r\n\r\n' },
    { what: 'a field of 17 KiB', bytes: `HTTP/1.1 101 S\r\nX: ${'a'.repeat(17_000)}\r\n\r\n` },
    { what: 'fields of 17 KiB', bytes: `HTTP/1.1 101 S\r\n${'X: 123456789\r\n'.repeat(1900)}\r\n` },
  ];
  it.each(noHttp)('is refused with $what', async ({ bytes }) => {
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.write(bytes);
    });
    const error = await recordDial(connect(server.url)).failure;
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'RESPONSE_INVALID', status: 0, uptime: 0 });
    await server.peers[0]?.ended;
  });

  it('fails the dial once, whatever bytes it is', async () => {
    let bytes: Uint8Array = new Uint8Array();
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.end(bytes);
    });
    const start = fc.constantFrom('', 'HTTP/1.1 ', 'HTTP/1.1 101 ', 'HTTP/1.1 101 S\r\n', 'HTTP/1.1 200 OK\r\n');
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 60 }), async (line, rest) => {
        bytes = Buffer.concat([Buffer.from(line), rest]);
        const dial = recordDial(connect(server.url));
        const error = await dial.failure;
        expect(error.name === 'HandshakeError' || error.code === 'ECONNRESET').toBe(true);
        expect(error.uptime).toBe(0);
        expect(dial.log).toEqual(['error']);
      }),
      { numRuns: 100 },
    );
  });

  it('is refused while its fields never end, soon after 16 KiB', async () => {
    let sent = 0;
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 101 S\r\n');
      const more = (): void => {
        if (peer.socket.destroyed) return;
        sent += 1024;
        peer.socket.write(`X: ${'a'.repeat(1019)}\r\n`, () => setImmediate(more));
      };
      more();
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({ code: 'RESPONSE_INVALID' });
    expect(sent).toBeLessThan(1_000_000);
    await server.peers[0]?.closed;
  });

  it('is shown to verifyResponse, which may refuse it', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept({ lines: ['X-Region: north'] })));
    const seen: unknown[] = [];
    const refused = connect(server.url, {
      verifyResponse: (response) => {
        seen.push(response.headers['x-region']);
        return false;
      },
    });
    const error = await recordDial(refused).failure;
    expect(error).toMatchObject({ code: 'RESPONSE_REFUSED', status: 101, headers: { 'x-region': 'north' }, uptime: 0 });
    expect(seen).toEqual(['north']);
    await server.peers[0]?.ended;
    const dial = recordDial(connect(server.url, { verifyResponse: () => true }));
    await dial.opened;
    dial.subscription.unsubscribe();
  });

  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['a Promise', async () => true],
    ['a Promise', () => Promise.reject(new Error('mine'))],
    ['an object', () => ({})],
  ])('is refused when verifyResponse returns %s', async (found, verify) => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const verifyResponse = verify as () => boolean;
    expect(await recordDial(connect(server.url, { verifyResponse })).failure).toMatchObject({
      name: 'HandshakeError',
      code: 'RESPONSE_REFUSED',
      status: 101,
      message: `verifyResponse returned ${found}: the response is refused; return true or false`,
    });
    await server.peers[0]?.ended;
  });

  it('fails the dial with the error that verifyResponse throws', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const verifyResponse = (): boolean => {
      throw new RangeError('no');
    };
    expect(await recordDial(connect(server.url, { verifyResponse })).failure).toMatchObject({
      message: 'no',
      uptime: 0,
    });
    await server.peers[0]?.ended;
  });
});

function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}

describe('the network', () => {
  it('fails the dial with its own error when nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const error = await recordDial(connect(`ws://127.0.0.1:${port}`)).failure;
    expect(error).toMatchObject({ code: 'ECONNREFUSED', uptime: 0 });
  });

  it('fails the dial with its own error when the name is unknown', async () => {
    const lookup: LookupFunction = (_name, _options, done) =>
      done(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), '', 4);
    expect(await recordDial(connect('ws://nowhere.example', { lookup })).failure).toMatchObject({
      code: 'ENOTFOUND',
      uptime: 0,
    });
  });

  const ends: { how: string; end: (peer: RawPeer) => void }[] = [
    { how: 'ended', end: (peer) => peer.socket.end() },
    { how: 'reset', end: (peer) => peer.socket.resetAndDestroy() },
  ];
  it.each(ends)('fails the dial when it is $how before the response', async ({ end }) => {
    const server = await rawServer(async (peer) => {
      await peer.request();
      end(peer);
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({ code: 'ECONNRESET', uptime: 0 });
  });

  it.each(ends)('fails the dial when it is $how within the response', async ({ end }) => {
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgr', () => end(peer));
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({
      code: expect.stringMatching(/^(ECONNRESET|RESPONSE_INVALID)$/),
      uptime: 0,
    });
  });
});
