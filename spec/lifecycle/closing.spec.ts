import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { config, firstValueFrom, toArray } from 'rxjs';
import { type CloseInfo, type Connection, connect, openConnection, type ServeOptions, serve, wrap } from 'sluice';
import { WebSocket } from 'ws';
import { hex } from '../support/bits.js';
import { deferred } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { close, closeOf, type Frame, ping, text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { closeRawServers, rawServer } from '../support/raw-server.js';
import { run } from '../support/running-server.js';

guardProcess();
const ends = endAfterEach();
afterEach(closeRawServers);

describe('a server, and a peer that closes first', () => {
  it.each([
    ['a code and a reason', close(3000, 'bye'), '0bb8', { code: 3000, reason: 'bye' }],
    ['no code', closeOf(), '', { code: 1005, reason: '' }],
  ])('with %s gets the reply, then the FIN', async (_, frame, reply, expected) => {
    const { raw, record } = await opened();
    raw.write(wire('server', [frame]));
    const { opcode, payload } = await raw.frame();
    expect({ opcode, payload: payload.toString('hex'), ended: await raw.ended() }).toEqual({
      opcode: 0x8,
      payload: reply,
      ended: 'end',
    });
    raw.end();
    expect(await record).toEqual([{ ...expected, wasClean: true, initiator: 'peer' }]);
  });

  it('gets what was sent before the reply', async () => {
    const { raw, connection } = await opened();
    connection.messages$.subscribe((message) => connection.send.next(message));
    raw.write(wire('server', [text('a'), text('b'), ping('c'), close(1000)]));
    const opcodes: number[] = [];
    for (let i = 0; i < 4; i++) opcodes.push((await raw.frame()).opcode);
    expect([opcodes, await raw.ended()]).toEqual([[0x1, 0x1, 0xa, 0x8], 'end']);
  });
});

describe('a server that closes first', () => {
  it('ends TCP only after the answer', async () => {
    const { raw, connection, record } = await opened();
    connection.close(3001, 'enough');
    expect((await raw.frame()).payload).toEqual(Buffer.concat([hex('0bb9'), Buffer.from('enough')]));
    expect(raw.ending).toBeUndefined();
    raw.write(wire('server', [close(3001)]));
    expect(await raw.ended()).toBe('end');
    raw.end();
    expect(await record).toEqual([{ code: 3001, reason: '', wasClean: true, initiator: 'local' }]);
  });

  it('gives up after closeTimeout when there is no answer', async () => {
    const { raw, connection, record } = await opened({ closeTimeout: 30 });
    connection.close();
    expect(await raw.ended()).toBe('reset');
    expect(await record).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local' }]);
  });

  it('is clean once on both sides when both close at once', async () => {
    const { raw, connection, record } = await opened();
    connection.close(3001);
    raw.write(wire('server', [close(3002)]));
    expect((await raw.frame()).payload).toEqual(hex('0bb9'));
    expect(await raw.ended()).toBe('end');
    raw.end();
    expect(await record).toEqual([{ code: 3002, reason: '', wasClean: true, initiator: 'local' }]);
  });

  it('reads on to the answer though nobody wants the megabytes before it', async () => {
    const { raw, connection, record } = await opened();
    for (let i = 0; i < 100; i++) raw.write(wire('server', [text('x'.repeat(30_000))]));
    connection.close();
    raw.write(wire('server', [close(1000)]));
    raw.end();
    expect(await record).toEqual([expect.objectContaining({ code: 1000, wasClean: true })]);
  });
});

describe('a transport that ends without a Close frame', () => {
  it.each<[string, (raw: RawClient, connection: Connection) => void, Partial<CloseInfo>]>([
    ['by FIN', (raw) => raw.end(), { initiator: 'peer' }],
    ['by FIN in the middle of a frame', (raw) => raw.socket.end(hex('81 85 00')), { initiator: 'peer' }],
    ['by RST', (raw) => raw.reset(), { initiator: 'peer' }],
    ['by RST in the middle of a message', partialThenReset, { initiator: 'peer' }],
    ['by RST while we close', closeThenReset, { initiator: 'local' }],
    ['by RST while the peer closes', closeAndReset, {}],
  ])('%s is recorded once', async (_, act, expected) => {
    const { raw, connection, record } = await opened();
    act(raw, connection);
    const [info, ...others] = await record;
    expect([info, others]).toEqual([expect.objectContaining({ reason: '', ...expected }), []]);
    expect(info?.code).toBe(act === closeAndReset && info?.wasClean ? 1000 : 1006);
    expect(await firstValueFrom(connection.messages$.pipe(toArray()))).toEqual([]);
  });

  it('leaves what has come to a later subscriber', async () => {
    const { raw, connection, record } = await opened();
    raw.write(wire('server', [text('a'), text('b'), ping('c')]));
    expect((await raw.frame()).opcode).toBe(0xa);
    raw.reset();
    await record;
    expect(await firstValueFrom(connection.messages$.pipe(toArray()))).toEqual(['a', 'b']);
  });

  it('is answered with our own end', async () => {
    const { raw } = await opened();
    raw.end();
    expect(await raw.ended()).toBe('end');
  });
});

describe('a peer that breaks the protocol', () => {
  it('reads why, though a mebibyte follows that nobody reads', async () => {
    const { raw, record } = await opened();
    raw.write(Buffer.concat([hex('a2 80 00000000'), Buffer.alloc(1_048_576)]));
    const { opcode, payload } = await raw.frame();
    expect({ opcode, code: payload.readUInt16BE(), ended: await raw.ended() }).toEqual({
      opcode: 0x8,
      code: 1002,
      ended: 'end',
    });
    raw.end();
    const [info] = await record;
    expect(info).toMatchObject({ code: 1002, wasClean: false, initiator: 'local', error: { code: 'RESERVED_BIT' } });
  });

  it('harms nobody, in the packet of its handshake, before anybody subscribes', async () => {
    const completed: string[] = [];
    const server = serve({ port: 0, host: '127.0.0.1' });
    const { port, subscription } = await run(server, (connection) => {
      connection.messages$.subscribe({ next: () => {}, complete: () => completed.push('messages$') });
    });
    ends(() => subscription.unsubscribe());
    const raw = await RawClient.connect(port);
    ends(() => raw.close());
    raw.write(Buffer.concat([Buffer.from(handshake()), hex('a2 80 00000000')]));
    expect((await raw.response()).status).toBe(101);
    expect((await raw.frame()).payload.readUInt16BE()).toBe(1002);
    raw.end();
    await raw.ended();
    const other = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(other, 'open');
    expect(completed).toEqual(['messages$']);
    other.close();
    await once(other, 'close');
  });
});

describe('a client', () => {
  it('answers the Close frame of the server and waits for its FIN', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept();
      peer.send(text('a'), close(4000, 'bye'));
      expect(await peer.closeCode()).toBe(4000);
      peer.socket.end();
      await peer.ended;
    });
    const connection = await openConnection(server.url);
    const [messages, info] = await Promise.all([
      firstValueFrom(connection.messages$.pipe(toArray())),
      firstValueFrom(connection.close$),
    ]);
    expect([messages, info]).toEqual([['a'], { code: 4000, reason: 'bye', wasClean: true, initiator: 'peer' }]);
    await server.peers[0]?.closed;
  });

  it('answers it when it comes to it, though the FIN of the server is there long since', async () => {
    const frames = Array.from({ length: 100 }, (_, i) => text(`${i}`.padEnd(500)));
    const finished = deferred();
    const server = await rawServer(async (peer) => {
      await peer.accept({}, ...frames, close(4000));
      peer.socket.end(finished.resolve);
      expect(await peer.closeCode()).toBe(4000);
      await peer.ended;
    });
    const connection = await openConnection(server.url, { highWaterMark: 1_000 });
    await finished.promise;
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(connection.readyState).toBe(1);
    expect(await firstValueFrom(connection.messages$.pipe(toArray()))).toHaveLength(100);
    const info = await firstValueFrom(connection.close$);
    expect(info).toEqual({ code: 4000, reason: '', wasClean: true, initiator: 'peer' });
    await server.peers[0]?.closed;
  });
});

describe('inside the emission of a connection', () => {
  it.each<[string, (connection: Connection) => void, Partial<CloseInfo>]>([
    ['close()', (connection) => connection.close(3000), { code: 3000, initiator: 'local' }],
    ['terminate()', (connection) => connection.terminate(), { code: 1006, initiator: 'local' }],
    [
      'a value that cannot be sent',
      (connection) => connection.send.next(5 as never),
      { code: 1011, initiator: 'local' },
    ],
  ])('%s is safe, on a server', async (_, act, expected) => {
    const { port, connections } = await served(act);
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    client.on('error', () => {});
    await once(client, 'close');
    const info = await firstValueFrom((connections[0] as Connection).close$);
    expect(info).toMatchObject(expected);
    expect(await firstValueFrom((connections[0] as Connection).messages$.pipe(toArray()))).toEqual([]);
  });

  it('unsubscribing from connect() is safe, and closes with 1000', async () => {
    const codes: number[] = [];
    const server = await rawServer(async (peer) => {
      await peer.accept();
      codes.push(await peer.closeCode());
      peer.send(close(1000));
      peer.socket.end();
    });
    const connection = await new Promise<Connection>((resolve) => {
      const subscription = connect(server.url).subscribe((each) => {
        subscription.unsubscribe();
        resolve(each);
      });
    });
    const infos = await firstValueFrom(connection.close$.pipe(toArray()));
    expect(infos).toEqual([{ code: 1000, reason: '', wasClean: true, initiator: 'local' }]);
    expect(codes).toEqual([1000]);
  });
});

describe('the peer `ws`', () => {
  it('closes cleanly, whoever begins', async () => {
    const { port, connections } = await served();
    const first = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(first, 'open');
    first.close(3000, 'ws');
    expect((await once(first, 'close')).map(String)).toEqual(['3000', '']);
    const second = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(second, 'open');
    connections[1]?.close(3001, 'sluice');
    expect((await once(second, 'close')).map(String)).toEqual(['3001', 'sluice']);
    const infos = await Promise.all(connections.map(({ close$ }) => firstValueFrom(close$)));
    expect(infos).toEqual([
      { code: 3000, reason: 'ws', wasClean: true, initiator: 'peer' },
      { code: 3001, reason: 'sluice', wasClean: true, initiator: 'local' },
    ]);
  });
});

describe('wrap', () => {
  it('closes over a socket that is past its handshake elsewhere, in both roles', async () => {
    const listener = createServer({ allowHalfOpen: true });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    ends(() => new Promise((resolve) => listener.close(resolve)));
    const socket = connectTcp((listener.address() as AddressInfo).port, '127.0.0.1');
    const [[accepted]] = (await Promise.all([once(listener, 'connection'), once(socket, 'connect')])) as [[Socket], []];
    const server = wrap(accepted, { role: 'server' });
    const client = wrap(socket, { role: 'client' });
    client.send.next('hello');
    client.close(3000);
    const infos = await Promise.all([server, client].map(({ close$ }) => firstValueFrom(close$)));
    expect(infos.map(({ code, wasClean, initiator }) => [code, wasClean, initiator])).toEqual([
      [3000, true, 'peer'],
      [3000, true, 'local'],
    ]);
    expect(await firstValueFrom(server.messages$.pipe(toArray()))).toEqual(['hello']);
  });
});

describe('a subscriber that throws', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('is reported as RxJS reports it; it, other subscribers and other connections go on', async () => {
    const reported: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      config.onUnhandledError = (error) => {
        if (reported.push(error) === 2) resolve();
      };
    });
    const seen: string[] = [];
    const { port } = await served((connection) => {
      connection.messages$.subscribe((message) => {
        throw new Error(`thrown at ${message}`);
      });
      connection.messages$.subscribe((message) => {
        seen.push(String(message));
        connection.send.next(message);
      });
    });
    for (const message of ['a', 'b']) {
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      await once(client, 'open');
      client.send(message);
      expect(String((await once(client, 'message'))[0])).toBe(message);
      client.close();
      await once(client, 'close');
    }
    await both;
    expect([reported.map(String), seen]).toEqual([
      ['Error: thrown at a', 'Error: thrown at b'],
      ['a', 'b'],
    ]);
  });
});

interface Opened {
  readonly raw: RawClient;
  readonly connection: Connection;
  /** All that `close$` gives. */
  readonly record: Promise<CloseInfo[]>;
}

async function served(
  next: (connection: Connection) => void = () => {},
  options: ServeOptions = {},
): Promise<{ port: number; connections: readonly Connection[] }> {
  const server = serve({ port: 0, host: '127.0.0.1', ...options });
  const { port, subscription, connections } = await run(server, next);
  ends(() => subscription.unsubscribe());
  return { port, connections };
}

async function opened(options: ServeOptions = {}): Promise<Opened> {
  const { port, connections } = await served(undefined, options);
  const raw = await RawClient.connect(port);
  ends(() => raw.close());
  raw.write(handshake());
  await raw.response();
  const connection = connections[0] as Connection;
  return { raw, connection, record: firstValueFrom(connection.close$.pipe(toArray())) };
}

function partialThenReset(raw: RawClient): void {
  raw.socket.write(framesOf(text('a', { fin: false })), () => raw.reset());
}

function closeThenReset(raw: RawClient, connection: Connection): void {
  connection.close(3000);
  raw.reset();
}

function closeAndReset(raw: RawClient): void {
  raw.socket.write(framesOf(close(1000)), () => raw.reset());
}

function framesOf(...frames: Frame[]): Buffer {
  return wire('server', frames);
}
