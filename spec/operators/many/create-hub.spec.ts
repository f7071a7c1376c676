import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expectTypeOf } from 'expect-type';
import { firstValueFrom, map, mergeMap, NEVER, Observable, range, take, tap, toArray, using } from 'rxjs';
import { type Connection, createHub, handleConnections, type Presence, serve, type Target, UsageError } from 'sluice';
import { Loopback } from '../../support/loopback.js';
import { marbles } from '../../support/marbles.js';
import { membersOf, readBy, stall } from '../../support/members.js';
import { guardProcess } from '../../support/process-guard.js';

const connectionsOf = (members: ReturnType<typeof membersOf>): Connection[] =>
  members.map(({ connection }) => connection);

describe('joining', () => {
  it('is for one key, until it is unsubscribed', () => {
    const members = membersOf(2);
    const [a, b] = connectionsOf(members) as [Connection, Connection];
    const hub = createHub<string>();
    const joined = hub.join('x', a);
    hub.join('x', b);
    hub.join('y', b);
    expect(hub.topic('x').next('to x').sent).toBe(2);
    expect(hub.topic('y').next('to y').sent).toBe(1);
    joined.unsubscribe();
    expect([...hub.members('x')]).toEqual([b]);
    expect(hub.topic('x').next('later').sent).toBe(1);
    expect(members.map(readBy)).toEqual([['to x'], ['to x', 'to y', 'later']]);
    expect(a.readyState).toBe(1);
  });

  it('ends with the connection, for all keys, and leaves nothing behind', () => {
    const [member] = membersOf(1);
    const { connection } = member!;
    const hub = createHub<number>();
    const joined = [1, 2, 3].map((key) => hub.join(key, connection));
    connection.terminate();
    expect(joined.map(({ closed }) => closed)).toEqual([true, true, true]);
    expect([1, 2, 3].map((key) => hub.members(key).size)).toEqual([0, 0, 0]);
    expect(hub.join(4, connection).closed).toBe(true);
    expect(hub.members(4).size).toBe(0);
  });

  it('keeps no key that nobody uses', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const hub = createHub<object>();
    const [member] = membersOf(1);
    const keys = [1, 2, 3].map((index) => {
      const key = { index };
      const joined = hub.join(key, member!.connection);
      const looking = hub.presence$(key).subscribe();
      hub.topic(key).next('hi');
      joined.unsubscribe();
      looking.unsubscribe();
      return new WeakRef(key);
    });
    return new Promise((resolve) => setImmediate(resolve)).then(() => {
      collect();
      expect(keys.map((key) => key.deref())).toEqual([undefined, undefined, undefined]);
      expect(hub.members({}).size).toBe(0);
    });
  });

  it('is counted: who joins twice gets each message once, and leaves twice', () => {
    const [member] = membersOf(1);
    const hub = createHub<string>();
    const [first, second] = [hub.join('x', member!.connection), hub.join('x', member!.connection)];
    hub.topic('x').next('once');
    first.unsubscribe();
    first.unsubscribe();
    expect(hub.members('x').size).toBe(1);
    second.unsubscribe();
    expect(hub.members('x').size).toBe(0);
    expect(readBy(member!)).toEqual(['once']);
  });

  it('is seen in members, that stay as they were', () => {
    const [a, b] = connectionsOf(membersOf(2)) as [Connection, Connection];
    const hub = createHub<string>();
    hub.join('x', a);
    const before = hub.members('x');
    hub.join('x', b);
    expect([...before]).toEqual([a]);
    expect([...hub.members('x')]).toEqual([a, b]);
  });
});

describe('leaving', () => {
  it('takes a connection out of one key, however often it has joined', () => {
    const members = membersOf(2);
    const [a, b] = connectionsOf(members) as [Connection, Connection];
    const hub = createHub<string>();
    const joins = [hub.join('x', a), hub.join('x', a), hub.join('y', a), hub.join('x', b)];
    expect({ wasMember: hub.leave('x', a), again: hub.leave('x', a) }).toEqual({ wasMember: true, again: false });
    expect(joins.map(({ closed }) => closed)).toEqual([true, true, false, false]);
    expect({ x: [...hub.members('x')], y: [...hub.members('y')] }).toEqual({ x: [b], y: [a] });
    expect({ sent: hub.topic('x').next('hi').sent, open: a.readyState }).toEqual({ sent: 1, open: 1 });
  });

  it('does nothing for one that is not there', () => {
    const [a, b] = connectionsOf(membersOf(2)) as [Connection, Connection];
    const hub = createHub<string>();
    hub.join('x', a);
    expect({ stranger: hub.leave('x', b), key: hub.leave('y', a) }).toEqual({ stranger: false, key: false });
    expect([...hub.members('x')]).toEqual([a]);
  });

  it('is over for the old Subscriptions, when it joins anew', () => {
    const [a] = connectionsOf(membersOf(1)) as [Connection];
    const hub = createHub<string>();
    const old = hub.join('x', a);
    hub.leave('x', a);
    hub.join('x', a);
    old.unsubscribe();
    expect(hub.members('x').size).toBe(1);
  });

  it('may be undone by those who are told of it, and undo what they are told', () => {
    const [a] = connectionsOf(membersOf(1)) as [Connection];
    const hub = createHub<string>();
    const seen: string[] = [];
    hub.presence$('x').subscribe(({ type }) => {
      seen.push(type);
      if (seen.length === 1) hub.leave('x', a);
      if (seen.length === 2) hub.join('x', a);
      if (seen.length === 3) hub.join('x', a).unsubscribe();
    });
    const first = hub.join('x', a);
    expect(seen).toEqual(['joined', 'left', 'joined']);
    expect({ first: first.closed, members: hub.members('x').size }).toEqual({ first: true, members: 1 });
  });

  it('listens to the end of a connection once, and not after it has left its last key', () => {
    const [a] = connectionsOf(membersOf(1)) as [Connection];
    let listeners = 0;
    const close$ = new Observable<never>(() => {
      listeners++;
      return () => listeners--;
    });
    const watched: Target<string> = { trySend: () => 'sent', send: a.send, close$, readyState: 1, close: () => {} };
    const hub = createHub<number, Target<string>>();
    for (const key of [1, 2, 3]) hub.join(key, watched);
    const before = listeners;
    const last = hub.join(4, watched);
    for (const key of [1, 2, 3]) hub.leave(key, watched);
    last.unsubscribe();
    expect({ before, after: listeners, keys: hub.keysOf(watched).size }).toEqual({ before: 1, after: 0, keys: 0 });
  });
});

describe('keys', () => {
  it('are those that have members now', () => {
    const [a, b] = connectionsOf(membersOf(2)) as [Connection, Connection];
    const hub = createHub<string>();
    hub.presence$('watched').subscribe();
    const joined = hub.join('x', a);
    hub.join('y', b);
    const before = hub.keys();
    joined.unsubscribe();
    hub.join('z', b);
    expect({ before: [...before], now: [...hub.keys()] }).toEqual({ before: ['x', 'y'], now: ['y', 'z'] });
    b.terminate();
    expect(hub.keys().size).toBe(0);
  });

  it('of a connection are in the order of joining', () => {
    const [a, b] = connectionsOf(membersOf(2)) as [Connection, Connection];
    const hub = createHub<string>();
    for (const key of ['z', 'y', 'z', 'x']) hub.join(key, a);
    hub.join('w', b);
    const before = hub.keysOf(a);
    hub.leave('z', a);
    hub.join('z', a);
    expect({ before: [...before], now: [...hub.keysOf(a)] }).toEqual({
      before: ['z', 'y', 'x'],
      now: ['y', 'x', 'z'],
    });
    a.terminate();
    expect(hub.keysOf(a).size).toBe(0);
  });

  it('have their type', () => {
    const hub = createHub<1 | 2>();
    expectTypeOf(hub.keys()).toEqualTypeOf<ReadonlySet<1 | 2>>();
    expectTypeOf(hub.keysOf).returns.toEqualTypeOf<ReadonlySet<1 | 2>>();
    expectTypeOf(hub.leave).returns.toEqualTypeOf<boolean>();
    expect(hub.keys().size).toBe(0);
  });
});

describe('a topic', () => {
  it('leaves out whom it is told to, and tells what became of the message', () => {
    const members = membersOf(3);
    const [a, b, c] = connectionsOf(members) as [Connection, Connection, Connection];
    const hub = createHub<string>();
    for (const conn of [a, b, c]) hub.join('x', conn);
    stall(members[2]!);
    expect(hub.topic('x', { overflow: 'drop' }).next('hi', { except: a })).toEqual({
      sent: 1,
      buffered: 0,
      dropped: 1,
      closed: 0,
    });
    expect(hub.topic('nobody').next('hi')).toEqual({ sent: 0, buffered: 0, dropped: 0, closed: 0 });
    expect(members.map(readBy)).toEqual([[], ['hi'], []]);
  });

  it('is an Observer, and closes nobody when its source completes', () =>
    marbles(({ cold, flush, expectSubscriptions }) => {
      const [member] = membersOf(1);
      const hub = createHub<string>();
      hub.join('x', member!.connection);
      const source$ = cold('-a-b|');
      source$.subscribe(hub.topic('x'));
      expectSubscriptions(source$.subscriptions).toBe('^---!');
      flush();
      expect(readBy(member!)).toEqual(['a', 'b']);
      expect(member!.connection.readyState).toBe(1);
      hub.topic('x').next('c');
      expect(readBy(member!)).toEqual(['a', 'b', 'c']);
    }));

  it('keeps the latest by key for the whole hub key, also after the member has left', () => {
    const [member] = membersOf(1);
    const hub = createHub<string>();
    const joined = hub.join('x', member!.connection);
    stall(member!);
    const latest = { overflow: { latest: () => 'position' } };
    hub.topic('x', latest).next('1');
    hub.topic('x', latest).next('2');
    hub.join('y', member!.connection);
    hub.topic('y', latest).next('of y');
    joined.unsubscribe();
    member!.port.drain();
    expect(readBy(member!)).toEqual(['2', 'of y']);
  });

  it('throws for a message that cannot be sent, and for an overflow that does not exist', () => {
    const [member] = membersOf(1);
    const hub = createHub<string>();
    hub.join('x', member!.connection);
    expect(() => hub.topic('x').next({} as never)).toThrow(UsageError);
    expect(() => hub.topic('x', { overflow: 'none' as never })).toThrow(RangeError);
    expect(member!.connection.readyState).toBe(1);
  });

  it('takes no notice of who joins while it sends, and skips who leaves', () => {
    const members = membersOf(3);
    const [a, b, c] = connectionsOf(members) as [Connection, Connection, Connection];
    const hub = createHub<string>();
    hub.join('x', a);
    const leaving = hub.join('x', b);
    const onResult = (): void => {
      leaving.unsubscribe();
      hub.join('x', c);
    };
    expect(hub.topic('x', { onResult }).next('hi').sent).toBe(1);
    expect(members.map(readBy)).toEqual([['hi'], [], []]);
    expect([...hub.members('x')]).toEqual([a, c]);
  });

  it('takes 200 000 messages of a synchronous source', () => {
    const [member] = membersOf(1, { overflow: 'drop-oldest', maxBufferedAmount: 1000 });
    const hub = createHub<string>();
    hub.join('x', member!.connection);
    stall(member!);
    range(0, 200_000).pipe(map(String)).subscribe(hub.topic('x'));
    expect(member!.connection.bufferedAmount).toBeLessThanOrEqual(1000);
    member!.port.drain();
    expect(readBy(member!).at(-1)).toBe('199999');
  });

  it('has the types of the connections', () => {
    type Typed = Connection<{ name: string }, string, number>;
    const hub = createHub<symbol, Typed>();
    expectTypeOf(hub.topic).parameter(0).toEqualTypeOf<symbol>();
    expectTypeOf(hub.topic(Symbol())).toHaveProperty('next').parameter(0).toEqualTypeOf<number>();
    expectTypeOf(hub.members(Symbol())).toEqualTypeOf<ReadonlySet<Typed>>();
    createHub<string>().topic<string>('x', { overflow: { latest: (text) => text.charAt(0) } });
  });
});

describe('presence', () => {
  const told = (presence: Presence<Connection>, names: Map<Connection, string>): string =>
    `${presence.type === 'joined' ? '+' : '-'}${names.get(presence.conn)}${presence.size}`;

  it('tells who is there, then who comes and goes', () =>
    marbles(({ hot, expectObservable, flush }) => {
      const members = membersOf(2);
      const [a, b] = connectionsOf(members) as [Connection, Connection];
      const names = new Map([
        [a, 'a'],
        [b, 'b'],
      ]);
      const hub = createHub<string>();
      hot('a---b|', { a, b })
        .pipe(
          mergeMap((conn) =>
            using(
              () => hub.join('x', conn),
              () => NEVER,
            ),
          ),
        )
        .subscribe();
      hot('------a-', { a }).subscribe((conn) => conn.terminate());
      const presence$ = hub.presence$('x').pipe(map((each) => told(each, names)));
      const values = { i: '+a1', j: '+b2', k: '-a1' };
      expectObservable(presence$).toBe('             i---j-k', values);
      expectObservable(presence$, '      --^-----!').toBe('--i-j-k', values);
      flush();
      expect([...hub.members('x')]).toEqual([b]);
    }));

  it('tells all subscribers the same order, whatever one of them does', () => {
    const [a, b] = connectionsOf(membersOf(2)) as [Connection, Connection];
    const names = new Map([
      [a, 'a'],
      [b, 'b'],
    ]);
    const hub = createHub<string>();
    const seen: string[][] = [[], [], []];
    hub.presence$('x').subscribe((each) => {
      seen[0]!.push(told(each, names));
      if (each.conn !== a || each.type !== 'joined') return;
      hub.join('x', b);
      hub.presence$('x').subscribe((late) => seen[2]!.push(told(late, names)));
    });
    hub.presence$('x').subscribe((each) => seen[1]!.push(told(each, names)));
    hub.join('x', a).unsubscribe();
    expect(seen).toEqual([
      ['+a1', '+b2', '-a1'],
      ['+a1', '+b2', '-a1'],
      ['+a1', '+b2', '-a1'],
    ]);
  });

  it('stops in the middle of those who are there', () => {
    const hub = createHub<string>();
    const seen: unknown[] = [];
    for (const conn of connectionsOf(membersOf(5))) hub.join('x', conn);
    hub
      .presence$('x')
      .pipe(take(2))
      .subscribe(({ size }) => seen.push(size));
    expect(seen).toEqual([1, 2]);
  });
});

describe('a hub over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterEach(() => loopback.end());

  it('is a chat with rooms', async () => {
    const rooms = createHub<string>();
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        handleConnections((conn) =>
          using(
            () => rooms.join(conn.url, conn),
            () => conn.messages$.pipe(tap((message) => rooms.topic(conn.url).next(message, { except: conn }))),
          ),
        ),
      ),
    );
    const [ann, bob, eve] = [
      await loopback.connect(`${url}/blue`),
      await loopback.connect(`${url}/blue`),
      await loopback.connect(`${url}/red`),
    ];
    const first = firstValueFrom(bob!.messages$.pipe(take(2), toArray()));
    eve!.send.next('in red');
    ann!.send.next('one');
    ann!.send.next('two');
    expect(await first).toEqual(['one', 'two']);
    const left = firstValueFrom(rooms.presence$('/blue').pipe(take(3), toArray()));
    bob!.close();
    expect((await left).map(({ type, size }) => [type, size])).toEqual([
      ['joined', 1],
      ['joined', 2],
      ['left', 1],
    ]);
  });
});
