/**
 * JSON knows `null`, JavaScript also `undefined`, functions, BigInts and cycles. Through no bridge is one of them lost, or taken for
 * something else, without a word: it arrives, or there is an error that says so.
 */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { firstValueFrom, lastValueFrom, NEVER, of, toArray } from 'rxjs';
import {
  type CloseInfo,
  type Codec,
  type Connection,
  demandMap,
  gate,
  json,
  toDuplex,
  toWebStreams,
  withCodec,
} from 'sluice';
import { connectionPair, testConnection } from 'sluice/testing';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

type Typed = Connection<undefined, unknown, unknown>;

/** The peer answers at once: only what an unread stream holds is waited for. */
const brief = { server: { closeTimeout: 500 }, client: { closeTimeout: 500 } };

/** Two ends that speak JSON, or another codec. */
function pair(codec: Codec<unknown> = json()): { server: Typed; client: Typed } {
  const { server, client } = connectionPair(brief);
  return { server: withCodec(codec)(server), client: withCodec(codec)(client) };
}

/** Decodes the text `undefined` to it, and all else as JSON. */
const withUndefined: Codec<unknown> = {
  decode: (message) => (message === 'undefined' ? undefined : JSON.parse(String(message))),
  encode: (value) => (value === undefined ? 'undefined' : JSON.stringify(value)),
};

const ofNull = { name: 'UsageError', code: 'NULL_MESSAGE', message: expect.stringMatching(/null.*object/) };

describe('null in a stream of Node', () => {
  it.each([true, false])('is an error and no end, and closes with 1011: objectMode %p', async (objectMode) => {
    const { server, client } = pair();
    const duplex = toDuplex(server as never, { objectMode } as never) as ReturnType<typeof toDuplex>;
    const ended = jest.fn();
    duplex.on('end', ended).resume();
    const failed = once(duplex, 'error');
    client.send.next(null);
    expect(await failed).toEqual([expect.objectContaining(ofNull)]);
    expect(await firstValueFrom(client.close$)).toMatchObject({ code: 1011, reason: '' });
    expect(await firstValueFrom(server.close$)).toMatchObject({ code: 1011, initiator: 'local', error: ofNull });
    expect(ended).not.toHaveBeenCalled();
  });

  it('does not end a for await as if all had come', async () => {
    const { server, client } = pair();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const value of toDuplex(server, { objectMode: true })) seen.push(value);
    })();
    client.send.next(1);
    await new Promise(setImmediate);
    client.send.next(null);
    client.send.next(2);
    await expect(reading).rejects.toMatchObject(ofNull);
    expect(seen).toEqual([1]);
  });

  it('may wait for a reader: what is before it is read', async () => {
    const { server, client } = pair();
    const duplex = toDuplex(server, { objectMode: true, highWaterMark: 1 });
    for (const value of [1, 2, null]) client.send.next(value);
    const seen: unknown[] = [];
    duplex.on('data', (value) => seen.push(value));
    await expect(finished(duplex)).rejects.toMatchObject(ofNull);
    expect(seen).toEqual([1, 2]);
  });

  it('is what write() throws, and the connection stays open', () => {
    const { server } = pair();
    const duplex = toDuplex(server, { objectMode: true });
    expect(() => duplex.write(null)).toThrow(expect.objectContaining({ code: 'ERR_STREAM_NULL_VALUES' }));
    expect(server.readyState).toBe(1);
    duplex.destroy();
  });

  it('may be within an object, and the falsy values pass both ways', async () => {
    const values = [{ value: null }, [null], 0, '', false];
    const { server, client } = pair();
    const received = toDuplex(server, { objectMode: true }).toArray();
    await finished(Readable.from(values).pipe(toDuplex(client, { objectMode: true })), { readable: false });
    expect(await received).toEqual(values);
  });
});

describe('undefined in a stream of Node', () => {
  it('passes both ways with a codec that knows it', async () => {
    const { server, client } = pair(withUndefined);
    const received = toDuplex(server, { objectMode: true }).toArray();
    const duplex = toDuplex(client, { objectMode: true });
    for (const value of [1, undefined, 2]) duplex.write(value);
    duplex.end();
    expect(await received).toEqual([1, undefined, 2]);
  });

  it.each<[string, (conn: Connection) => Connection<undefined, never, never>, string]>([
    ['JSON', (conn) => withCodec(json())(conn) as never, 'ENCODE_FAILED'],
    ['a plain connection', (conn) => conn as never, 'UNSUPPORTED_DATA'],
  ])('is an error where it cannot be sent, and closes with 1011: %s', async (_what, typed, code) => {
    const { server } = connectionPair(brief);
    const duplex = toDuplex(typed(server as Connection), { objectMode: true });
    const failed = once(duplex, 'error');
    duplex.write(undefined);
    expect(await failed).toMatchObject([{ name: 'UsageError', code }]);
    expect(await firstValueFrom(server.close$)).toMatchObject({ code: 1011, error: { code } });
  });
});

describe('null and undefined', () => {
  const values = [1, null, undefined, 0, null, undefined];

  it('pass through web streams', async () => {
    const { server, client } = pair(withUndefined);
    const { readable } = toWebStreams(server);
    const writer = toWebStreams(client).writable.getWriter();
    const written = Promise.all(values.map((value) => writer.write(value))).then(() => writer.close());
    const received: unknown[] = [];
    for await (const value of readable as unknown as AsyncIterable<unknown>) received.push(value);
    await written;
    expect(received).toEqual(values);
  });

  it('pass through sendFrom, from any source that can hold them, and through messages$', async () => {
    const { server, client } = pair(withUndefined);
    const received = lastValueFrom(server.messages$.pipe(toArray()));
    const web = new ReadableStream({
      start: (controller) => {
        for (const value of values) controller.enqueue(value);
        controller.close();
      },
    }) as unknown as AsyncIterable<unknown>;
    const counts: number[] = [];
    for (const source of [values, of(...values), web, Promise.resolve(null)]) {
      counts.push(await firstValueFrom(client.sendFrom(source)));
    }
    client.close();
    expect(counts).toEqual([6, 6, 6, 1]);
    expect(await received).toEqual([...values, ...values, ...values, null]);
  });

  it('pass through the async iterator', async () => {
    const { server, client } = pair(withUndefined);
    const received: unknown[] = [];
    const reading = (async () => {
      for await (const value of server) received.push(value);
    })();
    for (const value of values) client.send.next(value);
    await firstValueFrom(client.flush());
    client.close();
    await reading;
    expect(received).toEqual(values);
  });

  it('wait in demandMap and gate as all else does', () => {
    const conn = testConnection<unknown>({ messages$: of(...values), close$: NEVER });
    const mapped: unknown[] = [];
    conn.messages$
      .pipe(
        gate(of(true)),
        demandMap((value) => [value], { on: conn }),
      )
      .subscribe((value) => mapped.push(value));
    expect(mapped).toEqual(values);
  });

  it('of a Readable in object mode: null is an error of its own, that sendFrom passes on', async () => {
    const { client } = pair();
    await expect(firstValueFrom(client.sendFrom(Readable.from([1, null])))).rejects.toMatchObject({
      code: 'ERR_STREAM_NULL_VALUES',
    });
  });
});

describe('what JSON cannot say', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const unsayable: [string, unknown][] = [
    ['undefined', undefined],
    ['a function', () => 1],
    ['a Symbol', Symbol('a')],
    ['a BigInt', 5n],
    ['a cycle', cyclic],
    ['a toJSON that throws', { toJSON: () => JSON.parse('no') }],
    ['a toJSON that gives undefined', { toJSON: () => undefined }],
  ];

  const ends: [string, (conn: Typed, value: unknown) => Promise<unknown>][] = [
    ['trySend', async (conn, value) => conn.trySend(value)],
    ['sendFrom', (conn, value) => firstValueFrom(conn.sendFrom([value]))],
    [
      'a web stream',
      async (conn, value) => {
        const { readable, writable } = toWebStreams(conn);
        // It holds the messages until then.
        await writable
          .getWriter()
          .write(value)
          .finally(() => readable.cancel());
      },
    ],
    [
      'a stream of Node',
      async (conn, value) => {
        const duplex = toDuplex(conn, { objectMode: true });
        duplex.write(value);
        await finished(duplex);
      },
    ],
    [
      'send.next',
      async (conn, value) => {
        conn.send.next(value);
        throw ((await firstValueFrom(conn.close$)) as CloseInfo).error;
      },
    ],
  ];

  for (const [what, value] of unsayable) {
    it.each(ends)(`is an error: ${what} through %s`, async (_end, send) => {
      const { server, client } = pair();
      const received: unknown[] = [];
      server.messages$.subscribe((message) => received.push(message));
      await expect(send(client, value)).rejects.toMatchObject({ name: 'UsageError', code: 'ENCODE_FAILED' });
      expect(received).toEqual([]);
      client.close();
    });
  }
});
