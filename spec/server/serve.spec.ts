import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectTypeOf } from 'expect-type';
import { firstValueFrom, lastValueFrom, mergeMap, of } from 'rxjs';
import {
  type CloseInfo,
  type Connection,
  connect,
  type Message,
  reject,
  type ServeOptions,
  serve,
  type WebSocketServer,
} from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { rawPeers } from '../support/raw-peers.js';
import { echo, run } from '../support/running-server.js';
import { ca, clientPair, serverPair } from '../support/tls.js';

guardProcess();
const atEnd = endAfterEach();
const { connect: connectTo, connectTls } = rawPeers(atEnd);
const anyPort = { port: 0, host: '127.0.0.1' } as const;

async function start(
  options: ServeOptions<unknown> = {},
): Promise<{ port: number; connections: readonly Connection<unknown>[] }> {
  const server = await run(serve({ ...anyPort, ...options }), echo);
  atEnd(() => server.subscription.unsubscribe());
  return server;
}

async function expectEcho(raw: RawClient): Promise<void> {
  raw.write(handshake());
  expect((await raw.response()).status).toBe(101);
  raw.write(wire('server', [text('echo')]));
  expect((await raw.frame()).payload.toString()).toBe('echo');
}

describe('serve', () => {
  it('takes a port alone', async () => {
    const server = serve(0);
    const { port, subscription } = await run(server, echo);
    await expectEcho(await connectTo(port));
    subscription.unsubscribe();
  });

  it('gives all messages of all connections under mergeMap', async () => {
    const server = serve(anyPort);
    const messages: Message[] = [];
    const listening = firstValueFrom(server.listening$);
    const subscription = server
      .pipe(mergeMap((connection) => connection.messages$))
      .subscribe((message) => messages.push(message));
    const { port } = (await listening) as AddressInfo;
    for (const name of ['a', 'b']) {
      const raw = await connectTo(port);
      raw.write(handshake() + wire('server', [text(name)]).toString('latin1'));
      await raw.response();
    }
    while (messages.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(messages).toEqual(['a', 'b']);
    subscription.unsubscribe();
  });

  it('gives connections that know their request', async () => {
    const { port, connections } = await start();
    const raw = await connectTo(port);
    raw.write(handshake({ path: '/a/b?c=d', headers: { 'X-Y': 'z' } }));
    await raw.response();
    expect(connections[0]).toMatchObject({
      url: '/a/b?c=d',
      protocol: '',
      extensions: {},
      protocolVersion: 13,
      remoteAddress: '127.0.0.1',
      readyState: 1,
      data: undefined,
      response: undefined,
    });
    expect(connections[0]?.request?.headers['x-y']).toBe('z');
  });

  it('listens on a Unix socket', async () => {
    const path = join(tmpdir(), `sluice-serve-${process.pid}.sock`);
    for (let round = 0; round < 2; round++) {
      const server = serve({ socketPath: path });
      const listening = firstValueFrom(server.listening$);
      const subscription = server.subscribe(echo);
      expect([await listening, server.address()]).toEqual([path, path]);
      const raw = await RawClient.connect({ path });
      await expectEcho(raw);
      await raw.close();
      subscription.unsubscribe();
    }
  });
});

describe('over TLS', () => {
  it('serves wss with key and cert', async () => {
    const { port } = await start(serverPair);
    const raw = await connectTls(port);
    await expectEcho(raw);
    const messages = firstValueFrom(
      connect(`wss://localhost:${port}`, [], { ca }).pipe(
        mergeMap((connection) => {
          connection.send.next('hi');
          return connection.messages$;
        }),
      ),
    );
    expect(await messages).toBe('hi');
  });

  it('survives peers that speak plain HTTP, or nothing that TLS knows', async () => {
    const { port, connections } = await start(serverPair);
    for (const bytes of [handshake(), Buffer.alloc(1000, 0x16), 'GET / HTTP/1.0\r\n\r\n']) {
      const raw = await connectTo(port);
      raw.write(bytes);
      await raw.ended();
    }
    expect(connections).toEqual([]);
    const raw = await connectTls(port);
    await expectEcho(raw);
  });

  it('attaches to an https server', async () => {
    const https = createTlsServer(serverPair);
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    const subscription = serve({ server: https }).subscribe(echo);
    const raw = await RawClient.connectTls((https.address() as AddressInfo).port);
    await expectEcho(raw);
    await raw.close();
    subscription.unsubscribe();
    await new Promise((resolve) => https.close(resolve));
  });

  it('shows the certificate of the client to hooks', async () => {
    const subjects: unknown[] = [];
    const secure: boolean[] = [];
    const { port, connections } = await start({
      ...serverPair,
      ca,
      requestCert: true,
      rejectUnauthorized: false,
      verifyClient: (info) => secure.push(info.secure) > 0,
      authenticate: ({ socket }) => {
        const certificate = 'getPeerCertificate' in socket ? (socket.getPeerCertificate as () => object)() : {};
        subjects.push(certificate);
        return Object.keys(certificate).length > 0 ? { hasCertificate: true } : reject(401);
      },
    });
    const known = await RawClient.connectTls(port, clientPair);
    atEnd(() => known.close());
    await expectEcho(known);
    const stranger = await RawClient.connectTls(port);
    atEnd(() => stranger.close());
    stranger.write(handshake());
    expect((await stranger.response()).status).toBe(401);
    expect({ data: connections[0]?.data, secure, subjects: subjects.length }).toEqual({
      data: { hasCertificate: true },
      secure: [true, true],
      subjects: 2,
    });
  });

  it('takes the certificate of a client for a credential of a page', async () => {
    const { port } = await start({ ...serverPair, ca, requestCert: true, rejectUnauthorized: false });
    const statusFor = async (options: object): Promise<number> => {
      const raw = await connectTls(port, options);
      raw.write(handshake({ headers: { Origin: 'https://localhost:1' } }));
      return (await raw.response()).status;
    };
    expect([await statusFor(clientPair), await statusFor({})]).toEqual([403, 101]);
  });
});

describe('a peer that breaks the protocol', () => {
  it.each<[string, Buffer, number]>([
    ['a reserved bit', wire('server', [text('', { rsv: 2 })]), 1002],
    ['a frame without a mask', wire('server', [text('a', { masked: false })]), 1002],
    ['text that is no UTF-8', wire('server', [text(Buffer.from([0xff]))]), 1007],
    ['noise', Buffer.alloc(4096, 0xff), 1002],
  ])('ends its own connection only, glued to the handshake or behind it: %s', async (_, bytes, code) => {
    const { port, connections } = await start();
    const glued = await connectTo(port);
    glued.write(Buffer.concat([Buffer.from(handshake()), bytes]));
    await glued.response();
    const late = await connectTo(port);
    late.write(handshake());
    await late.response();
    late.write(bytes);
    for (const raw of [glued, late]) {
      const { opcode, payload } = await raw.frame();
      expect([opcode, payload.readUInt16BE()]).toEqual([8, code]);
      expect(await raw.ended()).toBe('end');
      raw.end();
    }
    const infos: CloseInfo[] = await Promise.all(connections.map((connection) => lastValueFrom(connection.close$)));
    for (const info of infos) {
      expect(info).toMatchObject({ code, wasClean: false, initiator: 'local', error: { name: 'ProtocolError' } });
    }
    await Promise.all(
      connections.map((connection) => lastValueFrom(connection.messages$, { defaultValue: 'completed' })),
    );
    await expectEcho(await connectTo(port));
  });

  it('is told even when the application has not subscribed to anything', async () => {
    const server = await run(serve(anyPort));
    const raw = await connectTo(server.port);
    raw.write(Buffer.concat([Buffer.from(handshake()), wire('server', [text('', { rsv: 1 })])]));
    await raw.response();
    raw.end();
    expect(await lastValueFrom(server.connections[0]!.close$)).toMatchObject({ wasClean: false });
    server.subscription.unsubscribe();
  });
});

describe('a reset at any moment', () => {
  it.each<[string, ServeOptions<unknown>, (raw: RawClient) => unknown]>([
    ['before a byte', {}, () => {}],
    ['inside the handshake', {}, (raw) => raw.send(handshake().slice(0, 40))],
    ['behind the handshake', {}, (raw) => raw.write(handshake())],
    ['behind the 101', {}, (raw) => raw.send(handshake()).then(() => raw.response())],
    ['behind frames', {}, (raw) => raw.write(handshake() + wire('server', [text('a'), text('b')]).toString('latin1'))],
    ['behind a refusal', { verifyClient: () => false }, (raw) => raw.send(handshake()).then(() => raw.response())],
    ['before a refusal', { verifyClient: () => false }, (raw) => raw.write(handshake())],
    ['behind a wrong request', {}, (raw) => raw.write(handshake({ headers: { Upgrade: 'foo' } }))],
    ['behind a plain request', {}, (raw) => raw.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na')],
    ['while a hook decides', { authenticate: () => new Promise(() => {}) }, (raw) => raw.send(handshake())],
    ['before TLS is up', serverPair, (raw) => raw.send(Buffer.from('16030100ff010000fb0303', 'hex'))],
  ])('ends nothing else: %s', async (_, options, act) => {
    const { port } = await start(options);
    for (let round = 0; round < 15; round++) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const raw = await RawClient.connect(port);
          await act(raw);
          raw.reset();
        }),
      );
    }
    const raw = await (options.key === undefined ? connectTo(port) : connectTls(port));
    raw.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await raw.response()).status).toBe(426);
  });

  it('leaves no connection behind', async () => {
    const { port, connections } = await start();
    for (let round = 0; round < 50; round++) {
      const raw = await RawClient.connect(port);
      raw.write(handshake());
      await raw.response();
      raw.write(wire('server', [text('a')]).subarray(0, round % 7));
      raw.reset();
    }
    const infos = await Promise.all(connections.map((connection) => lastValueFrom(connection.close$)));
    expect(infos).toHaveLength(50);
    for (const info of infos) expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'peer' });
  });
});

describe('the type of a connection', () => {
  interface User {
    readonly id: number;
  }
  const user: User = { id: 1 };
  type Emitted<S> = S extends WebSocketServer<infer Data, infer In> ? [Data, In] : never;
  const typeOf = <S>(server: S): { is: Emitted<S> } => ({ is: server as unknown as Emitted<S> });

  it('has the data that authenticate gives, without its rejections', () => {
    const isKnown = (): boolean => true;
    const plain = typeOf(serve({ port: 0, authenticate: () => user }));
    const either = typeOf(serve({ port: 0, authenticate: () => (isKnown() ? user : reject(401)) }));
    const promise = typeOf(serve({ port: 0, authenticate: async () => (isKnown() ? user : reject(401)) }));
    const observable = typeOf(serve({ port: 0, authenticate: () => of(user) }));
    const eitherLater = typeOf(serve({ port: 0, authenticate: () => of(isKnown() ? user : reject(401)) }));
    expectTypeOf(plain.is).toEqualTypeOf<[User, Message]>();
    expectTypeOf(either.is).toEqualTypeOf<[User, Message]>();
    expectTypeOf(promise.is).toEqualTypeOf<[User, Message]>();
    expectTypeOf(observable.is).toEqualTypeOf<[User, Message]>();
    expectTypeOf(eitherLater.is).toEqualTypeOf<[User, Message]>();
  });

  it('has undefined as data without authenticate', () => {
    expectTypeOf(typeOf(serve(0)).is).toEqualTypeOf<[undefined, Message]>();
    expectTypeOf(typeOf(serve({ port: 0, maxPayload: 1 })).is).toEqualTypeOf<[undefined, Message]>();
  });

  it('has the messages that binaryType says', () => {
    expectTypeOf(typeOf(serve({ port: 0, binaryType: 'arraybuffer' })).is).toEqualTypeOf<
      [undefined, string | ArrayBuffer]
    >();
    expectTypeOf(typeOf(serve({ port: 0, binaryType: 'blob', authenticate: () => user })).is).toEqualTypeOf<
      [User, string | Blob]
    >();
    expectTypeOf(typeOf(serve({ port: 0, binaryType: 'nodebuffer' })).is).toEqualTypeOf<[undefined, Message]>();
  });
});
