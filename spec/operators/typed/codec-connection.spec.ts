import { EMPTY, firstValueFrom, from, isObservable, lastValueFrom, NEVER, of, toArray } from 'rxjs';
import { broadcastTo, type Codec, type Connection, json, type Message, UsageError, withCodec } from 'sluice';
import { connectionPair, testConnection } from 'sluice/testing';
import { finishedSymbol, interceptSymbol, reportSymbol } from '../../../src/connection/hooks.js';
import { SendSubject, type SendTarget } from '../../../src/connection/send-subject.js';
import { shareMessage } from '../../../src/connection/shared-message.js';
import { CodecConnection, encodedOnce, mapSource, sendOver } from '../../../src/operators/typed/codec-connection.js';
import { marbles } from '../../support/marbles.js';

const facts: (keyof Connection)[] = [
  'data',
  'request',
  'response',
  'url',
  'protocol',
  'extensions',
  'protocolVersion',
  'supports',
  'remoteAddress',
  'readyState',
  'bufferedAmount',
  'bytesReceived',
  'bytesSent',
  'latency',
  'pings$',
  'pongs$',
  'close$',
];

/** A codec without a policy, that knows one bad message. */
const upperCase: Codec<string> = {
  decode(message) {
    if (message === 'bad') throw new Error('bad');
    return String(message).toUpperCase();
  },
  encode: (value) => value,
};

describe('a typed connection', () => {
  it.each(facts)('has the %s of its connection', (fact) => {
    const { server } = connectionPair({ data: { user: 'a' }, protocol: 'chat', url: '/room' });
    expect(new CodecConnection(server, json())[fact]).toEqual(server[fact]);
  });

  it('has its stats', () => {
    const { client, server } = connectionPair();
    client.send.next('1');
    expect(withCodec(json())(server).stats).toMatchObject({ messagesReceived: 1, inboxBytes: 129 });
  });

  it('is held, paused and read past as it is', () =>
    marbles(({ expectObservable, scheduler }) => {
      const raw = testConnection();
      const conn = withCodec(json())(raw);
      conn.ignoreMessages();
      scheduler.schedule(() => conn.pause(), 1);
      scheduler.schedule(() => conn.resume(), 2);
      scheduler.schedule(() => conn.hold(), 3);
      expectObservable(raw.demand$).toBe('tftf', { t: true, f: false });
    }));

  it('pings, pongs, flushes and closes it', () =>
    marbles(({ expectObservable, scheduler }) => {
      const { client, server } = connectionPair();
      const conn = withCodec(json())(client);
      server.ignoreMessages();
      conn.ignoreMessages();
      expectObservable(conn.ping('a')).toBe('(0|)', [0]);
      expectObservable(conn.flush()).toBe('(u|)', { u: undefined });
      const pongs: string[] = [];
      server.pongs$.subscribe((payload) => pongs.push(Buffer.from(payload).toString()));
      conn.pong('b');
      expect(pongs).toEqual(['b']);
      scheduler.schedule(() => {
        conn.close(3000, 'why');
        expect(client.readyState).toBe(2);
        conn.terminate();
        expect(client.readyState).toBe(3);
      }, 1);
    }));

  it('completes its send with the connection, for later subscribers too', () =>
    marbles(({ hot, expectObservable }) => {
      const conn = withCodec(json())(testConnection({ close$: hot('--c') }));
      expectObservable(conn.send).toBe('--|');
      expectObservable(conn.send, '----^').toBe('----|');
    }));

  it('closes with 1007 for a message that cannot be decoded, where the codec says nothing about it', () => {
    const { client, server } = connectionPair();
    const conn = withCodec(upperCase)(server);
    const seen: string[] = [];
    conn.messages$.subscribe((value) => seen.push(value));
    client.send.next('a');
    client.send.next('bad');
    expect([seen, server.readyState]).toEqual([['A'], 2]);
  });

  it('shows nothing to those who intercept behind a message that could not be decoded', () => {
    const { client, server } = connectionPair();
    const conn = withCodec(upperCase)(server);
    const shown: unknown[] = [];
    Reflect.get(conn, interceptSymbol).call(conn, (value: string) => shown.push(value) < 0);
    conn.messages$.subscribe();
    const hold = client.hold();
    for (const message of ['a', 'bad', 'behind']) client.send.next(message);
    hold.unsubscribe();
    expect(shown).toEqual(['A']);
  });

  describe('with interceptions', () => {
    /** A typed connection that counts what it decodes. */
    function counted() {
      const { client, server } = connectionPair({ server: { highWaterMark: 1_000 } });
      const counts = { decoded: 0 };
      const decode = (message: Message): { readonly text: Message } => {
        counts.decoded++;
        return { text: upperCase.decode(message) };
      };
      const conn = new CodecConnection(server, { decode, encode: String });
      return { client, conn, counts };
    }

    it('decodes a message once for all of them and for its subscribers, each message for itself', () => {
      const { client, conn, counts } = counted();
      const values: unknown[] = [];
      for (let i = 0; i < 3; i++) conn.intercept((value) => values.push(value) < 0);
      conn.messages$.subscribe((value) => values.push(value));
      client.send.next('a');
      client.send.next('a');
      const differentOfFirst = new Set(values.slice(0, 4)).size;
      const different = new Set(values).size;
      expect({ decoded: counts.decoded, differentOfFirst, different }).toEqual({
        decoded: 2,
        differentOfFirst: 1,
        different: 2,
      });
    });

    it('keeps no value for those who do not subscribe, or no longer', () => {
      const { client, conn, counts } = counted();
      const shown: unknown[] = [];
      conn.intercept((value) => shown.push(value) < 0);
      client.send.next('a');
      const seen: unknown[] = [];
      const subscription = conn.messages$.subscribe((value) => seen.push(value));
      const hold = conn.hold();
      client.send.next('b');
      subscription.unsubscribe();
      conn.messages$.subscribe((value) => seen.push(value));
      hold.unsubscribe();
      expect(seen).toEqual([{ text: 'A' }, { text: 'B' }]);
      expect([seen[1] === shown[1], counts.decoded]).toEqual([false, 4]);
    });

    it('decodes what waited before when its turn comes, and not what was shown after it', () => {
      const { client, conn } = counted();
      conn.intercept(() => false);
      const hold = conn.hold();
      const seen: unknown[] = [];
      conn.messages$.subscribe(({ text }) => seen.push(text));
      for (const message of ['a', 'b', 'c']) client.send.next(message);
      hold.unsubscribe();
      expect(seen).toEqual(['A', 'B', 'C']);
    });

    it('shows by key, and decodes nothing once all have left', () => {
      const { client, conn, counts } = counted();
      const taken: unknown[] = [];
      const key = { of: ({ text }: { readonly text: Message }) => text, value: 'B', failed: () => {} };
      const interceptions = [conn.intercept(({ text }) => taken.push(text) > 0, { key }), conn.intercept(() => false)];
      for (const message of ['a', 'b']) client.send.next(message);
      expect([taken, counts.decoded]).toEqual([['B'], 2]);
      for (const interception of interceptions) interception?.unsubscribe();
      client.send.next('b');
      expect([taken, counts.decoded]).toEqual([['B'], 2]);
    });

    it('reads ahead for those who wait, and tells them when it is stuck', () => {
      const { client, conn } = counted();
      let stuck = 0;
      const plain = conn.intercept(() => false);
      const fill = (): void => client.send.next('.'.repeat(900));
      fill();
      expect([plain?.isReading, plain?.isStuck]).toEqual([false, true]);
      const waiting = conn.intercept(() => false, { onStuck: () => stuck++ });
      expect({ isReading: waiting?.isReading, isStuck: waiting?.isStuck, stuck }).toEqual({
        isReading: true,
        isStuck: false,
        stuck: 0,
      });
      fill();
      expect({ isReading: waiting?.isReading, isStuck: waiting?.isStuck, stuck }).toEqual({
        isReading: false,
        isStuck: true,
        stuck: 1,
      });
      waiting?.unsubscribe();
      conn.hold().unsubscribe();
      expect(stuck).toBe(1);
    });
  });

  it('sends nothing once its connection is closing', () => {
    const { server } = connectionPair();
    const conn = withCodec(upperCase)(server);
    server.close();
    expect([conn.trySend('late'), conn.send.next('late')]).toEqual(['closed', undefined]);
    expect(server.stats.messagesSent).toBe(0);
  });

  it('passes on what its codec throws as a UsageError', () => {
    const { server } = connectionPair();
    const mine = new UsageError('UNSUPPORTED_DATA', 'mine');
    const encode = (): never => {
      throw mine;
    };
    expect(() => withCodec({ ...upperCase, encode })(server).trySend('a')).toThrow(mine);
  });

  it('is disposed of with it', async () => {
    const raw = testConnection();
    await withCodec(json())(raw)[Symbol.asyncDispose]();
    expect(await firstValueFrom(raw.close$)).toMatchObject({ code: 1000 });
  });

  it('carries what operators look for, as far as its connection has it', () => {
    const raw = testConnection({ messages$: of('1', 'x', '2'), close$: NEVER });
    const conn = new CodecConnection(raw, json({ invalid: 'drop' }));
    const told = jest.fn();
    Reflect.get(conn, finishedSymbol).call(conn, { finished: told });
    raw.terminate();
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: 1006 }));
    expect(conn).toHaveProperty([reportSymbol]);
    const bare = new CodecConnection({ send: raw.send, messages$: EMPTY, close$: of('info') } as never, json());
    bare.onFinished({ finished: told });
    expect(told).toHaveBeenLastCalledWith('info');
    expect(bare.intercept(() => true)).toBeUndefined();
    expect(() => bare.report(new Error('a'))).not.toThrow();
  });

  it('shows decoded messages to those who intercept, and takes out only what they take', () => {
    const { client, server } = connectionPair();
    const conn = withCodec(json({ invalid: 'drop' }))(server);
    const shown: unknown[] = [];
    Reflect.get(conn, interceptSymbol).call(conn, (value: unknown) => {
      shown.push(value);
      return value === 2;
    });
    const seen: unknown[] = [];
    conn.messages$.subscribe((value) => seen.push(value));
    for (const message of ['1', 'x', '2', '3']) client.send.next(message);
    expect([shown, seen]).toEqual([
      [1, 2, 3],
      [1, 3],
    ]);
  });
});

const double = (value: number): number => value * 2;

describe('the source of sendFrom', () => {
  it.each([
    ['an Observable', () => of(1, 2)],
    ['an iterable', () => [1, 2]],
    ['an async iterable', () => numbers()],
  ])('is projected value by value: %s', async (_, source) => {
    expect(await lastValueFrom(from(mapSource(source(), double)).pipe(toArray()))).toEqual([2, 4]);
  });

  it('is projected: a promise', async () => {
    expect(await mapSource(Promise.resolve(1), double)).toBe(2);
  });

  it('stays what it is, so that it is pulled as before and may be used twice', () => {
    const twice = mapSource([1, 2], double) as Iterable<number>;
    expect([...twice, ...twice]).toEqual([2, 4, 2, 4]);
    expect(isObservable(mapSource(of(1), double))).toBe(true);
  });

  it('is pulled only as far as it is wanted, and told when it is left', () => {
    const log: string[] = [];
    function* source(): Generator<number> {
      try {
        for (let i = 0; ; i++) {
          log.push(`pulled ${i}`);
          yield i;
        }
      } finally {
        log.push('left');
      }
    }
    for (const value of mapSource(source(), double) as Iterable<number>) if (value === 2) break;
    expect(log).toEqual(['pulled 0', 'pulled 1', 'left']);
  });
});

async function* numbers(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

describe('a send before another one', () => {
  it('writes to its own place, and ends and paces as the one behind it', () => {
    const log: unknown[] = [];
    const behind: SendTarget<string> = {
      ready$: EMPTY,
      isReady: false,
      bufferedAmount: 7,
      trySend: () => 'sent',
      close: (...how) => log.push(how),
    };
    const send = new SendSubject<number>(
      sendOver(new SendSubject(behind), (value) => {
        log.push(value);
        return 'sent';
      }),
    );
    expect({ isReady: send.isReady, bufferedAmount: send.bufferedAmount, ready: send.ready$ }).toEqual({
      isReady: false,
      bufferedAmount: 7,
      ready: EMPTY,
    });
    send.next(1);
    send.complete();
    send.error(undefined);
    const error = { code: 4000, reason: 'why' };
    send.error(error);
    expect(log).toEqual([1, [1000, '', undefined], [1011, '', undefined], [4000, 'why', error]]);
  });
});

describe('a value for many typed connections', () => {
  it('is encoded once for each codec', () => {
    const encode = jest.fn(String);
    const shared = shareMessage(1);
    const [a, b] = [{}, {}];
    const first = encodedOnce(a, shared, encode);
    expect(encodedOnce(a, shared, encode)).toBe(first);
    expect(first.value).toBe('1');
    expect(encodedOnce(b, shared, encode)).not.toBe(first);
    expect(encodedOnce(a, shareMessage(1), encode)).not.toBe(first);
    expect(encode).toHaveBeenCalledTimes(3);
  });

  it('reaches all of them by a broadcast, also those that watch what is handed over', () => {
    const encode = jest.fn((value: number) => `${value}`);
    const codec: Codec<number> = { decode: Number, encode };
    const pairs = [connectionPair(), connectionPair(), connectionPair()];
    const conns = pairs.map(({ server }) => withCodec(codec)(server));
    const seen: unknown[] = [];
    for (const { client } of pairs) client.messages$.subscribe((message) => seen.push(message));
    expect(broadcastTo(conns, 7)).toEqual({ sent: 3, buffered: 0, dropped: 0, closed: 0 });
    expect([seen, encode.mock.calls.length]).toEqual([['7', '7', '7'], 1]);
    const handed: number[] = [];
    conns[0]!.send.subscribe((value) => handed.push(value));
    broadcastTo(conns, 8);
    expect([handed, seen.length]).toEqual([[8], 6]);
    pairs[0]!.client.terminate();
    for (const { client, server } of pairs) for (const conn of [client, server]) conn.terminate();
    expect(broadcastTo(conns, 9)).toEqual({ sent: 0, buffered: 0, dropped: 0, closed: 3 });
  });

  it('that cannot be encoded is an error of the broadcast', () => {
    const encode = (): never => {
      throw new Error('no');
    };
    const conn = withCodec<number, number>({ decode: Number, encode })(testConnection());
    expect(() => broadcastTo([conn], 1)).toThrow(expect.objectContaining({ code: 'ENCODE_FAILED' }));
    expect(conn.readyState).toBe(1);
  });
});
