import { expectTypeOf } from 'expect-type';
import { firstValueFrom, ReplaySubject, Subject, take, toArray } from 'rxjs';
import { type BackpressureError, handleConnections, iterate, json, type Message, serve, withCodec } from 'sluice';
import { testConnection } from 'sluice/testing';
import { close, frame, text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

/** What becomes of a loop over all messages: their number, and what it throws. */
async function loopOver(conn: Parameters<typeof iterate>[0]): Promise<{ count: number; error?: unknown }> {
  let count = 0;
  try {
    for await (const _ of iterate(conn)) count++;
  } catch (error) {
    return { count, error };
  }
  return { count };
}

describe('iterate()', () => {
  guardProcess();

  it('throws the ProtocolError of a peer that broke the protocol, after its messages', async () => {
    const { connection, peer, port } = memoryConnection();
    const loop = loopOver(connection);
    peer(text('a'), text('b'), frame(0x3));
    port.finish();
    port.reset();
    expect(await loop).toMatchObject({ count: 2, error: { name: 'ProtocolError', code: 'RESERVED_OPCODE' } });
  });

  it('throws the BackpressureError of a connection that was given up because the peer did not read', async () => {
    const { connection, port } = memoryConnection({ maxBufferedAmount: 10 });
    const loop = loopOver(connection);
    port.block();
    for (let i = 0; i < 3; i++) connection.send.next('more than ten bytes');
    const { error } = await loop;
    expect(error).toMatchObject({ name: 'BackpressureError' } satisfies Partial<BackpressureError>);
  });

  it('throws what failed when this side closed because of an error', async () => {
    const { connection, peer, port } = memoryConnection();
    const loop = loopOver(connection);
    connection.send.error(new Error('disk full'));
    peer(close(1011));
    port.finish();
    port.reset();
    expect(await loop).toMatchObject({
      count: 0,
      error: { name: 'ConnectionClosedError', code: 1011, cause: { message: 'disk full' } },
    });
  });

  it('throws MESSAGE_INVALID for a message that a codec cannot decode', async () => {
    const messages$ = new Subject<string>();
    const loop = loopOver(withCodec(json<number>())(testConnection({ messages$ })));
    messages$.next('1');
    messages$.next('{');
    expect(await loop).toMatchObject({ count: 1, error: { name: 'ProtocolError', code: 'MESSAGE_INVALID' } });
  });

  it('waits for how the connection ended where its messages end before that', async () => {
    const messages$ = new Subject<string>();
    const close$ = new Subject<number>();
    const conn = testConnection({ close$ });
    const later = {
      close$: conn.close$,
      [Symbol.asyncIterator]: () => testConnection({ messages$ })[Symbol.asyncIterator](),
    };
    const iterator = iterate(later)[Symbol.asyncIterator]();
    const [asked, returned] = [iterator.next(), iterate(later)[Symbol.asyncIterator]()];
    const left = returned.next();
    messages$.complete();
    await new Promise(setImmediate);
    expect(await returned.return?.()).toEqual({ done: true, value: undefined });
    close$.next(4000);
    await expect(asked).rejects.toMatchObject({ name: 'ConnectionClosedError', code: 4000 });
    expect(await left).toEqual({ done: true, value: undefined });
  });

  it('does nothing before it is asked', () => {
    const { connection, peer } = memoryConnection();
    iterate(connection)[Symbol.asyncIterator]();
    peer(text('a'));
    const seen: unknown[] = [];
    connection.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a']);
  });

  it('has the type of the messages', () => {
    expectTypeOf(iterate(testConnection())).toEqualTypeOf<AsyncIterable<Message>>();
    expectTypeOf(iterate(withCodec(json<{ a: 1 }>())(testConnection()))).toEqualTypeOf<AsyncIterable<{ a: 1 }>>();
  });
});

describe('an upload that is iterated over', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('is told to be whole or cut, at the end where it is received', async () => {
    const received$ = new ReplaySubject<string>();
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        handleConnections(async (conn) => {
          const { count, error } = await loopOver(conn);
          received$.next(`${count} ${error === undefined ? 'whole' : `cut: ${(error as { code: unknown }).code}`}`);
        }),
      ),
    );
    const parts = ['a', 'b', 'c'];
    const whole = await loopback.connect(url);
    await firstValueFrom(whole.sendFrom(parts));
    whole.close();
    await firstValueFrom(received$);
    const cut = await loopback.connect(url);
    await firstValueFrom(cut.sendFrom(parts));
    // The answer to a ping comes when all before it was read.
    await firstValueFrom(cut.ping());
    cut.terminate();
    expect(await firstValueFrom(received$.pipe(take(2), toArray()))).toEqual(['3 whole', '3 cut: 1006']);
  });
});
