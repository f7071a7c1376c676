import { expectTypeOf } from 'expect-type';
import {
  firstValueFrom,
  from,
  map,
  merge,
  NEVER,
  type OperatorFunction,
  of,
  range,
  Subject,
  share,
  take,
  tap,
  toArray,
} from 'rxjs';
import { type BroadcastOptions, type BroadcastResult, broadcast, type Connection, serve, UsageError } from 'sluice';
import { Loopback } from '../../support/loopback.js';
import { marbles } from '../../support/marbles.js';
import { membersOf, readBy, stall } from '../../support/members.js';
import type { MemoryConnection } from '../../support/memory-connection.js';
import { guardProcess } from '../../support/process-guard.js';

const result = (counts: Partial<BroadcastResult>): BroadcastResult => ({
  sent: 0,
  buffered: 0,
  dropped: 0,
  closed: 0,
  ...counts,
});
const results = { '0': result({}), '1': result({ sent: 1 }), '2': result({ sent: 2 }), c: result({ closed: 1 }) };

/** Two members, as values of marbles. */
function pair(): {
  members: [MemoryConnection, MemoryConnection];
  values: Record<'a' | 'b', MemoryConnection['connection']>;
} {
  const [a, b] = membersOf(2) as [MemoryConnection, MemoryConnection];
  return { members: [a, b], values: { a: a.connection, b: b.connection } };
}

describe('broadcast', () => {
  it('sends each message to those who have come, and completes with source$', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const { members, values } = pair();
      const connections$ = hot('-a---b-----', values);
      const source$ = cold('    x--y---z-|');
      const expected = '        0--1---2-|';
      expectObservable(connections$.pipe(broadcast(source$))).toBe(expected, results);
      expectSubscriptions(source$.subscriptions).toBe('     ^--------!');
      expectSubscriptions(connections$.subscriptions).toBe('^--------!');
      flush();
      expect(members.map(readBy)).toEqual([['y', 'z'], ['z']]);
      expect(members.map(({ connection }) => connection.readyState)).toEqual([1, 1]);
    }));

  it('goes on when no more connections come', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const { values } = pair();
      const connections$ = cold('(ab|)', values);
      const source$ = hot('      -x--y-|');
      expectObservable(connections$.pipe(broadcast(source$))).toBe('-2--2-|', results);
      expectSubscriptions(source$.subscriptions).toBe('^-----!');
      expectSubscriptions(connections$.subscriptions).toBe('(^!)');
    }));

  it('errors with source$ and leaves the connections open', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const { members, values } = pair();
      const connections$ = hot('a----', values);
      const source$ = cold('    -x-#');
      expectObservable(connections$.pipe(broadcast(source$))).toBe('-1-#', results);
      expectSubscriptions(connections$.subscriptions).toBe('^--!');
      flush();
      expect(members[0].connection.readyState).toBe(1);
    }));

  it('errors with the connections, and leaves source$', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-x---');
      expectObservable(hot<Connection>('--#').pipe(broadcast(source$))).toBe('-0#', results);
      expectSubscriptions(source$.subscriptions).toBe('^-!');
    }));

  it('unsubscribes from both and leaves the connections open', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const { members, values } = pair();
      const connections$ = hot('a-----', values);
      const source$ = cold('    -x-x-x');
      expectObservable(connections$.pipe(broadcast(source$)), '---!').toBe('-1-', results);
      expectSubscriptions(connections$.subscriptions).toBe('^--!');
      expectSubscriptions(source$.subscriptions).toBe('     ^--!');
      flush();
      expect(readBy(members[0])).toEqual(['x']);
      expect(members[0].connection.readyState).toBe(1);
    }));

  it('forgets a connection that has ended', () =>
    marbles(({ cold, expectObservable }) => {
      const { members, values } = pair();
      const source$ = cold('-x-y|').pipe(tap((text) => text === 'y' && members[0].connection.terminate()));
      expectObservable(cold('(ab)', values).pipe(broadcast(source$))).toBe('-2-1|', results);
    }));

  it('does not take a connection that has ended before it comes', () => {
    const { members, values } = pair();
    members[0].connection.terminate();
    const seen: BroadcastResult[] = [];
    of(values.a)
      .pipe(broadcast(of('x')))
      .subscribe((each) => seen.push(each));
    expect(seen).toEqual([results['0']]);
  });

  it('sends only to those whom the filter lets through, and errors with the filter', () => {
    const { members, values } = pair();
    const seen: unknown[] = [];
    const filter = (conn: unknown, text: string): boolean => {
      if (text === 'bad') throw new Error('filter');
      return text === 'all' || conn === values.a;
    };
    from([values.a, values.b])
      .pipe(broadcast(from(['x', 'all', 'bad', 'never']), { filter }))
      .subscribe({ next: (each) => seen.push(each), error: (error: Error) => seen.push(error.message) });
    expect(seen).toEqual([results['1'], results['2'], 'filter']);
    expect(members.map(readBy)).toEqual([['x', 'all'], ['all']]);
  });

  it.each<[string, () => unknown]>([
    ['a Promise', async () => false],
    ['a Promise', () => Promise.reject(new Error('mine'))],
    ['an object', () => ({})],
  ])('sends nothing to those for whom the filter returns %s, and errors', (found, answer) => {
    const { members, values } = pair();
    const errors: Error[] = [];
    const filter = (conn: unknown): boolean => conn === values.b || (answer() as boolean);
    from([values.a, values.b])
      .pipe(broadcast(from(['x', 'never']), { filter }))
      .subscribe({ error: (error) => errors.push(error) });
    expect(errors.map(({ message }) => message)).toEqual([`filter returned ${found}: not sent; return true or false`]);
    expect(members.map(readBy)).toEqual([[], ['x']]);
  });

  it('takes nothing that the filter returns for a no', () => {
    const { members, values } = pair();
    from([values.a, values.b])
      .pipe(broadcast(of('x'), { filter: (conn) => (conn === values.a ? true : (undefined as unknown as boolean)) }))
      .subscribe();
    expect(members.map(readBy)).toEqual([['x'], []]);
  });

  it('errors with UsageError for a message that cannot be sent, and sends it to nobody', () => {
    const { members, values } = pair();
    const errors: unknown[] = [];
    of(values.a)
      .pipe(broadcast(of(5 as unknown as string)))
      .subscribe({ error: (error) => errors.push(error) });
    expect(errors).toEqual([expect.any(UsageError)]);
    expect(members[0].connection.readyState).toBe(1);
  });

  it('sends what waits as the latest though source$ completes', () => {
    const { members, values } = pair();
    stall(members[0]);
    const seen: BroadcastResult[] = [];
    of(values.a)
      .pipe(broadcast(from(['p1', 'p2']), { overflow: { latest: (text) => text.charAt(0) } }))
      .subscribe((each) => seen.push(each));
    members[0].port.drain();
    expect(seen).toEqual([result({ buffered: 1 }), result({ buffered: 1 })]);
    expect(readBy(members[0])).toEqual(['p2']);
  });

  it('throws at the call for an overflow that does not exist', () => {
    expect(() => broadcast(NEVER, { overflow: 'none' as never })).toThrow(RangeError);
  });

  it('keeps the types', () => {
    const source$ = new Subject<string>();
    expectTypeOf(broadcast<string, Connection<{ name: string }>>(source$)).toEqualTypeOf<
      OperatorFunction<Connection<{ name: string }>, BroadcastResult>
    >();
    serve<{ name: string }>({ port: 0 }).pipe(
      broadcast(source$, {
        filter: (conn, text) => {
          expectTypeOf(conn.data.name).toEqualTypeOf<string>();
          expectTypeOf(text).toEqualTypeOf<string>();
          return true;
        },
      }),
    );
  });
});

describe('an error of the application within a delivery', () => {
  it.each(['latest', 'onResult', 'filter'] as const)('is the error, once all others have the message: %s', (option) => {
    const { members, values } = pair();
    stall(members[0]);
    const fail = (conn: unknown): void => {
      if (conn === values.a) throw new Error(option);
    };
    const options: BroadcastOptions<string, Connection> = {
      latest: { overflow: { latest: () => fail(values.a) } },
      onResult: { onResult: (_: unknown, conn: unknown) => fail(conn) },
      filter: {
        filter: (conn: unknown) => {
          fail(conn);
          return true;
        },
      },
    }[option];
    const error = jest.fn();
    from([values.a, values.b])
      .pipe(broadcast(from(['one', 'never']), options))
      .subscribe({ error });
    expect(error.mock.calls).toEqual([[new Error(option)]]);
    expect(readBy(members[1])).toEqual(['one']);
  });
});

describe('what happens within a delivery', () => {
  it('does not overtake: a message that source$ emits meanwhile goes behind', () => {
    const { members, values } = pair();
    const source$ = new Subject<string>();
    const onResult = (_: unknown, conn: unknown, text: string): void => {
      if (text === 'one' && conn === values.a) source$.next('two');
    };
    from([values.a, values.b]).pipe(broadcast(source$, { onResult })).subscribe();
    source$.next('one');
    expect(members.map(readBy)).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
  });

  it('lets join, for the next message, and leave, at once', () => {
    const members = membersOf(3);
    const [first, second, third] = members.map(({ connection }) => connection) as Connection[] as [
      Connection,
      Connection,
      Connection,
    ];
    const connections$ = new Subject<Connection>();
    const source$ = new Subject<string>();
    const onResult = (_: unknown, conn: unknown): void => {
      if (conn !== first) return;
      second.terminate();
      connections$.next(third);
    };
    const seen: BroadcastResult[] = [];
    connections$.pipe(broadcast(source$, { onResult })).subscribe((each) => seen.push(each));
    connections$.next(first);
    connections$.next(second);
    source$.next('one');
    source$.next('two');
    expect(seen).toEqual([results['1'], result({ sent: 2 })]);
    expect(members.map(readBy)).toEqual([['one', 'two'], [], ['two']]);
  });

  it('ends with the subscription', () => {
    const { members, values } = pair();
    from([values.a, values.b])
      .pipe(broadcast(from(['one', 'two', 'three'])), take(2))
      .subscribe();
    expect(members.map(readBy)).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
  });

  it('takes 200 000 messages of a synchronous source, without growing the stack or what waits', () => {
    const [member] = membersOf(1, { overflow: 'drop-newest', maxBufferedAmount: 1000 });
    stall(member!);
    const counts = { dropped: 0, emitted: 0 };
    of(member!.connection)
      .pipe(
        broadcast(
          range(0, 200_000).pipe(
            map((index) => {
              counts.emitted++;
              return `${index}`;
            }),
          ),
        ),
      )
      .subscribe(({ dropped }) => {
        counts.dropped += dropped;
      });
    expect(counts.emitted).toBe(200_000);
    expect(member!.connection.bufferedAmount).toBeLessThanOrEqual(1000);
  });
});

describe('broadcast over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterEach(() => loopback.end());

  it('reaches everybody who is connected', async () => {
    const said$ = new Subject<string | Uint8Array>();
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) => {
      const connections$ = server.pipe(share());
      return merge(
        connections$.pipe(broadcast(said$)),
        connections$.pipe(tap((conn) => conn.messages$.subscribe((message) => said$.next(message)))),
      );
    });
    const clients = [await loopback.connect(url), await loopback.connect(url)];
    const heard = clients.map((client) => firstValueFrom(client.messages$.pipe(take(2), toArray())));
    clients[0]!.send.next('hello');
    clients[0]!.send.next('again');
    expect(await Promise.all(heard)).toEqual([
      ['hello', 'again'],
      ['hello', 'again'],
    ]);
  });
});
