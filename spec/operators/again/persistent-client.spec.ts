import { getEventListeners } from 'node:events';
import { expectTypeOf } from 'expect-type';
import { map, type Observable, Subscription, throwError, VirtualTimeScheduler } from 'rxjs';
import {
  ask,
  BackpressureError,
  type Connection,
  ConnectionClosedError,
  HandshakeError,
  json,
  keepAlive,
  type Message,
  multiplex,
  type Outgoing,
  type PersistentConnection,
  type PersistentFailure,
  type PersistentState,
  persistent,
  UsageError,
  withCodec,
} from 'sluice';
import { type ConnectionPair, connectionPair, reset, testConnect } from 'sluice/testing';
import { PersistentClient } from '../../../src/operators/again/persistent-client.js';
import { persistentSettings } from '../../../src/operators/again/persistent-options.js';
import { marbleConnection } from '../../support/marble-connection.js';
import { marbles } from '../../support/marbles.js';

/** Waits of exactly 4, 8, 16 frames. */
const reconnect = { initial: 4, max: 16, minUptime: 5, random: () => 1 };
const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const forbidden = new HandshakeError('UNEXPECTED_STATUS', 'no', { status: 401 });
const nothing = (): void => {};

/** A persistent client, and the servers that it comes to, one after the other. */
class Scene {
  readonly scheduler = new VirtualTimeScheduler();
  readonly pairs: readonly ConnectionPair[];
  readonly client: PersistentConnection;
  readonly states: PersistentState[] = [];
  /** What each server got. */
  readonly got: Message[][];

  /** @param attempts what becomes of each: `'open'`, or an error. */
  constructor(attempts: readonly ('open' | Error)[], options: object = {}) {
    const { scheduler } = this;
    const found = attempts.map((attempt) => (attempt === 'open' ? connectionPair({ scheduler }) : attempt));
    this.pairs = found.filter((each): each is ConnectionPair => !(each instanceof Error));
    this.got = this.pairs.map(({ server }) => {
      const messages: Message[] = [];
      server.messages$.subscribe((message) => messages.push(message));
      return messages;
    });
    const dialed = found.map((each) => (each instanceof Error ? each : (each.client as Connection)));
    this.client = persistent(testConnect(dialed, scheduler), { reconnect, scheduler, ...options });
    this.client.state$.subscribe((state) => this.states.push(state));
  }

  get types(): string[] {
    return this.states.map(({ type }) => type);
  }

  server(index: number): Connection {
    return (this.pairs[index] as ConnectionPair).server as Connection;
  }

  /** Loses the network of a socket. */
  cut(index: number): void {
    reset(this.server(index));
    this.settle();
  }

  /** What is due now happens. */
  settle(): void {
    this.pass(0);
  }

  /** Lets time pass, all that anything waits for when it is not said how much. */
  pass(time = Number.POSITIVE_INFINITY): void {
    this.scheduler.maxFrames = this.scheduler.frame + time;
    this.scheduler.flush();
  }
}

describe('opening', () => {
  it('dials, dials again when the socket is lost, and closes with 1000 when the last one leaves', () =>
    marbles((helpers) => {
      const { cold, expectObservable, scheduler } = helpers;
      const one = marbleConnection(helpers, '-----#');
      const other = marbleConnection(helpers, '------------------');
      const dial = testConnect(
        [one, other].map(({ connection }) => cold('-c', { c: connection as Connection })),
        scheduler,
      );
      const client = persistent(dial, { reconnect, scheduler });
      const leases$ = cold('--a-b--------C--D', { a: 1, b: 2, C: 1, D: 2 });
      const leases = new Map<number, Subscription>();
      leases$.subscribe((id) => {
        const lease = leases.get(id);
        if (lease === undefined) leases.set(id, client.open());
        else lease.unsubscribe();
      });
      const closed$ = other.connection.send.pipe(map(() => 'sent'));
      // Lost after 2 ms: the wait is one of 4 ms.
      const expected = 'x-co-w---co-----x';
      expectObservable(client.state$.pipe(map(({ type }) => type))).toBe(expected, {
        x: 'closed',
        c: 'connecting',
        o: 'open',
        w: 'waiting',
      });
      expectObservable(dial.dialed$).toBe('--0------1-----', [0, 1]);
      expectObservable(closed$, '17ms !').toBe('-');
    }));

  it('closes the socket with 1000, and is possible again', () => {
    const scene = new Scene(['open', 'open']);
    const { client } = scene;
    const codes: number[] = [];
    for (const { server } of scene.pairs) server.close$.subscribe(({ code }) => codes.push(code));
    client.open().unsubscribe();
    const lease = client.open();
    expect(client.readyState).toBe(1);
    lease.unsubscribe();
    lease.unsubscribe();
    scene.settle();
    expect(codes).toEqual([1000, 1000]);
    const once = ['connecting', 'open', 'closed'];
    expect(scene.types).toEqual(['closed', ...once, ...once]);
  });

  it('tells the attempt, the wait and its reason', () => {
    const { client, states, scheduler } = new Scene([refused, refused, 'open']);
    client.open();
    scheduler.flush();
    expect(states).toEqual([
      { type: 'closed' },
      { type: 'connecting' },
      { type: 'waiting', attempt: 1, delay: 4, error: refused },
      { type: 'connecting' },
      { type: 'waiting', attempt: 2, delay: 8, error: refused },
      { type: 'connecting' },
      { type: 'open', connection: expect.objectContaining({ url: '/' }) },
    ]);
  });

  it('dials again when the server has closed with 1000 too, unless repeat is off', () => {
    for (const repeat of [true, false]) {
      const scene = new Scene(['open', 'open'], { reconnect: { ...reconnect, repeat } });
      scene.client.open();
      scene.server(0).close();
      scene.pass();
      expect(scene.types.slice(2)).toEqual(repeat ? ['open', 'waiting', 'connecting', 'open'] : ['open', 'closed']);
    }
  });

  it('gives up with an error that stays, and dials anew when it is opened again', () => {
    const { client, states, scheduler } = new Scene([forbidden, 'open']);
    client.open();
    scheduler.flush();
    expect(states.at(-1)).toEqual({ type: 'closed', error: forbidden });
    expect(client.readyState).toBe(3);
    client.open();
    expect(states.at(-1)).toMatchObject({ type: 'open' });
  });

  it('may end and begin again while a state is told', () => {
    const { client, states } = new Scene(['open', 'open']);
    let lease = Subscription.EMPTY;
    let times = 0;
    client.state$.subscribe(({ type }) => {
      if (type === 'open' && times++ === 0) lease.unsubscribe();
      if (type === 'closed' && times === 1) lease = client.open();
    });
    lease = client.open();
    // It was open before there was a lease to give back.
    expect([states.at(-1)?.type, times]).toEqual(['open', 1]);
    lease.unsubscribe();
    expect(states.slice(3).map(({ type }) => type)).toEqual(['closed', 'connecting', 'open']);
    lease.unsubscribe();
  });

  it('says how far it is', () => {
    const { client, scheduler, ...scene } = new Scene([refused, 'open']);
    expect(client.readyState).toBe(3);
    client.open();
    expect(client.readyState).toBe(0);
    scheduler.flush();
    expect(client.readyState).toBe(1);
    const hold = client.hold();
    client.messages$.subscribe();
    (scene.pairs[0] as ConnectionPair).client.close();
    expect(client.readyState).toBe(2);
    hold.unsubscribe();
  });
});

describe('messages', () => {
  it('come from all sockets, whenever somebody subscribes', () => {
    const scene = new Scene(['open', 'open']);
    const seen: Message[] = [];
    scene.client.messages$.subscribe((message) => seen.push(message));
    scene.client.open();
    scene.server(0).send.next('a');
    scene.cut(0);
    scene.pass();
    scene.server(1).send.next('b');
    expect(seen).toEqual(['a', 'b']);
  });

  it('wait in the socket while nobody wants them, and are shared by all who wait for it', () => {
    const scene = new Scene(['open', 'open']);
    const { client } = scene;
    client.open();
    scene.server(0).send.next('a');
    const seen: string[] = [];
    for (const name of ['first', 'second']) client.messages$.subscribe((message) => seen.push(`${name} ${message}`));
    expect(seen).toEqual(['first a']);
    const hold = client.hold();
    scene.cut(0);
    scene.pass();
    scene.server(1).send.next('b');
    hold.unsubscribe();
    expect(seen).toEqual(['first a', 'first b', 'second b']);
  });

  it('of a lost socket are kept until the next one is open', () => {
    const scene = new Scene(['open', 'open']);
    const { client } = scene;
    client.open();
    scene.server(0).send.next('a');
    scene.cut(0);
    const seen: Message[] = [];
    client.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a']);
    scene.pass();
    scene.server(1).send.next('b');
    expect(seen).toEqual(['a', 'b']);
  });

  it('are held on every socket by a hold, and by pause', () => {
    const scene = new Scene(['open', 'open']);
    const { client } = scene;
    const seen: Message[] = [];
    client.messages$.subscribe((message) => seen.push(message));
    client.pause();
    client.pause();
    client.open();
    scene.server(0).send.next('a');
    expect(seen).toEqual([]);
    client.resume();
    expect(seen).toEqual(['a']);
    client.pause();
    scene.cut(0);
    scene.pass();
    scene.server(1).send.next('b');
    expect(seen).toEqual(['a']);
    client.resume();
    client.resume();
    expect(seen).toEqual(['a', 'b']);
  });

  it('make demand on the socket only while somebody subscribes', () => {
    const scene = new Scene(['open']);
    scene.client.open();
    const subscription = scene.client.messages$.subscribe();
    scene.server(0).send.next('a');
    subscription.unsubscribe();
    scene.server(0).send.next('b');
    expect((scene.pairs[0] as ConnectionPair).client.stats.inboxBytes).toBeGreaterThan(0);
  });
});

describe('sending', () => {
  it('works before, while and between, in order; what a lost socket was given is not sent again', () => {
    const scene = new Scene(['open', 'open']);
    const { client, got } = scene;
    expect(client.trySend('before')).toBe('buffered');
    client.send.next('before too');
    expect(client.bufferedAmount).toBeGreaterThan(0);
    client.open();
    expect(client.trySend('while')).toBe('sent');
    scene.cut(0);
    expect(client.trySend('between')).toBe('buffered');
    scene.pass();
    expect(got).toEqual([['before', 'before too', 'while'], ['between']]);
    expect(client.bufferedAmount).toBe(0);
  });

  it('waits when the socket is closing already', () => {
    const scene = new Scene(['open', 'open']);
    const { client, got } = scene;
    client.open();
    (scene.pairs[0] as ConnectionPair).client.close();
    client.send.next('a');
    scene.pass();
    expect(got).toEqual([[], ['a']]);
  });

  it('lets what is sent while "open" is told go first, then what is resubscribed, then what waited', () => {
    const { client, got } = new Scene(['open']);
    client.state$.subscribe((state) => {
      if (state.type === 'open') state.connection.send.next('login');
    });
    multiplex(client, '+a', '-a', () => true).subscribe();
    client.send.next('waited');
    client.open();
    expect(got).toEqual([['login', '+a', 'waited']]);
  });

  it('emits what was handed over, from the queue too', () => {
    const { client } = new Scene(['open']);
    const handed: unknown[] = [];
    client.send.subscribe((value) => handed.push(value));
    client.send.next('a');
    expect(handed).toEqual([]);
    client.open();
    client.send.next('b');
    expect(handed).toEqual(['a', 'b']);
  });

  it('is ready only while a socket is open and takes more', () => {
    const scene = new Scene(['open', 'open']);
    const { client } = scene;
    const seen: boolean[] = [];
    client.send.ready$.subscribe((isReady) => seen.push(isReady));
    expect(client.send.isReady).toBe(false);
    const lease = client.open();
    expect(client.send.isReady).toBe(true);
    scene.cut(0);
    scene.pass();
    lease.unsubscribe();
    scene.settle();
    expect(seen).toEqual([false, true, false, true, false]);
  });

  it('sends a hundred thousand that waited, without growing the stack', () => {
    const { client, got } = new Scene(['open'], { offlineBuffer: 2 ** 27 });
    for (let i = 0; i < 100_000; i++) client.send.next('x');
    client.open();
    expect(got[0]).toHaveLength(100_000);
  });

  it('gives up by default when too much waits, and says so; what waited stays', () => {
    const { client, states, got, scheduler } = new Scene([refused, 'open'], { offlineBuffer: 300 });
    client.open();
    for (const value of ['a', 'b']) client.send.next(value);
    expect(client.trySend('c')).toBe('closed');
    expect(states.at(-1)).toEqual({ type: 'closed', error: expect.any(BackpressureError) });
    scheduler.flush();
    client.open();
    expect(got).toEqual([['a', 'b']]);
  });

  it('says so when it is not open, too', () => {
    const { client, states } = new Scene([], { offlineBuffer: 0 });
    client.send.next('a');
    expect(states).toEqual([{ type: 'closed' }, { type: 'closed', error: expect.any(BackpressureError) }]);
  });

  it('drops where it is to', () => {
    const { client, got } = new Scene(['open'], { offlineBuffer: 300, overflow: 'drop-oldest' });
    for (const value of ['a', 'b', 'c']) client.send.next(value);
    client.open();
    expect(got).toEqual([['b', 'c']]);
    const newest = new Scene(['open'], { offlineBuffer: 200, overflow: 'drop-newest' });
    newest.client.send.next('a');
    expect(newest.client.trySend('b')).toBe('dropped');
  });

  it('ends a socket with 1011 for what cannot be sent, and gives up; trySend throws it', () => {
    for (const isOpen of [true, false]) {
      const scene = new Scene(['open']);
      const { client, states } = scene;
      const codes: number[] = [];
      scene.server(0).close$.subscribe(({ code }) => codes.push(code));
      if (isOpen) client.open();
      if (isOpen) expect(() => client.trySend(42 as never)).toThrow(UsageError);
      client.send.next(42 as never);
      if (!isOpen) client.open();
      scene.settle();
      expect(codes).toEqual([1011]);
      expect(states.at(-1)).toEqual({ type: 'closed', error: expect.any(UsageError) });
    }
  });
});

describe('states', () => {
  it('come to all subscribers in the same order, whatever one of them does', () => {
    const { client } = new Scene(['open', 'open', 'open']);
    const orders: string[][] = [[], [], []];
    let lease = Subscription.EMPTY;
    let ends = 0;
    client.state$.subscribe(({ type }) => {
      orders[0]!.push(type);
      if (type === 'open') lease.unsubscribe();
      if (type !== 'closed' || ++ends > 3) return;
      lease = client.open();
      if (ends === 2) client.state$.subscribe((state) => orders[2]!.push(state.type));
    });
    client.state$.subscribe(({ type }) => orders[1]!.push(type));
    lease.unsubscribe();
    const round = ['connecting', 'open', 'closed'];
    const [first, second, late] = orders;
    expect(first).toEqual(['closed', ...round, ...round, ...round]);
    expect(second).toEqual(first!.slice(-second!.length));
    expect(late).toEqual(first!.slice(-late!.length));
  });

  it('let what is sent while "open" is told go first, though it is told late', () => {
    const scene = new Scene(['open']);
    const { client } = scene;
    let lease: Subscription | undefined;
    client.send.next('waited');
    client.state$.subscribe((state) => {
      if (state.type === 'closed') lease ??= client.open();
      if (state.type === 'open') state.connection.send.next('log in');
    });
    expect({ lease: lease?.closed, got: scene.got }).toEqual({ lease: false, got: [['log in', 'waited']] });
  });

  it('have an Error for whatever is thrown', () => {
    const scheduler = new VirtualTimeScheduler();
    const dial$ = throwError(() => 'no way');
    const shouldRetry = (_: unknown, attempt: number): boolean => attempt === 1;
    const client = persistent(dial$ as Observable<Connection>, { scheduler, reconnect: { ...reconnect, shouldRetry } });
    const states: PersistentState[] = [];
    client.state$.subscribe((state) => states.push(state));
    client.open();
    scheduler.flush();
    const error = expect.objectContaining({ message: 'no way', cause: 'no way' });
    expect(states.slice(1)).toEqual([
      { type: 'connecting' },
      { type: 'waiting', attempt: 1, delay: 4, error },
      { type: 'connecting' },
      { type: 'closed', error },
    ]);
    expectTypeOf<Extract<PersistentState, { type: 'closed' }>['error']>().toEqualTypeOf<
      PersistentFailure | undefined
    >();
    expectTypeOf<PersistentFailure>().toMatchTypeOf<Error>();
  });
});

describe('giving up', () => {
  it('completes all but the states, which tell why first', () =>
    marbles((helpers) => {
      const { cold, expectObservable, scheduler } = helpers;
      const one = marbleConnection(helpers, '----a---#');
      const dial = testConnect(
        [cold('-c', { c: one.connection as Connection }), cold<Connection>('--#', {}, forbidden)],
        scheduler,
      );
      const client = persistent(dial, { reconnect, scheduler });
      cold('-a').subscribe(() => client.open());
      // Open for 6 ms, so the wait is one of 4 ms.
      const state$ = client.state$.pipe(map(({ type }) => type));
      const types = { x: 'closed', c: 'connecting', o: 'open', w: 'waiting' };
      expectObservable(state$).toBe('                           xco-----w---c-x', types);
      expectObservable(client.messages$).toBe('                  ----a---------|');
      expectObservable(client.send.ready$).toBe('                f-t-----f-----|', { f: false, t: true });
      expectObservable(client.send.asObservable()).toBe('        --------------|');
      expectObservable(keepAlive(client, { message: 'x' })).toBe('--------------|');
      expectObservable(client.messages$, '                  ----------------^').toBe('----------------|');
      expectObservable(client.send.ready$, '                ----------------^').toBe('----------------|');
    }));

  it('takes nothing more, and asks nothing, until it is opened again', () => {
    const scene = new Scene([forbidden, 'open']);
    const { client } = scene;
    const log: unknown[] = [];
    const question = (text: string): void => {
      ask(client, text, { match: () => true }).subscribe({ error: (error: unknown) => log.push(error) });
    };
    client.messages$.subscribe({ complete: () => log.push('messages$') });
    const early = client.trySend('early');
    question('a');
    const lease = client.open();
    question('b');
    expect(log).toEqual([forbidden, 'messages$', forbidden]);
    expect({ early, given: client.trySend('lost') }).toEqual({ early: 'buffered', given: 'closed' });
    lease.unsubscribe();
    client.open();
    const seen: Message[] = [];
    const handed: unknown[] = [];
    client.messages$.subscribe((message) => seen.push(message));
    client.send.subscribe((item) => handed.push(item));
    scene.server(0).send.next('hello');
    client.send.next('late');
    expect({ got: scene.got, seen, handed, ready: client.send.isReady }).toEqual({
      got: [['early', 'late']],
      seen: ['hello'],
      handed: ['late'],
      ready: true,
    });
  });

  it('goes on for those who are there, when it is opened again while it is told', () => {
    const scene = new Scene([forbidden, 'open']);
    const { client } = scene;
    const seen: unknown[] = [];
    const ready: unknown[] = [];
    client.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('|') });
    client.send.ready$.subscribe({ next: (value) => ready.push(value), complete: () => ready.push('|') });
    client.state$.subscribe((state) => {
      if (state.type === 'closed' && state.error !== undefined) client.open();
    });
    client.open();
    scene.server(0).send.next('a');
    expect({ seen, ready, types: scene.types }).toEqual({
      seen: ['a'],
      ready: [false, true],
      types: ['closed', 'connecting', 'closed', 'connecting', 'open'],
    });
  });

  it('goes on for those who are not told yet, when a question that errors opens it again', () => {
    const scene = new Scene([forbidden, 'open']);
    const { client } = scene;
    const seen: unknown[] = [];
    client.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('|') });
    ask(client, 'a', { match: () => true }).subscribe({ error: () => client.open() });
    client.open();
    scene.server(0).send.next('b');
    expect(seen).toEqual(['b']);
  });

  it('is what a normal end is, where that is not dialed again', () => {
    const scene = new Scene(['open'], { reconnect: { ...reconnect, repeat: false } });
    const { client } = scene;
    const seen: unknown[] = [];
    client.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('|') });
    client.open();
    scene.server(0).send.next('a');
    scene.server(0).close();
    scene.pass();
    expect({ seen, state: scene.states.at(-1), send: client.trySend('x') }).toEqual({
      seen: ['a', '|'],
      state: { type: 'closed' },
      send: 'closed',
    });
  });

  it('leaves what the last socket has left to those who hold it', () => {
    const scene = new Scene(['open', 'open'], { reconnect: { ...reconnect, repeat: false } });
    const { client } = scene;
    const seen: unknown[] = [];
    const hold = client.hold();
    client.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('|') });
    client.open();
    scene.server(0).send.next('a');
    scene.server(0).close();
    scene.pass(1);
    const held = [...seen];
    hold.unsubscribe();
    scene.pass();
    expect({ held, seen }).toEqual({ held: [], seen: ['a', '|'] });
  });

  it('is not what the end of the last lease is: it may be opened again', () => {
    const scene = new Scene(['open', 'open']);
    const { client } = scene;
    const seen: unknown[] = [];
    client.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('|') });
    client.open().unsubscribe();
    scene.settle();
    const between = client.trySend('x');
    client.open();
    scene.server(1).send.next('b');
    expect({ between, seen, got: scene.got }).toEqual({ between: 'buffered', seen: ['b'], got: [[], ['x']] });
  });

  it('comes with the signal, in a wait too', () => {
    for (const attempts of [['open' as const], [refused]]) {
      const controller = new AbortController();
      const scheduler = new VirtualTimeScheduler();
      const dialed = attempts.map((attempt) =>
        attempt === 'open' ? (connectionPair({ scheduler }).client as Connection) : attempt,
      );
      const settings = persistentSettings({ reconnect, scheduler }, () => 1);
      const client = new PersistentClient<Message, Outgoing>(testConnect(dialed, scheduler), {
        ...settings,
        signal: controller.signal,
      });
      const log: string[] = [];
      client.state$.subscribe(({ type }) => log.push(type));
      client.messages$.subscribe({ complete: () => log.push('|') });
      client.open();
      if (attempts[0] === refused) expect(log.at(-1)).toBe('waiting');
      controller.abort();
      scheduler.flush();
      expect(log.slice(-2)).toEqual(['closed', '|']);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
  });
});

describe('the end', () => {
  /** What a client says when it has ended. */
  const watch = ({ client }: Scene): string[] => {
    const log: string[] = [];
    client.messages$.subscribe({ complete: () => log.push('messages') });
    client.send.subscribe({ complete: () => log.push('send') });
    client.state$.subscribe({ complete: () => log.push('state') });
    return log;
  };

  it('comes with complete: what was sent leaves, the socket closes with 1000, all completes', () => {
    const scene = new Scene(['open']);
    const { client, got, states } = scene;
    const log = watch(scene);
    const codes: number[] = [];
    scene.server(0).close$.subscribe(({ code }) => codes.push(code));
    client.open();
    client.send.next('a');
    client.complete();
    scene.settle();
    expect({ got, codes, log: log.sort() }).toEqual({
      got: [['a']],
      codes: [1000],
      log: ['messages', 'send', 'state'],
    });
    expect(states.at(-1)).toEqual({ type: 'closed' });
  });

  it('waits until what waits has left', () => {
    const scene = new Scene([refused, 'open', 'open']);
    const { client, got, scheduler } = scene;
    const log = watch(scene);
    client.open();
    client.send.next('a');
    client.complete();
    expect(client.trySend('b')).toBe('closed');
    expect(log).toEqual([]);
    scheduler.flush();
    expect([got, log.sort()]).toEqual([
      [['a'], []],
      ['messages', 'send', 'state'],
    ]);
    expect(scene.types.filter((type) => type === 'open')).toHaveLength(1);
  });

  it.each([
    ['nothing was opened', []],
    ['it waits to dial again', [refused]],
  ])('comes at once when %s and nothing is to be sent', (_, attempts) => {
    const scene = new Scene(attempts);
    const log = watch(scene);
    if (attempts.length > 0) scene.client.open();
    scene.client.send.complete();
    expect(log.sort()).toEqual(['messages', 'send', 'state']);
  });

  it('comes when nobody holds it open any more, though something waits', () => {
    const scene = new Scene([refused]);
    const log = watch(scene);
    const lease = scene.client.open();
    scene.client.send.next('a');
    scene.client.complete();
    lease.unsubscribe();
    expect([log.sort(), scene.client.bufferedAmount]).toEqual([['messages', 'send', 'state'], 0]);
  });

  it('comes when it is given up, though something waits', () => {
    const scene = new Scene([refused, forbidden]);
    const log = watch(scene);
    scene.client.open();
    scene.client.send.next('a');
    scene.client.complete();
    scene.pass();
    expect(log.sort()).toEqual(['messages', 'send', 'state']);
    expect(scene.states.at(-1)).toEqual({ type: 'closed', error: forbidden });
  });

  it('comes at once with error, that says it to the peer, and forgets what waits', () => {
    const scene = new Scene(['open']);
    const log = watch(scene);
    const codes: number[] = [];
    scene.server(0).close$.subscribe(({ code }) => codes.push(code));
    scene.client.open();
    scene.client.send.error(Object.assign(new Error('no'), { code: 4000, reason: 'no' }));
    scene.settle();
    expect([codes, log.sort()]).toEqual([[4000], ['messages', 'send', 'state']]);
    const offline = new Scene([refused]);
    offline.client.open();
    offline.client.send.next('a');
    offline.client.send.error(new Error('no'));
    expect([offline.client.bufferedAmount, offline.client.readyState]).toEqual([0, 3]);
  });

  it('is final', () => {
    const scene = new Scene(['open', 'open']);
    const { client, types } = scene;
    client.complete();
    client.complete();
    client.send.error(new Error('no'));
    expect(client.open().closed).toBe(true);
    expect({ result: client.trySend('a'), readyState: client.readyState, types }).toEqual({
      result: 'closed',
      readyState: 3,
      types: ['closed'],
    });
    expect(watch(scene).sort()).toEqual(['messages', 'send', 'state']);
  });
});

describe('operators', () => {
  it('multiplex subscribes on each socket, what is wanted then', () => {
    const scene = new Scene(['open', 'open']);
    const { client, got } = scene;
    const seen: Message[] = [];
    const topic = (name: string) => multiplex(client, `+${name}`, `-${name}`, (message) => message === name);
    topic('a').subscribe((message) => seen.push(message));
    const left = topic('b').subscribe();
    client.open();
    scene.server(0).send.next('a');
    scene.cut(0);
    left.unsubscribe();
    scene.pass();
    scene.server(1).send.next('a');
    expect(got).toEqual([['+a', '+b'], ['+a']]);
    expect(seen).toEqual(['a', 'a']);
  });

  it('ask waits for a socket, and asks once', () => {
    const scene = new Scene([refused, 'open', 'open']);
    const { client, got, scheduler } = scene;
    const log: unknown[] = [];
    const answer = { match: (message: Message) => message === 'b', scheduler, timeout: 1_000 };
    const note = { next: (found: Message) => log.push(found), error: (error: unknown) => log.push(error) };
    client.open();
    ask(client, '1', answer).subscribe(note);
    scene.pass(100);
    scene.server(0).send.next('b');
    ask(client, '2', answer).subscribe(note);
    scene.cut(0);
    expect(log).toEqual(['b', expect.any(ConnectionClosedError)]);
    expect(got).toEqual([['1', '2'], []]);
  });

  describe('ask', () => {
    /** Notes the end of a question under its name. */
    const asked = ({ client, scheduler }: Scene, log: unknown[], name: string, options: object = {}): Subscription =>
      ask(client, name, { match: (message) => message === `${name}!`, scheduler, ...options }).subscribe({
        next: (found) => log.push(found),
        error: (error: { readonly code?: unknown; readonly message: string }) =>
          log.push([name, error.code ?? error.message]),
      });

    it('goes after all that was sent before it, and before all that was sent later', () => {
      const scene = new Scene(['open']);
      const { client, got } = scene;
      const log: unknown[] = [];
      client.send.next('1');
      asked(scene, log, '2');
      client.send.next('3');
      asked(scene, log, '4');
      multiplex(client, '+a', '-a', () => false).subscribe();
      client.open();
      asked(scene, log, '5');
      client.send.next('6');
      expect(got).toEqual([['+a', '1', '2', '3', '4', '5', '6']]);
      for (const answer of ['5!', '4!', '2!']) scene.server(0).send.next(answer);
      expect(log).toEqual(['5!', '4!', '2!']);
    });

    it('is never sent when it was left before, and gives its place back', () => {
      const scene = new Scene(['open']);
      const { client, got } = scene;
      const question = asked(scene, [], 'a');
      asked(scene, [], 'b');
      question.unsubscribe();
      client.open();
      expect([got, client.bufferedAmount]).toEqual([[['b']], 0]);
    });

    it('has a time of its own, and says that it was not sent', () => {
      const scene = new Scene([refused, refused, 'open']);
      const { client, got } = scene;
      const log: unknown[] = [];
      client.open();
      asked(scene, log, 'a', { timeout: 5 });
      asked(scene, log, 'b', { timeout: 1_000 });
      scene.pass(20);
      expect(log).toEqual([
        ['a', 'no answer came within 5 ms: the question was not sent, since no connection was open'],
      ]);
      expect(got).toEqual([['b']]);
    });

    it('asks only once, though its socket is lost', () => {
      const scene = new Scene(['open', 'open']);
      const log: unknown[] = [];
      asked(scene, log, 'a');
      scene.client.open();
      scene.cut(0);
      scene.pass(100);
      expect([scene.got, log]).toEqual([[['a'], []], [['a', 1006]]]);
    });

    it('waits for the next socket while this one closes', () => {
      const scene = new Scene(['open', 'open']);
      scene.client.open();
      (scene.pairs[0] as ConnectionPair).client.close();
      asked(scene, [], 'a');
      scene.pass(100);
      expect(scene.got).toEqual([[], ['a']]);
    });

    it('errors with the reason when what is sent before it makes the client give up', () => {
      const scene = new Scene(['open', 'open']);
      const { client } = scene;
      const log: unknown[] = [];
      client.send.next(42 as never);
      asked(scene, log, 'a');
      client.open();
      scene.pass(0);
      // The value that cannot be sent has ended the first socket, and the client with it.
      expect(log).toEqual([['a', 'UNSUPPORTED_DATA']]);
      client.open();
      expect(scene.got).toEqual([[], []]);
    });

    it('errors when too much waits: when that gives up, and when it is dropped', () => {
      for (const [overflow, expected] of [
        [
          'terminate',
          [
            ['a', 'BUFFER_FULL'],
            ['b', 'BUFFER_FULL'],
          ],
        ],
        ['drop-newest', [['b', 'ASK_DROPPED']]],
      ]) {
        const scene = new Scene([], { offlineBuffer: 200, overflow });
        const log: unknown[] = [];
        asked(scene, log, 'a');
        asked(scene, log, 'b');
        expect(log).toEqual(expected);
      }
      const scene = new Scene([], { offlineBuffer: 200, overflow: 'drop-oldest' });
      const log: unknown[] = [];
      asked(scene, log, 'a');
      scene.client.send.next('b');
      expect(log).toEqual([['a', 'ASK_DROPPED']]);
    });

    it('errors when the client has ended, or ends first', () => {
      const scene = new Scene([]);
      const log: unknown[] = [];
      asked(scene, log, 'a');
      scene.client.complete();
      asked(scene, log, 'b');
      expect(log).toEqual([
        ['a', 1006],
        ['b', 1006],
      ]);
    });

    it('is blocked by what nobody reads, and not with ignoreMessages, on every socket', () => {
      for (const ignores of [false, true]) {
        const scene = new Scene(['open', 'open']);
        const { client } = scene;
        const log: unknown[] = [];
        if (ignores) client.ignoreMessages();
        client.open();
        scene.cut(0);
        scene.pass(100);
        for (let i = 0; i < 3; i++) scene.server(1).send.next('.'.repeat(60_000));
        asked(scene, log, 'a');
        scene.server(1).send.next('a!');
        scene.pass(100);
        expect(log).toEqual([ignores ? 'a!' : ['a', 'ASK_BLOCKED']]);
      }
    });
  });

  it('ignoreMessages discards until it is unsubscribed', () => {
    const scene = new Scene(['open']);
    const { client } = scene;
    const ignoring = client.ignoreMessages();
    client.open();
    scene.server(0).send.next('a');
    ignoring.unsubscribe();
    scene.server(0).send.next('b');
    const seen: Message[] = [];
    client.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['b']);
  });

  it('ask errors when there will be no socket any more', () => {
    const { client } = new Scene([]);
    const errors: unknown[] = [];
    ask(client, 'q', { match: () => true }).subscribe({ error: (error: unknown) => errors.push(error) });
    client.complete();
    expect(errors).toEqual([expect.any(ConnectionClosedError)]);
  });

  it('keepAlive watches each socket, and a silent one is dialed again', () => {
    const scene = new Scene(['open', 'open']);
    const { client, got, scheduler } = scene;
    const errors: unknown[] = [];
    keepAlive(client, { message: 'p', interval: 100, timeout: 50, scheduler }).subscribe({
      error: (error: unknown) => errors.push(error),
    });
    client.open();
    scene.pass(200);
    expect(scene.types.slice(1)).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);
    expect([got, errors]).toEqual([[['p'], []], []]);
  });

  it('keepAlive errors with what the application throws', () => {
    const { client, scheduler } = new Scene(['open']);
    const errors: unknown[] = [];
    const message = (): never => {
      throw forbidden;
    };
    keepAlive(client, { message, scheduler }).subscribe({ error: (error: unknown) => errors.push(error) });
    client.open();
    scheduler.flush();
    expect(errors).toEqual([forbidden]);
    expect(client.readyState).toBe(1);
    client.messages$.subscribe(nothing);
  });

  it('work on typed connections too: values wait, are asked and subscribed as values', () => {
    const scheduler = new VirtualTimeScheduler();
    const [one, other] = [connectionPair({ scheduler }), connectionPair({ scheduler })];
    const got = [one, other].map(({ server }) => {
      const messages: Message[] = [];
      server.messages$.subscribe((message) => messages.push(message));
      return messages;
    });
    const dial = testConnect<Connection>([one.client as Connection, other.client as Connection], scheduler);
    const client = persistent(dial.pipe(map(withCodec(json()))), { reconnect, scheduler });
    const belongs = (value: unknown): boolean => (value as { of?: string }).of === 'a';
    const seen: unknown[] = [];
    for (const name of ['first', 'second'])
      multiplex(client, { sub: 'a' }, { unsub: 'a' }, belongs).subscribe((value) => seen.push([name, value]));
    const answers: unknown[] = [];
    const match = (value: unknown): boolean => (value as { id?: number }).id === 1;
    client.send.next({ waited: true });
    client.open();
    ask(client, { id: 1 }, { match, scheduler }).subscribe((answer) => answers.push(answer));
    one.server.send.next('{"of":"a","n":1}');
    one.server.send.next('{"id":1,"ok":true}');
    reset(one.server);
    scheduler.flush();
    expect(got).toEqual([['{"sub":"a"}', '{"waited":true}', '{"id":1}'], ['{"sub":"a"}']]);
    expect(answers).toEqual([{ id: 1, ok: true }]);
    expect(seen).toEqual(['first', 'second'].map((name) => [name, { of: 'a', n: 1 }]));
  });
});
