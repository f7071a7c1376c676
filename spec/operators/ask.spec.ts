import { expectTypeOf } from 'expect-type';
import { concatMap, firstValueFrom, merge, mergeMap, type Observable, range, TimeoutError, take, toArray } from 'rxjs';
import { ask, type Connection, ConnectionClosedError, demandMap, type Message, serve, UsageError } from 'sluice';
import { close, text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { marbleConnection } from '../support/marble-connection.js';
import { marbles } from '../support/marbles.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

const MANY = 200_000;
const is = (wanted: string) => (message: Message) => message === wanted;

describe('ask', () => {
  it('sends the question, and emits the answer when it comes; the rest is for others', () =>
    marbles((helpers) => {
      const { expectObservable, scheduler } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '--a---b-b');
      const answer = '                                         ------(b|)';
      const others = '                                         --a-----b';
      expectObservable(sent$).toBe('                           q---------');
      expectObservable(connection.messages$).toBe(others);
      expectObservable(ask(connection, 'q', { match: is('b'), scheduler })).toBe(answer);
    }));

  it('does nothing until it is subscribed to, and asks anew for each subscription', () =>
    marbles((helpers) => {
      const { cold, expectObservable, scheduler } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '----b--b');
      const answer$ = ask(connection, 'q', { match: is('b'), scheduler });
      expectObservable(sent$).toBe('--q--q--');
      expectObservable(cold('--x|').pipe(concatMap(() => answer$))).toBe('----(b|)');
      expectObservable(cold('-----x|').pipe(concatMap(() => answer$))).toBe('-------(b|)');
    }));

  describe('its end', () => {
    it('is a TimeoutError when no answer has come in time', () =>
      marbles((helpers) => {
        const { expectObservable, scheduler } = helpers;
        const { connection } = marbleConnection(helpers, '--a----b');
        const answer$ = ask(connection, 'q', { match: is('b'), timeout: 5, scheduler });
        expectObservable(answer$).toBe('-----#', undefined, new TimeoutError({ meta: null, lastValue: null, seen: 0 }));
        expectObservable(connection.messages$).toBe('--a----b');
      }));

    it('comes after 30 s by default', () =>
      marbles((helpers) => {
        const { expectObservable, scheduler } = helpers;
        const { connection } = marbleConnection(helpers, '-');
        expectObservable(ask(connection, 'q', { match: is('b'), scheduler })).toBe(
          '30s #',
          undefined,
          new TimeoutError(),
        );
      }));

    it.each([
      ['the peer closes', '--a--|', { code: 1000, wasClean: true }],
      ['the connection is lost', '--a--#', { code: 1006, wasClean: false }],
    ])('is a ConnectionClosedError when %s', (_, received, info) => {
      const errors: unknown[] = [];
      marbles((helpers) => {
        const { connection } = marbleConnection(helpers, received);
        ask(connection, 'q', { match: is('b'), scheduler: helpers.scheduler }).subscribe({
          error: (error: unknown) => errors.push([helpers.scheduler.now(), error]),
        });
      });
      expect(errors).toEqual([[5, expect.any(ConnectionClosedError)]]);
      expect(errors[0]).toMatchObject([5, info]);
    });

    it('is there at once on a connection that has ended, and nothing is sent', () => {
      const { connection, port } = memoryConnection();
      port.reset();
      const { length } = port.writes;
      const errors: unknown[] = [];
      ask(connection, 'q', { match: is('b') }).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([expect.objectContaining({ code: 1006, cause: expect.any(Error) })]);
      expect(port.writes).toHaveLength(length);
    });

    it('is what match throws, and the message stays', () => {
      const { connection, peer } = memoryConnection();
      const failure = new Error('no JSON');
      const errors: unknown[] = [];
      const match = (): boolean => {
        throw failure;
      };
      ask(connection, 'q', { match }).subscribe({ error: (error: unknown) => errors.push(error) });
      peer(text('a'), text('b'));
      const seen: Message[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      expect([errors, seen]).toEqual([[failure], ['a', 'b']]);
    });

    it('is a UsageError for a message that cannot be sent, and the connection stays open', () => {
      const { connection } = memoryConnection();
      const errors: unknown[] = [];
      ask(connection, 42 as never, { match: is('b') }).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([expect.any(UsageError)]);
      expect(connection.readyState).toBe(1);
    });

    it('is forgotten when it is unsubscribed: a late answer is an ordinary message', () =>
      marbles((helpers) => {
        const { expectObservable, scheduler } = helpers;
        const { connection } = marbleConnection(helpers, '----b');
        expectObservable(ask(connection, 'q', { match: is('b'), scheduler }), '--!').toBe('---');
        expectObservable(connection.messages$).toBe('----b');
      }));
  });

  describe('the inbox', () => {
    it('keeps all other messages for those who come later, in order', () => {
      const { connection, peer } = memoryConnection();
      const answers: Message[] = [];
      ask(connection, 'q', { match: is('b') }).subscribe((answer) => answers.push(answer));
      peer(text('a'), text('b'), text('c'));
      const seen: Message[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      expect([answers, seen]).toEqual([['b'], ['a', 'c']]);
    });

    it('is overtaken by the answer: a hold does not keep it back', () => {
      const { connection, peer } = memoryConnection();
      const seen: Message[] = [];
      const answers: Message[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      const hold = connection.hold();
      ask(connection, 'q', { match: is('b') }).subscribe((answer) => answers.push(answer));
      peer(text('a'), text('b'));
      expect([answers, seen]).toEqual([['b'], []]);
      hold.unsubscribe();
      expect(seen).toEqual(['a']);
    });

    it('lets work that holds its connection ask on the same connection', () => {
      const { connection, peer } = memoryConnection();
      const results: string[] = [];
      const priced = (order: Message): Observable<Message> => ask(connection, `price of ${order}`, { match: is('9') });
      connection.messages$
        .pipe(demandMap((order) => priced(order).pipe(mergeMap((price) => [`${order} at ${price}`]))))
        .subscribe((result) => results.push(result));
      peer(text('x'), text('y'), text('9'));
      peer(text('9'));
      expect(results).toEqual(['x at 9', 'y at 9']);
    });

    it('has room behind a full inbox while a question is open, up to twice the mark', () => {
      const [highWaterMark, size] = [10_000, 1_000];
      const { connection, peer, port } = memoryConnection({ highWaterMark });
      const other = text('.'.repeat(size));
      for (let i = 0; i < 12; i++) peer(other);
      expect(port.isPaused).toBe(true);
      const answers: Message[] = [];
      ask(connection, 'q', { match: is('b') }).subscribe((answer) => answers.push(answer));
      expect(port.isPaused).toBe(false);
      for (let i = 0; i < 4; i++) peer(other);
      peer(text('b'));
      expect(answers).toEqual(['b']);
      expect(connection.stats.inboxBytes).toBeGreaterThan(highWaterMark);

      // Without an answer it ends there, until messages are taken.
      const open = ask(connection, 'q', { match: is('b') }).subscribe((answer) => answers.push(answer));
      for (let i = 0; i < 20; i++) peer(other);
      peer(text('b'));
      expect(port.isPaused).toBe(true);
      expect(connection.stats.inboxBytes).toBeLessThan(2 * highWaterMark + 2 * (size + 128));
      expect(answers).toEqual(['b']);
      open.unsubscribe();
    });

    it('gives the answer to one of several questions only, to the oldest that it fits', () => {
      const { connection, peer } = memoryConnection();
      const answers: string[] = [];
      for (const name of ['first', 'second'])
        ask(connection, name, { match: is('b') }).subscribe((answer) => answers.push(`${name}: ${answer}`));
      ask(connection, 'third', { match: is('c') }).subscribe((answer) => answers.push(`third: ${answer}`));
      peer(text('c'), text('b'), text('b'), text('b'));
      const seen: Message[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      expect([answers, seen]).toEqual([['third: c', 'first: b', 'second: b'], ['b']]);
    });

    it('answers while we close', () => {
      const { connection, peer } = memoryConnection();
      const answers: Message[] = [];
      ask(connection, 'q', { match: is('b') }).subscribe({ next: (answer) => answers.push(answer), error: () => {} });
      connection.close();
      peer(text('a'), text('b'), close(1000));
      expect(answers).toEqual(['b']);
    });
  });

  describe('reentrancy', () => {
    it('may ask again while an answer is delivered', () => {
      const { connection, peer, port } = memoryConnection();
      const answers: Message[] = [];
      ask(connection, '1', { match: is('a') }).subscribe((first) => {
        answers.push(first);
        ask(connection, '2', { match: is('a') }).subscribe((second) => answers.push(second));
      });
      peer(text('a'), text('a'));
      expect(answers).toEqual(['a', 'a']);
      expect(port.frames.map(({ payload }) => payload.toString())).toEqual(['1', '2']);
    });

    it('asks many times in a row without growing the stack', () => {
      const { connection, peer } = memoryConnection();
      let count = 0;
      const answer = [text('b')];
      connection.send.subscribe(() => peer(...answer));
      range(0, MANY)
        .pipe(concatMap(() => ask(connection, 'q', { match: is('b'), timeout: 1_000 })))
        .subscribe(() => count++);
      expect(count).toBe(MANY);
    }, 60_000);

    it('finds its answer behind many other messages of one read', () => {
      const { connection, peer, turn } = memoryConnection();
      let others = 0;
      const answers: Message[] = [];
      connection.messages$.subscribe(() => others++);
      ask(connection, 'q', { match: is('b') }).subscribe((answer) => answers.push(answer));
      const frames = Array.from({ length: 20_000 }, () => text('a'));
      for (let i = 0; i < 10; i++) peer(...frames);
      peer(text('b'));
      while (answers.length === 0) turn();
      expect([others, answers]).toEqual([MANY, ['b']]);
    });
  });

  it.each([
    [{}, TypeError, 'match is undefined, allowed is a function'],
    [{ match: 'b' }, TypeError, 'match is string, allowed is a function'],
    [{ match: () => true, timeout: 0 }, RangeError, 'timeout is 0, allowed are numbers from 1 to 2147483647'],
  ])('refuses %p at the call', (options, type, message) => {
    const { connection } = memoryConnection();
    expect(() => ask(connection, 'q', options as never)).toThrow(type);
    expect(() => ask(connection, 'q', options as never)).toThrow(message);
  });

  it('errors with NOT_INTERCEPTABLE on a connection that is not of ours', () => {
    const errors: unknown[] = [];
    ask({} as Connection, 'q', { match: is('b') }).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([expect.objectContaining({ name: 'UsageError', code: 'NOT_INTERCEPTABLE' })]);
  });

  it('has the type of the messages, or of what match says', () => {
    const conn = {} as Connection<unknown, { id: number } | { text: string }, { ask: string }>;
    const isText = (message: object): message is { text: string } => 'text' in message;
    expectTypeOf(ask(conn, { ask: 'a' }, { match: (message) => Object.keys(message).length > 0 })).toEqualTypeOf<
      Observable<{ id: number } | { text: string }>
    >();
    expectTypeOf(ask(conn, { ask: 'a' }, { match: isText })).toEqualTypeOf<Observable<{ text: string }>>();
    // @ts-expect-error the connection sends objects
    expectTypeOf(ask(conn, 'a', { match: isText })).toBeObject();
  });
});

describe('ask over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('finds a hundred answers that come in another order, among other messages, without a subscriber', async () => {
    const count = 100;
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(
        mergeMap(async (conn) => {
          const questions = await firstValueFrom(conn.messages$.pipe(take(count), toArray()));
          for (const question of questions.reverse()) {
            conn.send.next('news');
            conn.send.next(`answer to ${question}`);
          }
        }),
      ),
    );
    const client = await loopback.connect(url);
    const questions = Array.from({ length: count }, (_, id) => `${id}`);
    const answers$ = merge(...questions.map((id) => ask(client, id, { match: is(`answer to ${id}`) })));
    const answers = await firstValueFrom(answers$.pipe(toArray()));
    expect(answers).toEqual([...questions].reverse().map((id) => `answer to ${id}`));
    const others = await firstValueFrom(client.messages$.pipe(take(count), toArray()));
    expect(new Set(others)).toEqual(new Set(['news']));
  });
});
