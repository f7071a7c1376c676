import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { firstValueFrom, mergeMap, NEVER, Subject } from 'rxjs';
import { handleConnections, type Message, serve, toDuplex } from 'sluice';
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

  it('fails when the connection is closed, or ends while it waits', async () => {
    const conn = testConnection();
    conn.terminate();
    const late = toDuplex(conn, { objectMode: true });
    late.write('a');
    expect(await once(late, 'error')).toEqual([expect.objectContaining({ name: 'ConnectionClosedError' })]);
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

  it('fails when the connection is closing, and nobody knows yet how it ends', async () => {
    const { client, server } = connectionPair();
    const hold = client.hold();
    const duplex = toDuplex(server, { objectMode: true }).resume();
    server.close(3000);
    duplex.write('late');
    expect(await once(duplex, 'error')).toEqual([
      expect.objectContaining({ name: 'ConnectionClosedError', code: 1006, wasClean: false }),
    ]);
    hold.unsubscribe();
  });

  it('takes only its options', () => {
    const conn = testConnection();
    expect(() => toDuplex(conn, { objectMode: 1 as never })).toThrow(TypeError);
    expect(() => toDuplex(conn, { highWaterMark: -1 })).toThrow(RangeError);
    expect(() => toDuplex(conn, { emitClose: false } as never)).toThrow(TypeError);
  });
});

describe('streams over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

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

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
