import diagnostics from 'node:diagnostics_channel';
import { expectTypeOf } from 'expect-type';
import {
  delay,
  EMPTY,
  filter,
  finalize,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { type Connection, demandMap, handleConnections, iterate, redirectMistakes, sendTo, serve } from 'sluice';
import { text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { marbles } from '../support/marbles.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

const failure = new Error('the handler fails');

/** The codes of the Close frames that were sent. */
function codesSent({ port }: MemoryConnection): number[] {
  return port.frames.filter(({ opcode }) => opcode === 8).map(({ payload }) => payload.readUInt16BE());
}

/** So many open connections over memory. */
function open(count: number): MemoryConnection[] {
  return Array.from({ length: count }, () => memoryConnection());
}

const connectionsOf = (list: readonly MemoryConnection[]): Connection[] => list.map(({ connection }) => connection);

describe('handleConnections', () => {
  guardProcess();
  let printed: jest.SpyInstance<void, unknown[]>;
  beforeEach(() => {
    redirectMistakes(undefined);
    printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => printed.mockRestore());

  describe('one handler', () => {
    it('closes its connection with 1000 when it completes', () => {
      const [memory] = open(1) as [MemoryConnection];
      const work$ = new Subject<never>();
      of(memory.connection)
        .pipe(handleConnections(() => work$))
        .subscribe();
      expect(codesSent(memory)).toEqual([]);
      work$.complete();
      expect(codesSent(memory)).toEqual([1000]);
    });

    it('may be anything that from() takes', async () => {
      const memories = open(2);
      const handlers: Array<() => AsyncIterable<string> | Promise<void>> = [
        async () => {},
        async function* () {
          yield 'ignored';
        },
      ];
      await new Promise<void>((complete) =>
        of(...handlers.keys())
          .pipe(mergeMap((index) => of(memories[index]!.connection).pipe(handleConnections(() => handlers[index]!()))))
          .subscribe({ complete }),
      );
      expect(memories.map(codesSent)).toEqual([[1000], [1000]]);
    });

    it('emits nothing of what its handlers emit', () =>
      marbles(({ cold, expectObservable }) => {
        const [memory] = open(1) as [MemoryConnection];
        const conn$ = cold('-c-----', { c: memory.connection });
        expectObservable(conn$.pipe(handleConnections(() => cold('ab-|')))).toBe('-------');
      }));

    it.each([
      ['errors', () => throwError(() => failure)],
      [
        'throws',
        () => {
          throw failure;
        },
      ],
      ['rejects', () => Promise.reject(failure)],
      ['returns nothing that can be subscribed to', () => undefined as never],
    ])('that %s is reported, and closes its connection with 1011', async (_, handler) => {
      const reports: unknown[] = [];
      const onReport = (message: unknown): void => {
        reports.push(message);
      };
      diagnostics.subscribe('sluice:connection-error', onReport);
      const [memory] = open(1) as [MemoryConnection];
      await new Promise<void>((complete) =>
        of(memory.connection).pipe(handleConnections(handler)).subscribe({ complete }),
      );
      diagnostics.unsubscribe('sluice:connection-error', onReport);
      expect(codesSent(memory)).toEqual([1011]);
      expect(reports).toEqual([{ connection: memory.connection, error: expect.any(Error) }]);
      expect(printed.mock.calls).toEqual([[expect.stringContaining('handler'), expect.any(Error)]]);
    });

    it('that fails because its connection was lost is reported, and not printed: that is no mistake', async () => {
      const [memory] = open(1) as [MemoryConnection];
      const errors: unknown[] = [];
      const onReport = (message: unknown): void => {
        errors.push((message as { error: unknown }).error);
      };
      diagnostics.subscribe('sluice:connection-error', onReport);
      const handled = lastValueFrom(
        of(memory.connection).pipe(
          handleConnections(async (conn) => {
            for await (const message of iterate(conn)) void message;
          }),
        ),
        { defaultValue: undefined },
      );
      memory.port.reset();
      await handled;
      diagnostics.unsubscribe('sluice:connection-error', onReport);
      expect(errors).toMatchObject([{ name: 'ConnectionClosedError', code: 1006 }]);
      expect(printed).not.toHaveBeenCalled();
    });

    it('that fails is given to onError instead, with its connection', () => {
      const [memory] = open(1) as [MemoryConnection];
      const calls: unknown[][] = [];
      of(memory.connection)
        .pipe(handleConnections(() => throwError(() => failure), { onError: (...args) => calls.push(args) }))
        .subscribe();
      expect(calls).toEqual([[failure, memory.connection]]);
      expect(printed).not.toHaveBeenCalled();
      expect(codesSent(memory)).toEqual([1011]);
    });

    it('lets onError choose another code', () => {
      const [memory] = open(1) as [MemoryConnection];
      of(memory.connection)
        .pipe(handleConnections(() => throwError(() => failure), { onError: (_, conn) => conn.close(4000, 'mine') }))
        .subscribe();
      expect(codesSent(memory)).toEqual([4000]);
    });

    it('reports both errors when onError throws too', () => {
      const [memory] = open(1) as [MemoryConnection];
      const second = new Error('onError fails');
      const onError = (): never => {
        throw second;
      };
      of(memory.connection)
        .pipe(handleConnections(() => throwError(() => failure), { onError }))
        .subscribe();
      expect(printed.mock.calls.map(([, error]) => error)).toEqual([failure, second]);
      expect(codesSent(memory)).toEqual([1011]);
    });

    it.each([
      ['of itself', EMPTY],
      ['later', of(1).pipe(delay(0))],
    ])('that completes %s, but fails to clean up, ends its own connection only', async (_, work$) => {
      const memories = open(2);
      const [first] = memories as [MemoryConnection];
      const handler = (conn: Connection): Observable<unknown> =>
        conn === first.connection
          ? work$.pipe(
              finalize(() => {
                throw failure;
              }),
            )
          : work$;
      await new Promise<void>((complete) =>
        of(...connectionsOf(memories))
          .pipe(handleConnections(handler, { concurrency: 1 }))
          .subscribe({ complete }),
      );
      expect(codesSent(memories[1]!)).toEqual([1000]);
      expect(codesSent(first)).toHaveLength(1);
    });

    it('is unsubscribed closeTimeout after its connection has ended', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
        const memory = memoryConnection({ scheduler });
        const work$ = cold('----------');
        const conn$ = cold('-(c|)', { c: memory.connection });
        cold('---x').subscribe(() => memory.port.reset());
        const handled$ = conn$.pipe(handleConnections(() => work$, { closeTimeout: 4, scheduler }));
        expectObservable(handled$).toBe('-------|');
        expectSubscriptions(work$.subscriptions).toBe('-^-----!');
      }));

    it('has closeTimeout from the end of messages$, where a hold has kept that back', () =>
      marbles(({ cold, expectSubscriptions, scheduler }) => {
        const memory = memoryConnection({ scheduler });
        const save$ = cold('        -----|');
        const linger$ = cold('           ----------');
        const handler = ({ messages$ }: Connection): Observable<unknown> =>
          new Observable((subscriber) => {
            subscriber.add(messages$.pipe(demandMap(() => save$)).subscribe());
            subscriber.add(linger$.subscribe(subscriber));
          });
        cold('--x').subscribe(() => memory.peer(text('one'), text('two')));
        cold('---x').subscribe(() => memory.port.reset());
        of(memory.connection)
          .pipe(handleConnections(handler, { closeTimeout: 3, scheduler }))
          .subscribe();
        expectSubscriptions(save$.subscriptions).toBe(['--^----!', '-------^----!']);
        // messages$ completes when the hold for the second message is released.
        expectSubscriptions(linger$.subscriptions).toBe('^--------------!');
      }));

    it('is not reported for what it does after its connection has ended', () => {
      const [memory] = open(1) as [MemoryConnection];
      of(memory.connection)
        .pipe(handleConnections((conn) => conn.messages$.pipe(sendTo(conn))))
        .subscribe();
      memory.port.reset();
      expect(memory.closeInfos.map(({ code }) => code)).toEqual([1006]);
      expect(printed).not.toHaveBeenCalled();
    });
  });

  describe('concurrency', () => {
    it('lets connections wait, held, and hands them over in order', () => {
      const memories = open(3);
      const works = new Map<Connection, Subject<never>>();
      const begin = (conn: Connection): Observable<never> => {
        const work$ = new Subject<never>();
        works.set(conn, work$);
        return work$;
      };
      const conns = connectionsOf(memories);
      of(...conns)
        .pipe(handleConnections(begin, { concurrency: 1 }))
        .subscribe();
      expect([...works.keys()]).toEqual(conns.slice(0, 1));
      works.get(conns[0]!)?.complete();
      expect([...works.keys()]).toEqual(conns.slice(0, 2));
      works.get(conns[1]!)?.error(failure);
      expect([...works.keys()]).toEqual(conns);
      expect(memories.map(codesSent)).toEqual([[1000], [1011], []]);
    });

    it('lets all that a handler subscribes share what a connection sent while it waited', () => {
      const [first, second] = open(2) as [MemoryConnection, MemoryConnection];
      const seen: unknown[] = [];
      const free$ = new Subject<never>();
      const handler = (conn: Connection): Observable<unknown> => {
        if (conn === first.connection) return free$;
        return new Observable((subscriber) => {
          for (const name of ['a', 'b']) {
            subscriber.add(conn.messages$.subscribe((message) => seen.push(`${name} ${message}`)));
          }
        });
      };
      of(first.connection, second.connection)
        .pipe(handleConnections(handler, { concurrency: 1 }))
        .subscribe();
      second.connection.messages$.subscribe((message) => seen.push(`held ${message}`));
      second.peer(text('early'));
      expect(seen).toEqual([]);
      free$.complete();
      expect(seen).toEqual(['held early', 'a early', 'b early']);
    });

    it('forgets a connection that closes while it waits, and gives its place away', () => {
      const memories = open(4);
      const conns = connectionsOf(memories);
      const handled: Connection[] = [];
      const free$ = new Subject<never>();
      const conn$ = new Subject<Connection>();
      const handler = (conn: Connection): Observable<never> => {
        handled.push(conn);
        return free$;
      };
      conn$.pipe(handleConnections(handler, { concurrency: 1, maxWaiting: 1 })).subscribe();
      conn$.next(conns[0]!);
      conn$.next(conns[1]!);
      memories[1]?.port.reset();
      conn$.next(conns[2]!);
      conn$.next(conns[3]!);
      expect(memories.map(codesSent)).toEqual([[], [], [], [1013]]);
      free$.complete();
      expect(handled).toEqual([conns[0], conns[2]]);
    });

    it('closes what comes beyond maxWaiting with 1013', () => {
      const memories = open(3);
      of(...connectionsOf(memories))
        .pipe(handleConnections(() => NEVER, { concurrency: 1, maxWaiting: 1 }))
        .subscribe();
      expect(memories.map(codesSent)).toEqual([[], [], [1013]]);
    });

    it('does not grow the stack when many that wait are done at once', () => {
      const memories = open(1025);
      const free$ = new Subject<never>();
      let handled = 0;
      const handler = (): Observable<never> => (handled++ === 0 ? free$ : EMPTY);
      of(...connectionsOf(memories))
        .pipe(handleConnections(handler, { concurrency: 1 }))
        .subscribe();
      expect(handled).toBe(1);
      free$.complete();
      expect(handled).toBe(1025);
      expect(printed).not.toHaveBeenCalled();
      expect(memories.flatMap(codesSent)).toEqual(Array(1025).fill(1000));
    });
  });

  describe('its end', () => {
    it('completes with a source that was empty', () =>
      marbles(({ cold, expectObservable }) => {
        expectObservable(cold<Connection>('--|').pipe(handleConnections(() => NEVER))).toBe('--|');
      }));

    it('completes after the last handler, those that wait included', () =>
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const [a, b] = open(2) as [MemoryConnection, MemoryConnection];
        const conn$ = cold('-(ab|)', { a: a.connection, b: b.connection });
        const work$ = cold(' --|');
        expectObservable(conn$.pipe(handleConnections(() => work$, { concurrency: 1 }))).toBe('-----|');
        expectSubscriptions(work$.subscriptions).toBe(['-^-!', '---^-!']);
      }));

    it('errors with the source, and unsubscribes the handlers', () =>
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const [memory] = open(1) as [MemoryConnection];
        const conn$ = cold('-c-#', { c: memory.connection });
        const work$ = cold('----');
        expectObservable(conn$.pipe(handleConnections(() => work$))).toBe('---#');
        expectSubscriptions(work$.subscriptions).toBe('-^-!');
      }));

    it('unsubscribes the source and the handlers, and holds nothing any more', () =>
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const [first, second] = open(2) as [MemoryConnection, MemoryConnection];
        const conn$ = cold('(ab)--', { a: first.connection, b: second.connection });
        const work$ = cold('------');
        expectObservable(conn$.pipe(handleConnections(() => work$, { concurrency: 1 })), '--!').toBe('---');
        expectSubscriptions(conn$.subscriptions).toBe('^-!');
        expectSubscriptions(work$.subscriptions).toBe('^-!');
        flush();
        const seen: unknown[] = [];
        second.connection.messages$.subscribe((message) => seen.push(message));
        second.peer(text('now'));
        expect(seen).toEqual(['now']);
      }));

    it('takes no more connections of a synchronous source once it is unsubscribed', () => {
      const handled: Connection[] = [];
      const handling = of(...connectionsOf(open(2))).pipe(
        handleConnections((conn) => {
          handled.push(conn);
          stop$.next();
          return NEVER;
        }),
      );
      const stop$ = new Subject<void>();
      new Observable((subscriber) => {
        stop$.subscribe(() => subscriber.unsubscribe());
        handling.subscribe(subscriber);
      }).subscribe();
      expect(handled.length).toBe(1);
    });
  });

  it('takes options that are undefined as left out', () => {
    const [memory] = open(1) as [MemoryConnection];
    const options = { concurrency: undefined, maxWaiting: undefined, onError: undefined, scheduler: undefined };
    of(memory.connection)
      .pipe(handleConnections(() => throwError(() => failure), options as never))
      .subscribe();
    expect(codesSent(memory)).toEqual([1011]);
    expect(printed).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['concurrency', 0, 1],
    ['concurrency', Number.NaN, 1],
    ['maxWaiting', -1, 0],
    ['closeTimeout', -1, 0],
  ])('refuses %s of %p at the call', (name, value, min) => {
    expect(() => handleConnections(() => EMPTY, { [name]: value })).toThrow(
      new RangeError(`${name} must be a number of at least ${min}, got ${value}`),
    );
  });

  it('gives handlers the type of the connections, and emits never', () => {
    const source = EMPTY as Observable<Connection<{ name: string }>>;
    const handled = source.pipe(
      handleConnections(
        (conn) => {
          expectTypeOf(conn.data).toEqualTypeOf<{ name: string }>();
          return of(1);
        },
        {
          onError: (error, conn) =>
            expectTypeOf({ error, conn }).toEqualTypeOf<{ error: unknown; conn: Connection<{ name: string }> }>(),
        },
      ),
    );
    expectTypeOf(handled).toEqualTypeOf<Observable<never>>();
  });
});

describe('handleConnections on a server', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());
  const quiet = { onError: () => {} };

  it('goes on for others when a handler fails', async () => {
    const handler = (conn: Connection): Observable<unknown> =>
      conn.messages$.pipe(
        map((message) => {
          if (message === 'fail') throw failure;
          return message;
        }),
        sendTo(conn),
      );
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(handleConnections(handler, quiet)),
    );
    const [failing, other] = [await loopback.connect(url), await loopback.connect(url)];
    failing.send.next('fail');
    expect(await firstValueFrom(failing.close$)).toMatchObject({ code: 1011, wasClean: true, initiator: 'peer' });
    other.send.next('still here');
    expect(await firstValueFrom(other.messages$)).toBe('still here');
    const late = await loopback.connect(url);
    late.send.next('and new ones');
    expect(await firstValueFrom(late.messages$)).toBe('and new ones');
  });

  it('sends what a handler sent last before it closes', async () => {
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(handleConnections((conn) => of('a', 'b').pipe(sendTo(conn)))),
    );
    const client = await loopback.connect(url);
    expect(await firstValueFrom(client.messages$.pipe(toArray()))).toEqual(['a', 'b']);
    expect(await firstValueFrom(client.close$)).toMatchObject({ code: 1000, wasClean: true });
  });

  it('keeps clients waiting beyond the concurrency, and loses nothing of what they sent', async () => {
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(handleConnections((conn) => conn.messages$.pipe(take(2), sendTo(conn)), { concurrency: 1 })),
    );
    const [first, second] = [await loopback.connect(url), await loopback.connect(url)];
    const echoed = firstValueFrom(second.messages$.pipe(toArray()));
    for (const message of ['early', 'late']) second.send.next(message);
    await firstValueFrom(second.ping());
    expect(second.stats.messagesReceived).toBe(0);
    for (const message of ['one', 'two']) first.send.next(message);
    expect(await firstValueFrom(first.messages$.pipe(toArray()))).toEqual(['one', 'two']);
    expect(await echoed).toEqual(['early', 'late']);
  });

  it('completes after the handlers when the server closes', async () => {
    const server = serve({ port: 0, host: '127.0.0.1' });
    const log: string[] = [];
    const said$ = new Subject<string>();
    const handled = new Promise<void>((complete) => {
      server
        .pipe(handleConnections((conn) => conn.messages$.pipe(finalize(() => log.push('handled')))))
        .subscribe({ complete });
    });
    const { port } = (await firstValueFrom(server.listening$.pipe(filter((address) => address !== null)))) as {
      port: number;
    };
    const client = await loopback.connect(`ws://127.0.0.1:${port}`);
    client.close$.subscribe(({ code }) => said$.next(`${code}`));
    const code = firstValueFrom(said$);
    expect(await firstValueFrom(server.close())).toEqual({ remaining: 0 });
    await handled;
    expect(log).toEqual(['handled']);
    expect(await code).toBe('1001');
  });
});
