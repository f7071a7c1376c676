import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { addAbortSignal, type Duplex, Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import {
  concat,
  firstValueFrom,
  mergeMap,
  NEVER,
  of,
  ReplaySubject,
  Subject,
  toArray,
  VirtualTimeScheduler,
} from 'rxjs';
import { type CloseInfo, handleConnections, type Message, serve, toDuplex } from 'sluice';
import { connectionPair, testConnection } from 'sluice/testing';
import { Loopback } from '../support/loopback.js';
import { guardProcess } from '../support/process-guard.js';

describe('reading a connection as a stream', () => {
  guardProcess();

  it('gives bytes, of text too, and ends with the connection', async () => {
    const messages$ = new Subject<Message>();
    const duplex = toDuplex(testConnection({ messages$ }));
    const chunks = duplex.toArray();
    messages$.next('é');
    messages$.next(Buffer.from([1, 2]));
    messages$.complete();
    expect(Buffer.concat(await chunks)).toEqual(Buffer.concat([Buffer.from('é'), Buffer.from([1, 2])]));
  });

  it('gives the bytes of messages that are ArrayBuffers', async () => {
    const messages$ = new Subject<ArrayBuffer>();
    const duplex = toDuplex(testConnection({ messages$ }));
    const chunks = duplex.toArray();
    messages$.next(new Uint8Array([1, 2]).buffer);
    messages$.complete();
    expect(await chunks).toEqual([Buffer.from([1, 2])]);
  });

  it('is destroyed by a message that has no bytes, and closes the connection with 1011', async () => {
    const messages$ = new Subject<Blob>();
    const conn = testConnection({ messages$, close$: NEVER });
    // The types allow it in object mode only.
    const duplex = toDuplex(conn as never).resume();
    const failed = once(duplex, 'error');
    messages$.next(new Blob(['a']));
    expect(await failed).toEqual([expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })]);
    expect(await firstValueFrom(conn.closed$)).toMatchObject({ code: 1011 });
  });

  it('gives whole messages in object mode', async () => {
    const messages$ = new Subject<{ n: number } | string>();
    const duplex = toDuplex(testConnection({ messages$ }), { objectMode: true });
    const chunks = duplex.toArray();
    for (const message of [{ n: 1 }, 'text']) messages$.next(message);
    messages$.complete();
    expect(await chunks).toEqual([{ n: 1 }, 'text']);
  });

  it('holds the connection while nobody reads, and loses nothing', async () => {
    const messages$ = new Subject<string>();
    const conn = testConnection({ messages$, close$: NEVER });
    const demand: boolean[] = [];
    conn.demand$.subscribe((each) => demand.push(each));
    const duplex = toDuplex(conn, { objectMode: true, highWaterMark: 2 });
    for (const message of ['a', 'b', 'c', 'd']) messages$.next(message);
    expect([demand, duplex.readableLength]).toEqual([[], 0]);
    const readable = once(duplex, 'readable');
    expect(duplex.read()).toBe('a');
    await readable;
    expect(duplex.read()).toBe('b');
    const rest = [await nextOf(duplex), await nextOf(duplex)];
    expect(rest).toEqual(['c', 'd']);
    expect(demand[0]).toBe(true);
    duplex.destroy();
  });

  it('is destroyed with the error of connect() when the end was not wanted', async () => {
    const close$ = new Subject<number>();
    const duplex = toDuplex(testConnection({ close$ }));
    duplex.resume();
    const failed = once(duplex, 'error');
    close$.next(1011);
    expect(await failed).toEqual([expect.objectContaining({ name: 'ConnectionClosedError', code: 1011 })]);
  });
});

describe('writing to a connection as a stream', () => {
  guardProcess();

  it('sends each chunk, as binary or as it is', async () => {
    const bytes = testConnection();
    toDuplex(bytes).resume().end('é');
    expect(await firstValueFrom(bytes.sent$)).toEqual(Buffer.from('é'));
    const objects = testConnection();
    toDuplex(objects, { objectMode: true }).resume().end('é');
    expect(await firstValueFrom(objects.sent$)).toBe('é');
  });

  it('waits until the connection is ready again', async () => {
    const ready$ = new Subject<boolean>();
    const conn = testConnection({ ready$ });
    const sent: unknown[] = [];
    conn.sent$.subscribe((chunk) => sent.push(chunk));
    const duplex = toDuplex(conn, { objectMode: true });
    ready$.next(false);
    for (const chunk of ['a', 'b']) duplex.write(chunk);
    await new Promise(setImmediate);
    expect([sent, duplex.writableLength]).toEqual([['a'], 2]);
    ready$.next(true);
    await new Promise(setImmediate);
    expect([sent, duplex.writableLength]).toEqual([['a', 'b'], 0]);
    duplex.destroy();
  });

  it('closes with 1000 behind what was written when it ends', async () => {
    const conn = testConnection();
    const duplex = toDuplex(conn, { objectMode: true }).resume();
    duplex.end('a');
    await once(duplex, 'close');
    expect(await firstValueFrom(conn.closed$)).toEqual({ code: 1000, reason: '' });
  });

  it.each([
    [new Error('disk full'), { code: 1011, reason: '' }],
    [Object.assign(new Error('moved'), { closeCode: 4001, reason: 'there' }), { code: 4001, reason: 'there' }],
    [webSocketError(4002, 'web'), { code: 4002, reason: 'web' }],
    [Object.assign(new Error('busy'), { code: 1013, reason: 'later' }), { code: 1013, reason: 'later' }],
    [undefined, { code: 1000, reason: '' }],
  ])('closes when it is destroyed with %p', async (error, closed) => {
    const conn = testConnection();
    const duplex = toDuplex(conn);
    duplex.on('error', () => {});
    duplex.destroy(error);
    expect(await firstValueFrom(conn.closed$)).toEqual(closed);
    expect((await firstValueFrom(conn.close$)).error).toBe(error);
  });

  it('fails when the connection ends while it waits', async () => {
    const close$ = new Subject<number>();
    const stalled = toDuplex(testConnection({ ready$: NEVER, close$ }), { objectMode: true });
    const failed = once(stalled, 'error');
    stalled.resume().write('a');
    close$.next(1001);
    expect(await failed).toEqual([expect.objectContaining({ code: 1001 })]);
  });

  it('fails with what the connection says about a chunk that it cannot send', async () => {
    const { server } = connectionPair();
    const duplex = toDuplex(server, { objectMode: true }).resume();
    duplex.write(42);
    const [error] = await once(duplex, 'error');
    expect(error).toMatchObject({ name: 'UsageError', code: 'UNSUPPORTED_DATA' });
    expect(server.readyState).toBeGreaterThan(1);
  });

  it.each([1000, 4001])('fails with the code %d of the peer, which closed before it', async (code) => {
    const { client, server } = connectionPair();
    const duplex = toDuplex(server, { objectMode: true }).resume();
    client.close(code);
    const failed = once(duplex, 'error');
    duplex.write('late');
    expect(await failed).toMatchObject([{ name: 'ConnectionClosedError', code }]);
  });

  it.each(['close', 'terminate'] as const)('is discarded after %s() of this side: a normal end', async (act) => {
    const { client, server } = connectionPair();
    client.send.next('last');
    const duplex = toDuplex(server, { objectMode: true });
    const messages = duplex.toArray();
    server[act](...([] as never[]));
    const written = new Promise<unknown>((resolve) => duplex.write('late', resolve));
    expect({ messages: await messages, written: (await written) ?? null }).toEqual({
      messages: ['last'],
      written: null,
    });
    await finished(duplex, { writable: false });
  });

  it('destroys a stream that nobody reads after close() of this side, without an error', async () => {
    const conn = testConnection();
    const duplex = toDuplex(conn);
    conn.close();
    const written = new Promise<unknown>((resolve) => duplex.write('late', resolve));
    // An 'error' would reject it.
    await once(duplex, 'close');
    expect(await written).toMatchObject({ name: 'ConnectionClosedError', code: 1000 });
  });

  it('lets a pipeline from an endless source end after close() of this side', async () => {
    const conn = testConnection();
    const endless = Readable.from(repeat('a'));
    const piped = pipeline(endless, toDuplex(conn));
    await firstValueFrom(conn.sent$);
    conn.close();
    await expect(piped).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 1000 });
    expect(endless.destroyed).toBe(true);
  });

  it('takes only its options', () => {
    const conn = testConnection();
    expect(() => toDuplex(conn, { objectMode: 1 as never })).toThrow(TypeError);
    expect(() => toDuplex(conn, { highWaterMark: -1 })).toThrow(RangeError);
    expect(() => toDuplex(conn, { emitClose: false } as never)).toThrow(TypeError);
    expect(() => toDuplex(conn, { maxMessageSize: 0 })).toThrow(RangeError);
    expect(() => toDuplex(conn, { maxMessageSize: Number.NaN })).toThrow(RangeError);
    expect(() => toDuplex(conn, { encoding: 'utf9' as never })).toThrow(
      `toDuplex(): encoding must be one of Buffer, such as 'utf8', got "utf9"`,
    );
    expect(() => toDuplex(conn, { objectMode: true, encoding: 'utf8' })).toThrow(
      'toDuplex(): encoding is for bytes, and must be left out in object mode',
    );
  });

  it.each([
    [undefined, [65_536, 65_536, 8_928]],
    [100_000, [100_000, 40_000]],
    [Number.POSITIVE_INFINITY, [140_000]],
  ])('sends a long write in messages of at most maxMessageSize (%s)', async (maxMessageSize, sizes) => {
    const conn = testConnection();
    const duplex = toDuplex(conn, { ...(maxMessageSize !== undefined && { maxMessageSize }) }).resume();
    const bytes = randomBytes(140_000);
    duplex.end(bytes);
    const sent = await firstValueFrom(conn.sent$.pipe(toArray()));
    expect(sent.map((message) => (message as Buffer).length)).toEqual(sizes);
    expect(Buffer.concat(sent as Buffer[]).equals(bytes)).toBe(true);
  });

  it('sends the parts of a long write only while the connection is ready, however many they are', async () => {
    const ready$ = new Subject<boolean>();
    const conn = testConnection({ ready$ });
    let sent = 0;
    conn.sent$.subscribe(() => sent++);
    const duplex = toDuplex(conn, { maxMessageSize: 1 });
    ready$.next(false);
    const written = new Promise((resolve) => duplex.write(Buffer.alloc(20_000), resolve));
    await new Promise(setImmediate);
    expect(sent).toBe(1);
    ready$.next(true);
    await written;
    expect(sent).toBe(20_000);
    duplex.destroy();
  });

  it('fails a long write in the middle of which the connection is lost', async () => {
    const ready$ = new Subject<boolean>();
    const close$ = new Subject<number>();
    const duplex = toDuplex(testConnection({ ready$, close$ }), { maxMessageSize: 10 }).resume();
    ready$.next(false);
    duplex.write(Buffer.alloc(25));
    const failed = once(duplex, 'error');
    close$.next(1006);
    expect(await failed).toMatchObject([{ name: 'ConnectionClosedError', code: 1006 }]);
  });
});

describe('leaving a connection that is read as a stream', () => {
  guardProcess();

  const ways: readonly (readonly [string, (duplex: Duplex) => unknown])[] = [
    ['destroy()', (duplex) => duplex.destroy()],
    ['break', (duplex) => first(duplex)],
    ['take(1)', (duplex) => duplex.take(1).toArray()],
    ['the AbortError of the web', (duplex) => duplex.destroy(new DOMException('left', 'AbortError'))],
    ['an AbortSignal', (duplex) => addAbortSignal(AbortSignal.abort(), duplex)],
    ['pipeline with an AbortSignal', (duplex) => abortedPipeline(duplex, undefined)],
  ];

  it.each(ways)('closes with 1000: %s', async (_, act) => {
    const conn = testConnection({ messages$: concat(of('a', 'b'), NEVER) });
    const duplex = toDuplex(conn, { objectMode: true });
    duplex.on('error', () => {});
    await act(duplex);
    expect(await firstValueFrom(conn.closed$)).toEqual({ code: 1000, reason: '' });
    expect((await firstValueFrom(conn.close$)).error).toBe(undefined);
  });

  it.each([
    [new Error('too late'), { code: 1011, reason: '' }],
    [
      { closeCode: 4000, reason: 'why' },
      { code: 4000, reason: 'why' },
    ],
    [webSocketError(4002, 'web'), { code: 4002, reason: 'web' }],
  ])('closes as the reason of an AbortSignal asks for: %p', async (reason, closed) => {
    const conn = testConnection({ messages$: concat(of('a', 'b'), NEVER) });
    await abortedPipeline(toDuplex(conn, { objectMode: true }), reason);
    expect(await firstValueFrom(conn.closed$)).toEqual(closed);
  });
});

describe('the end of a stream that nobody reads', () => {
  guardProcess();

  it.each(['1000', 'ours'])("comes with that of the connection: 'close' is emitted (%s)", async (how) => {
    const close$ = new Subject<number>();
    const conn = testConnection({ close$ });
    const closed = once(toDuplex(conn), 'close');
    if (how === 'ours') conn.close(4000);
    else close$.next(1000);
    expect(await closed).toEqual([]);
  });

  it('waits for a reader while messages wait, no longer than a hold may', async () => {
    const messages$ = new Subject<string>();
    const scheduler = new VirtualTimeScheduler();
    const conn = testConnection({ messages$, scheduler });
    const duplex = toDuplex(conn);
    messages$.next('a');
    messages$.complete();
    await new Promise(setImmediate);
    expect({ closed: duplex.closed, inboxBytes: conn.stats.inboxBytes }).toEqual({ closed: false, inboxBytes: 129 });
    const closed = once(duplex, 'close');
    scheduler.flush();
    await closed;
    expect({ at: scheduler.now(), inboxBytes: conn.stats.inboxBytes }).toEqual({ at: 10_000, inboxBytes: 0 });
  });

  it('keeps what was pushed for a reader that comes later', async () => {
    const messages$ = new Subject<string>();
    const duplex = toDuplex(testConnection({ messages$ }), { objectMode: true });
    duplex.once('readable', () => {});
    for (const message of ['a', 'b', 'c']) messages$.next(message);
    messages$.complete();
    await new Promise(setImmediate);
    expect(await duplex.toArray()).toEqual(['a', 'b', 'c']);
  });
});

describe('the encoding of a stream', () => {
  guardProcess();

  it('gives strings, of characters that are cut too', async () => {
    const messages$ = new Subject<Message>();
    const strings = toDuplex(testConnection({ messages$ }), { encoding: 'utf8' }).toArray();
    const [head, tail] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
    for (const message of ['text', head, tail, 'ü']) messages$.next(message);
    messages$.complete();
    const chunks = await strings;
    expect({ text: chunks.join(''), types: [...new Set(chunks.map((chunk) => typeof chunk))] }).toEqual({
      text: 'textéü',
      types: ['string'],
    });
  });
});

describe('streams over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it.each(['server', 'client'])('tell the peer 1000 when the %s leaves a loop over one', async (role) => {
    const ends$ = new ReplaySubject<CloseInfo>();
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap((conn) => {
          conn.close$.subscribe(ends$);
          conn.send.next('first');
          if (role === 'server') void first(toDuplex(conn));
          return NEVER;
        }),
      ),
    );
    const client = await loopback.connect(url);
    client.send.next('first');
    if (role === 'client') await first(toDuplex(client));
    const [atServer, atClient] = await Promise.all([firstValueFrom(ends$), firstValueFrom(client.close$)]);
    expect({ server: atServer.code, client: atClient.code, initiator: atServer.initiator }).toEqual({
      server: 1000,
      client: 1000,
      initiator: role === 'server' ? 'local' : 'peer',
    });
  });

  it('carry a dump both ways with pipeline, whoever is slow', async () => {
    const dump = randomBytes(4_000_000);
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        handleConnections(async (conn) => {
          const duplex = toDuplex(conn);
          await pipeline(duplex, duplex);
        }),
        mergeMap(() => NEVER),
      ),
    );
    const duplex = toDuplex(await loopback.connect(url));
    const hash = createHash('sha256');
    let size = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk);
        size += chunk.length;
        if (size === dump.length) duplex.end();
        setImmediate(done);
      },
    });
    Readable.from(chunksOf(dump, 50_000)).pipe(duplex, { end: false });
    await pipeline(duplex, slow);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(dump).digest('hex'));
  });
});

async function nextOf(duplex: Readable): Promise<unknown> {
  for (;;) {
    const chunk: unknown = duplex.read();
    if (chunk !== null) return chunk;
    await once(duplex, 'readable');
  }
}

/** As the web has it: its `code` is 0. */
function webSocketError(closeCode: number, reason: string): Error {
  return Object.assign(new Error('closed'), { name: 'WebSocketError', code: 0, closeCode, reason });
}

async function first(duplex: Duplex): Promise<unknown> {
  for await (const chunk of duplex) return chunk;
  return undefined;
}

/** A pipeline that is aborted in the middle. */
async function abortedPipeline(duplex: Duplex, reason: unknown): Promise<void> {
  const abort = new AbortController();
  const sink = new Writable({ objectMode: true, write: () => abort.abort(reason) });
  await expect(pipeline(duplex, sink, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
}

async function* repeat(value: string): AsyncGenerator<string> {
  for (;;) yield value;
}

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
