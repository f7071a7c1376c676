import { expectTypeOf } from 'expect-type';
import { concat, EMPTY, firstValueFrom, mergeMap, NEVER, of, Subject } from 'rxjs';
import {
  type Connection,
  handleConnections,
  json,
  type Message,
  type Outgoing,
  serve,
  type ToWebStreams,
  toWebStreams,
  withCodec,
} from 'sluice';
import { connectionPair, testConnection } from 'sluice/testing';
import { endAfterEach } from '../support/end-after-each.js';
import { Loopback } from '../support/loopback.js';
import { guardProcess } from '../support/process-guard.js';

describe('the readable of a connection', () => {
  guardProcess();

  it('is pulled: without a read nothing is wanted, with one a single message is', async () => {
    const messages$ = new Subject<string>();
    const conn = testConnection({ messages$, close$: NEVER });
    const demand: boolean[] = [];
    conn.demand$.subscribe((each) => demand.push(each));
    const reader = toWebStreams(conn).readable.getReader();
    for (const message of ['a', 'b', 'c']) messages$.next(message);
    await new Promise(setImmediate);
    expect([demand, conn.stats.inboxBytes]).toEqual([[], 3 * 129]);
    expect(await reader.read()).toEqual({ done: false, value: 'a' });
    await new Promise(setImmediate);
    expect([demand, conn.stats.inboxBytes]).toEqual([[true, false], 2 * 129]);
    expect((await Promise.all([reader.read(), reader.read()])).map(({ value }) => value)).toEqual(['b', 'c']);
  });

  it('gets what comes while several reads wait', async () => {
    const messages$ = new Subject<string>();
    const reader = toWebStreams(testConnection({ messages$ })).readable.getReader();
    const reads = Promise.all([reader.read(), reader.read(), reader.read()]);
    await new Promise(setImmediate);
    messages$.next('a');
    await new Promise(setImmediate);
    messages$.next('b');
    messages$.complete();
    expect(await reads).toEqual([
      { done: false, value: 'a' },
      { done: false, value: 'b' },
      { done: true, value: undefined },
    ]);
  });

  it('is iterated over to the end', async () => {
    const seen: unknown[] = [];
    for await (const message of toWebStreams(testConnection({ messages$: of('a', 'b') })).readable) seen.push(message);
    expect(seen).toEqual(['a', 'b']);
  });

  it('errors when the end was not wanted, behind the last message', async () => {
    const messages$ = new Subject<string>();
    const close$ = new Subject<number>();
    const reader = toWebStreams(testConnection({ messages$, close$ })).readable.getReader();
    messages$.next('a');
    close$.next(1011);
    expect(await reader.read()).toEqual({ done: false, value: 'a' });
    await expect(reader.read()).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 1011 });
  });

  it.each([
    [undefined, { code: 1000, reason: '' }],
    [new Error('enough'), { code: 1000, reason: '' }],
    [new DOMException('left', 'AbortError'), { code: 1000, reason: '' }],
    [
      Object.assign(new DOMException('closed', 'WebSocketError'), { closeCode: 4002, reason: 'web' }),
      { code: 4002, reason: 'web' },
    ],
    [
      { closeCode: 4001, reason: 'why' },
      { code: 4001, reason: 'why' },
    ],
    [
      { code: 4000, reason: 'why' },
      { code: 4000, reason: 'why' },
    ],
  ])('closes the connection when it is cancelled with %p', async (reason, closed) => {
    const conn = testConnection();
    await toWebStreams(conn).readable.cancel(reason);
    expect(await firstValueFrom(conn.closed$)).toEqual(closed);
  });
});

describe('the writable of a connection', () => {
  guardProcess();
  const end = endAfterEach();

  function streamsOf<In, Out>(conn: Connection<unknown, In, Out>): ToWebStreams<In, Out> {
    const streams = toWebStreams(conn);
    // What nobody reads would be kept for ten seconds.
    end(() => streams.readable.cancel().catch(() => {}));
    return streams;
  }

  it('sends, and is done when the connection is ready again', async () => {
    const ready$ = new Subject<boolean>();
    const conn = testConnection({ ready$ });
    const sent: unknown[] = [];
    conn.sent$.subscribe((chunk) => sent.push(chunk));
    const writer = streamsOf(conn).writable.getWriter();
    await writer.write('a');
    ready$.next(false);
    const done: string[] = [];
    const writes = ['b', 'c'].map((chunk) => writer.write(chunk).then(() => done.push(chunk)));
    await new Promise(setImmediate);
    expect([sent, done]).toEqual([['a', 'b'], []]);
    ready$.next(true);
    await Promise.all(writes);
    expect([sent, done]).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('closes with 1000 behind what was written, and waits for the end', async () => {
    const conn = testConnection();
    const writer = streamsOf(conn).writable.getWriter();
    writer.write('a');
    await writer.close();
    expect(conn.readyState).toBe(3);
    expect(await firstValueFrom(conn.closed$)).toEqual({ code: 1000, reason: '' });
  });

  it('closes with 1011 when it is aborted, or with what the reason says', async () => {
    const [plain, precise] = [testConnection(), testConnection()];
    await streamsOf(plain).writable.abort(new Error('disk full'));
    expect(await firstValueFrom(plain.close$)).toMatchObject({ code: 1011, error: new Error('disk full') });
    await streamsOf(precise).writable.abort({ code: 4000, reason: 'why' });
    expect(await firstValueFrom(precise.closed$)).toEqual({ code: 4000, reason: 'why' });
  });

  it('errors when the connection ends by itself, also while a write waits', async () => {
    const close$ = new Subject<number>();
    const ready$ = new Subject<boolean>();
    const writer = streamsOf(testConnection({ ready$, close$ })).writable.getWriter();
    ready$.next(false);
    const write = writer.write('a');
    const failed = expect(write).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 1001 });
    await new Promise(setImmediate);
    close$.next(1001);
    await failed;
    await expect(writer.closed).rejects.toMatchObject({ code: 1001 });
  });

  it.each([
    [new DOMException('left', 'AbortError'), { code: 1000, reason: '' }],
    [
      { closeCode: 4001, reason: 'why' },
      { code: 4001, reason: 'why' },
    ],
    [new DOMException('slow', 'TimeoutError'), { code: 1011, reason: '' }],
  ])('closes as what it is aborted with asks for: %p', async (reason, closed) => {
    const conn = testConnection();
    await streamsOf(conn).writable.abort(reason);
    expect(await firstValueFrom(conn.closed$)).toEqual(closed);
  });

  it('closes both ends with 1000 when a pipe between them is left by a signal', async () => {
    const [from, to] = [testConnection({ messages$: concat(of('a'), NEVER) }), testConnection()];
    const abort = new AbortController();
    const piped = streamsOf(from).readable.pipeTo(streamsOf(to).writable as WritableStream<unknown>, abort);
    await firstValueFrom(to.sent$);
    abort.abort();
    await expect(piped).rejects.toMatchObject({ name: 'AbortError' });
    expect({ from: await firstValueFrom(from.closed$), to: await firstValueFrom(to.closed$) }).toMatchObject({
      from: { code: 1000 },
      to: { code: 1000 },
    });
  });

  it('fails writes after a normal end with its code, and can still be closed', async () => {
    const close$ = new Subject<number>();
    const writer = streamsOf(testConnection({ close$ })).writable.getWriter();
    close$.next(1000);
    await expect(writer.write('a')).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 1000 });
    const other = streamsOf(testConnection({ messages$: EMPTY })).writable.getWriter();
    await expect(other.close()).resolves.toBeUndefined();
  });

  it.each(['the peer', 'this side'])('fails a write while %s closes with the code of that', async (side) => {
    const { client, server } = connectionPair();
    const { readable, writable } = streamsOf(server);
    if (side === 'the peer') client.close(1000);
    else server.close(1000);
    await expect(writable.getWriter().write('late')).rejects.toMatchObject({
      name: 'ConnectionClosedError',
      code: 1000,
    });
    expect(await readable.getReader().read()).toEqual({ done: true, value: undefined });
  });

  it('errors with a value that cannot be sent, and closes with 1011', async () => {
    const conn = testConnection();
    const writer = streamsOf(withCodec(json<unknown>())(conn)).writable.getWriter();
    await expect(writer.write(undefined)).rejects.toMatchObject({ code: 'ENCODE_FAILED' });
    expect(await firstValueFrom(conn.closed$)).toMatchObject({ code: 1011 });
  });
});

describe('web streams', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('carry messages over sockets, with pipeTo', async () => {
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        handleConnections(async (conn) => {
          const { readable, writable } = toWebStreams(conn);
          await readable.pipeTo(writable as WritableStream<Message>);
        }),
        mergeMap(() => NEVER),
      ),
    );
    const { readable, writable } = toWebStreams(await loopback.connect(url));
    const writer = writable.getWriter();
    const reader = readable.getReader();
    for (let i = 0; i < 50; i++) {
      await writer.write(`${i}`.repeat(10_000));
      expect((await reader.read()).value).toBe(`${i}`.repeat(10_000));
    }
    await writer.close();
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  it('have the types of their connection', () => {
    const streams = toWebStreams(testConnection());
    expectTypeOf(streams.readable).toEqualTypeOf<ReadableStream<Message>>();
    expectTypeOf(streams.writable).toEqualTypeOf<WritableStream<Outgoing>>();
    const typed = toWebStreams(withCodec(json<{ in: 1 }, { out: 2 }>())(testConnection()));
    expectTypeOf(typed.readable).toEqualTypeOf<ReadableStream<{ in: 1 }>>();
    expectTypeOf(typed.writable).toEqualTypeOf<WritableStream<{ out: 2 }>>();
  });
});
