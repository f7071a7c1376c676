import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { type Connection, connect, openConnection, type PerMessageDeflateOptions, serve } from 'sluice';
import { deflate, inflate } from '../../src/protocol/deflate/deflate.js';
import { frame, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { closeRawServers, rawServer } from '../support/raw-server.js';
import { echo, type RunningServer, run } from '../support/running-server.js';
import { until } from '../support/until.js';

guardProcess();

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  await closeRawServers();
});

async function running(
  perMessageDeflate?: boolean | PerMessageDeflateOptions,
): Promise<RunningServer<unknown, unknown>> {
  const server = await run(
    serve({ port: 0, host: '127.0.0.1', ...(perMessageDeflate !== undefined && { perMessageDeflate }) }),
    echo,
  );
  open.push({ close: () => server.subscription.unsubscribe() });
  return server as RunningServer<unknown, unknown>;
}

/** A raw client behind its handshake, and the answer to its offers. */
async function offering(port: number, offers: string | undefined) {
  const client = await RawClient.connect(port);
  open.push(client);
  client.write(handshake({ headers: { 'Sec-WebSocket-Extensions': offers } }));
  const response = await client.response();
  return { client, status: response.status, answer: response.headers.get('sec-websocket-extensions')?.join(', ') };
}

const hello = deflate(Buffer.from('Hello'), { windowBits: 15, level: 6, memLevel: 8 }, undefined, true);
const compressedHello = wire('server', [frame(1, hello, { rsv: 4 })]);
const plainHello = wire('server', [frame(1, 'Hello')]);

describe('a server and the offers of a client', () => {
  const both = 'server_no_context_takeover; client_no_context_takeover';
  it.each<[string | undefined, boolean | PerMessageDeflateOptions | undefined, string | undefined]>([
    [undefined, undefined, undefined],
    ['', undefined, undefined],
    [' ', false, undefined],
    ['permessage-deflate', undefined, `permessage-deflate; ${both}`],
    ['permessage-deflate; client_max_window_bits', undefined, `permessage-deflate; ${both}`],
    ['permessage-deflate; foo=1, permessage-deflate', undefined, `permessage-deflate; ${both}`],
    [
      'permessage-deflate; server_max_window_bits="10"',
      undefined,
      `permessage-deflate; ${both}; server_max_window_bits=10`,
    ],
    ['permessage-deflate', { clientMaxWindowBits: 9 }, undefined],
    [
      'permessage-deflate; client_max_window_bits',
      { clientMaxWindowBits: 9, clientNoContextTakeover: false, serverNoContextTakeover: false },
      'permessage-deflate; client_max_window_bits=9',
    ],
    ['permessage-deflate', false, undefined],
    ['permessage-deflate; server_no_context_takeover; server_no_context_takeover', undefined, undefined],
    ...['7', '16', '08', '+9', '9.0'].map((bits): [string, undefined, undefined] => [
      `permessage-deflate; server_max_window_bits=${bits}`,
      undefined,
      undefined,
    ]),
    ['permessage-deflate; server_max_window_bits', undefined, undefined],
    ['constructor', undefined, undefined],
    ['toString; valueOf=1', undefined, undefined],
    ['__proto__; __proto__=1', undefined, undefined],
    ['permessage-deflate; hasOwnProperty', undefined, undefined],
  ])('%s, with %j, are answered with %s', async (offers, option, expected) => {
    const { port, connections } = await running(option);
    const { client, status, answer } = await offering(port, offers);
    expect([status, answer]).toEqual([101, expected]);
    expect(Object.keys(connections[0]!.extensions)).toEqual(expected === undefined ? [] : ['permessage-deflate']);
    client.write(expected === undefined ? plainHello : compressedHello);
    expect((await client.frame()).payload.toString()).toBe('Hello');
    expect(({} as Record<string, unknown>).valueOf).toBe(Object.prototype.valueOf);
  });

  it.each([
    ',;constructor',
    'a; b="\\c\\c',
    `a; b="${'\\c'.repeat(8000)}`,
    'permessage-deflate; server_max_window_bits=',
  ])('are refused when they are no list of extensions: %#', async (offers) => {
    const { port } = await running();
    expect((await offering(port, offers)).status).toBe(400);
  });

  it('are on the connection with what was agreed', async () => {
    const { port, connections } = await running({ serverNoContextTakeover: false, serverMaxWindowBits: 12 });
    await offering(port, 'permessage-deflate; client_max_window_bits=10');
    expect(connections[0]!.extensions).toEqual({
      'permessage-deflate': [
        { client_no_context_takeover: true, server_max_window_bits: 12, client_max_window_bits: 10 },
      ],
    });
  });

  it('fail the connection that compresses though none was accepted', async () => {
    const { port } = await running(false);
    const { client } = await offering(port, 'permessage-deflate');
    client.write(compressedHello);
    const { opcode, payload } = await client.frame();
    expect([opcode, payload.readUInt16BE(0)]).toEqual([8, 1002]);
  });

  it('are reported to the hooks as they came', async () => {
    let seen: unknown;
    const server = await run(
      serve({
        port: 0,
        host: '127.0.0.1',
        verifyClient: ({ extensions }) => {
          seen = extensions;
          return true;
        },
      }),
    );
    open.push({ close: () => server.subscription.unsubscribe() });
    await offering(server.port, 'permessage-deflate; client_max_window_bits, foo');
    expect(seen).toEqual({ 'permessage-deflate': [{ client_max_window_bits: true }], foo: [{}] });
  });
});

describe('a client and the answer of a server', () => {
  /** Connects to a server that answers with these lines; gives what the client sent, too. */
  async function answered(lines: readonly string[], perMessageDeflate?: boolean | PerMessageDeflateOptions) {
    let offered: string | undefined;
    const server = await rawServer(async (peer) => {
      const head = await peer.accept({ lines: lines.map((line) => `Sec-WebSocket-Extensions: ${line}`) });
      offered = head.headers.get('sec-websocket-extensions');
      if (lines.length > 0) peer.send(frame(1, hello, { rsv: 4 }));
      await peer.ended;
    });
    const options = perMessageDeflate === undefined ? {} : { perMessageDeflate };
    const connecting = openConnection(server.url, [], options).then((connection: Connection) => {
      open.push({
        close: () => {
          connection.terminate();
          return firstValueFrom(connection.close$);
        },
      });
      return connection;
    });
    return { connecting, offered: () => offered };
  }

  it.each<[boolean | PerMessageDeflateOptions | undefined, string | undefined]>([
    [
      undefined,
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate',
    ],
    [
      { serverNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits',
    ],
    [false, undefined],
    [
      {
        serverNoContextTakeover: false,
        clientNoContextTakeover: false,
        serverMaxWindowBits: 12,
        clientMaxWindowBits: 10,
      },
      'permessage-deflate; server_max_window_bits=12; client_max_window_bits=10',
    ],
  ])('offers, with %j, %s', async (option, expected) => {
    const { connecting, offered } = await answered([], option);
    const connection = await connecting;
    expect(offered()).toBe(expected);
    expect(connection.extensions).toEqual({});
  });

  it('has what was agreed, and inflates', async () => {
    const lines = ['permessage-deflate; server_no_context_takeover; client_max_window_bits=11'];
    const connection = await (await answered(lines)).connecting;
    expect(connection.extensions).toEqual({
      'permessage-deflate': [{ server_no_context_takeover: true, client_max_window_bits: 11 }],
    });
    expect(await firstValueFrom(connection.messages$)).toBe('Hello');
  });

  it('takes an empty list of extensions for none', async () => {
    const connection = await (await answered([''], false)).connecting;
    expect(connection.extensions).toEqual({});
  });

  it('inflates what a server sends that answers with the bare name and keeps its window, and keeps none itself', async () => {
    const text = 'a text that the second message only points to '.repeat(30);
    const coders = { windowBits: 15, level: 6, memLevel: 8 };
    const first = deflate(Buffer.from(text), coders, undefined, true);
    const second = deflate(Buffer.from(text), coders, Buffer.from(text), true);
    const received: string[] = [];
    const server = await rawServer(async (peer) => {
      await peer.accept({ lines: ['Sec-WebSocket-Extensions: permessage-deflate'] });
      peer.send(frame(1, first, { rsv: 4 }), frame(1, second, { rsv: 4 }), frame(1, second, { rsv: 4 }));
      for (let i = 0; i < 2; i++) {
        const { payload } = await peer.frame();
        received.push(inflate(payload, { window: undefined, limit: 10_000, expected: 0 }).toString());
      }
      await peer.ended;
    });
    const connection = await openConnection(server.url);
    open.push({ close: () => connection.terminate() });
    expect(await firstValueFrom(connection.messages$.pipe(take(3), toArray()))).toEqual([text, text, text]);
    expect(second.length).toBeLessThan(first.length / 2);
    connection.send.next(text);
    connection.send.next(text);
    await until(() => received.length === 2);
    expect({ received, extensions: connection.extensions }).toEqual({
      received: [text, text],
      extensions: { 'permessage-deflate': [{}] },
    });
  });

  it.each<[string, readonly string[], boolean | PerMessageDeflateOptions | undefined, string]>([
    ['what was not offered', ['permessage-deflate'], false, 'permessage-deflate'],
    ['another extension', ['foo'], undefined, 'foo'],
    ['an unknown parameter', ['permessage-deflate; server_no_context_takeover; foo'], undefined, 'foo'],
    [
      'a window above the one that was asked for',
      ['permessage-deflate; server_no_context_takeover; server_max_window_bits=12'],
      { serverMaxWindowBits: 10 },
      'server_max_window_bits must be at most 10, as requested, got 12',
    ],
    [
      'a window of the client without a size',
      ['permessage-deflate; server_no_context_takeover; client_max_window_bits'],
      undefined,
      'client_max_window_bits must be from 8 to 15, got no value',
    ],
    [
      'context though none was asked for',
      ['permessage-deflate'],
      { serverNoContextTakeover: true },
      'the answer must have server_no_context_takeover',
    ],
    [
      'a window of the client in answer to the offer that has none',
      ['permessage-deflate; client_max_window_bits=10'],
      undefined,
      'an answer with client_max_window_bits must have server_no_context_takeover',
    ],
    [
      'two answers',
      ['permessage-deflate; server_no_context_takeover', 'permessage-deflate; server_no_context_takeover'],
      undefined,
      'more than once',
    ],
  ])('is refused: %s', async (_, lines, option, message) => {
    const error: Error = await (await answered(lines, option)).connecting.then(
      () => Promise.reject(new Error('connected')),
      (reason: Error) => reason,
    );
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'EXTENSION_INVALID', status: 101 });
    expect(error.message).toContain(message);
  });

  it('fails the connection that compresses though none was agreed to', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, frame(1, hello, { rsv: 4 }));
      await peer.ended;
    });
    await expect(lastValueFrom(connect(server.url))).rejects.toMatchObject({
      name: 'ProtocolError',
      code: 'RESERVED_BIT',
      closeCode: 1002,
    });
  });
});
