import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { firstValueFrom, take, toArray } from 'rxjs';
import { type CloseInfo, type Connection, type WrapOptions, wrap } from 'sluice';
import { duplexPair, PAIR_MARK } from '../support/duplex-pair.js';
import { binary, close, ping, text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

const closed = (connection: Connection): Promise<CloseInfo> => firstValueFrom(connection.close$);

/** Resolves with all that a raw end reads until its end. */
async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
  });
  return Buffer.concat(chunks);
}

function tcpPair(): Promise<[Duplex, Duplex]> {
  return new Promise((resolve) => {
    const server = createServer((accepted: Socket) => {
      server.close();
      resolve([accepted, dialed]);
    });
    let dialed: Socket;
    server.listen(0, '127.0.0.1', () => {
      dialed = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
    });
  });
}

/** Streams of `PassThrough`, joined crosswise. */
function passThroughPair(): [Duplex, Duplex] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  return [Duplex.from({ readable: there, writable: back }), Duplex.from({ readable: back, writable: there })];
}

describe.each([
  ['a pair of Duplex streams', async () => duplexPair()],
  ['streams made of PassThroughs', async () => passThroughPair()],
  ['sockets', tcpPair],
])('two wrapped ends of %s', (_what, pair) => {
  async function ends(options: Partial<WrapOptions> = {}): Promise<[server: Connection, client: Connection]> {
    const [one, other] = await pair();
    return [wrap(one, { role: 'server', ...options }), wrap(other, { role: 'client', ...options })];
  }

  it('talk both ways', async () => {
    const [server, client] = await ends();
    server.messages$.subscribe(server.send);
    const sent = ['', 'text', Buffer.from([0, 255]), 'ünï', Buffer.alloc(100_000, 7), 'x'.repeat(70_000), 'last'];
    const received = firstValueFrom(client.messages$.pipe(take(sent.length), toArray()));
    for (const message of sent) client.send.next(message);
    expect(await received).toEqual(sent);
    client.close();
    await Promise.all([closed(server), closed(client)]);
  });

  it.each(['server', 'client'] as const)('end cleanly when the %s closes', async (first) => {
    const [server, client] = await ends();
    const [one, other] = first === 'server' ? [server, client] : [client, server];
    one.messages$.subscribe();
    other.messages$.subscribe();
    one.close(4001, 'enough');
    expect(await closed(one)).toEqual({ code: 4001, reason: '', wasClean: true, initiator: 'local' });
    expect(await closed(other)).toEqual({ code: 4001, reason: 'enough', wasClean: true, initiator: 'peer' });
  });

  it('end without a Close frame when one is terminated', async () => {
    const [server, client] = await ends();
    server.terminate();
    expect(await closed(server)).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(await closed(client)).toMatchObject({ code: 1006, wasClean: false, initiator: 'peer' });
  });

  it('measure the round trip', async () => {
    const [server, client] = await ends();
    expect(await firstValueFrom(client.ping())).toBeGreaterThanOrEqual(0);
    expect(await firstValueFrom(server.ping('payload'))).toBeGreaterThanOrEqual(0);
    server.terminate();
    await closed(client);
  });
});

describe('wrapping', () => {
  it('begins at once, and keeps what comes for a later subscriber', async () => {
    const [ours, theirs] = duplexPair();
    const connection = wrap(ours, { role: 'server' });
    theirs.write(wire('server', [text('early'), ping('p')]));
    await new Promise((resolve) => theirs.once('data', resolve));
    expect(connection.stats.pingsReceived).toBe(1);
    expect(await firstValueFrom(connection.messages$)).toBe('early');
    connection.terminate();
  });

  it('delivers head before all that comes', async () => {
    const [ours, theirs] = duplexPair();
    const bytes = wire('server', [text('one'), binary('two'), text('three')]);
    theirs.write(bytes.subarray(12));
    const connection = wrap(ours, { role: 'server', head: bytes.subarray(0, 12) });
    const messages = await firstValueFrom(connection.messages$.pipe(take(3), toArray()));
    expect(messages).toEqual(['one', Buffer.from('two'), 'three']);
    connection.terminate();
  });

  it('delivers a head that is all there ever is', async () => {
    const [ours, theirs] = duplexPair();
    theirs.end();
    theirs.resume();
    const connection = wrap(ours, { role: 'server', head: wire('server', [text('only'), close(1000)]) });
    expect(await firstValueFrom(connection.messages$.pipe(toArray()))).toEqual(['only']);
    expect(await closed(connection)).toMatchObject({ code: 1000, wasClean: true, initiator: 'peer' });
  });

  it.each([
    ['server', 0x00],
    ['client', 0x80],
  ] as const)('as a %s sets the bit of the mask accordingly (RFC 6455 §5.1)', async (role, bit) => {
    const [ours, theirs] = duplexPair();
    const connection = wrap(ours, { role });
    const all = readAll(theirs);
    connection.send.next('a');
    await firstValueFrom(connection.flush(), { defaultValue: undefined });
    connection.terminate();
    expect((await all)[1]).toBe(bit | 1);
  });

  it('fails a peer in the wrong role', async () => {
    const [ours, theirs] = duplexPair();
    const connection = wrap(ours, { role: 'client' });
    theirs.end(wire('client', [text('masked', { masked: true })]));
    theirs.resume();
    expect(await closed(connection)).toMatchObject({
      code: 1002,
      initiator: 'local',
      error: { code: 'MASK_FORBIDDEN' },
    });
  });

  it('reports what ended the stream', async () => {
    const [ours] = duplexPair();
    const connection = wrap(ours, { role: 'server' });
    ours.destroy(new Error('cut'));
    const info = await closed(connection);
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'peer', error: { message: 'cut' } });
  });

  it('takes a stream that is over already', async () => {
    const [ours] = duplexPair();
    ours.destroy();
    const connection = wrap(ours, { role: 'server' });
    expect(await closed(connection)).toMatchObject({ code: 1006, wasClean: false });
  });

  it('destroys the stream with the connection', async () => {
    const [one, other] = duplexPair();
    const [server, client] = [wrap(one, { role: 'server' }), wrap(other, { role: 'client' })];
    client.close();
    await Promise.all([closed(server), closed(client)]);
    expect([one.destroyed, other.destroyed]).toEqual([true, true]);
  });

  it('stops reading when nobody wants messages, and loses none', async () => {
    const [ours, theirs] = duplexPair();
    const highWaterMark = 4096;
    const connection = wrap(ours, { role: 'server', highWaterMark });
    const messages = Array.from({ length: 200 }, (_, i) => text(`${i}`.padStart(500, '.')));
    for (const message of messages) theirs.write(wire('server', [message]));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.stats.inboxBytes).toBeLessThan(highWaterMark + 2 * PAIR_MARK + 1000);
    expect(theirs.writableLength).toBeGreaterThan(50_000);
    const received = await firstValueFrom(connection.messages$.pipe(take(200), toArray()));
    expect(received).toEqual(messages.map((message) => message.payload.toString()));
    connection.terminate();
  });

  it('knows what the options tell it, and nothing else', () => {
    const [one, other] = duplexPair();
    const told = wrap(one, { role: 'server', protocol: 'chat', url: '/path', data: { user: 'a' } });
    expect(told.data.user).toBe('a');
    expect(told).toMatchObject({ protocol: 'chat', url: '/path', protocolVersion: 13, readyState: 1 });
    const plain = wrap(other, { role: 'client' });
    expect(plain).toMatchObject({ data: undefined, protocol: '', url: '', request: undefined, response: undefined });
    told.terminate();
    plain.terminate();
  });

  it('throws at the call for a wrong option', () => {
    const [stream] = duplexPair();
    const role = 'server' as const;
    expect(() => wrap(stream, { role: 'peer' as 'server' })).toThrow(
      /role must be one of "server", "client", got "peer"/,
    );
    expect(() => wrap(stream, {} as WrapOptions)).toThrow(/role must be .*, got undefined/);
    expect(() => wrap(stream, undefined as unknown as WrapOptions)).toThrow(/options must be an object, got undefined/);
    expect(() => wrap(stream, { role, origins: '*' } as WrapOptions)).toThrow(/unknown option "origins"/);
    expect(() => wrap(stream, { role, maxPayload: 0 })).toThrow(RangeError);
    expect(() => wrap({} as Duplex, { role })).toThrow(/duplex must be a Duplex stream, got .*/);
    expect(() => wrap(null as unknown as Duplex, { role })).toThrow(TypeError);
    expect(() => wrap(stream, { role, head: 'text' as unknown as Buffer })).toThrow(
      /head must be a Buffer, got "text"/,
    );
    expect(stream.listenerCount('data')).toBe(0);
    stream.destroy();
  });
});
