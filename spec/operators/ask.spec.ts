import { expectTypeOf } from 'expect-type';
import {
  concatMap,
  firstValueFrom,
  merge,
  mergeMap,
  type Observable,
  range,
  type Subscription,
  TimeoutError,
  take,
  toArray,
} from 'rxjs';
import {
  type AskOptions,
  ask,
  type Connection,
  ConnectionClosedError,
  demandMap,
  json,
  type Message,
  serve,
  UsageError,
  withCodec,
} from 'sluice';
import { connectionPair } from 'sluice/testing';
import { endAfterEach } from '../support/end-after-each.js';
import { close, text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { marbleConnection } from '../support/marble-connection.js';
import { marbles } from '../support/marbles.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

const MANY = 20_000;
const late = (message: string): Error => Object.assign(new TimeoutError(), { message });
const one = (): number => 1;
const is = (wanted: string) => (message: Message) => message === wanted;

interface Id {
  readonly id: number;
}

describe('ask', () => {
  const end = endAfterEach();

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
        expectObservable(answer$).toBe('-----#', undefined, late('no answer came within 5 ms'));
        expectObservable(connection.messages$).toBe('--a----b');
      }));

    it('comes after 30 s by default', () =>
      marbles((helpers) => {
        const { expectObservable, scheduler } = helpers;
        const { connection } = marbleConnection(helpers, '-');
        expectObservable(ask(connection, 'q', { match: is('b'), scheduler })).toBe(
          '30s #',
          undefined,
          late('no answer came within 30000 ms'),
        );
      }));

    it('never comes by itself with an infinite timeout', () => {
      marbles((helpers) => {
        const { connection } = marbleConnection(helpers, '99m b');
        const { scheduler } = helpers;
        const answer$ = ask(connection, 'q', { match: is('b'), timeout: Number.POSITIVE_INFINITY, scheduler });
        helpers.expectObservable(answer$).toBe('99m (b|)');
      });
    });

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

  describe('by key', () => {
    const idOf = (message: Message): unknown => Number(String(message).split(' ')[0]);

    it('finds the answer among a thousand questions, with one call of the key for each message', () => {
      const { connection, peer } = memoryConnection();
      let calls = 0;
      const key = (message: Message): unknown => {
        calls++;
        return idOf(message);
      };
      const answers: Message[] = [];
      for (let id = 1; id <= 1_000; id++) {
        const asking = ask(connection, `${id}`, { key, equals: id }).subscribe((answer) => answers.push(answer));
        end(() => asking.unsubscribe());
      }
      peer(text('700 a'), text('news'), text('3 b'), text('3 c'));
      const seen: Message[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      expect({ answers, seen, calls }).toEqual({ answers: ['700 a', '3 b'], seen: ['news', '3 c'], calls: 4 });
    });

    it('gives the first answer to the oldest question, by key or not', () => {
      const { connection, peer } = memoryConnection();
      const answers: string[] = [];
      const note = (name: string) => (answer: Message) => answers.push(`${name}: ${answer}`);
      ask(connection, 'q', { match: is('1 c') }).subscribe(note('match'));
      for (const name of ['first', 'second']) ask(connection, name, { key: idOf, equals: 1 }).subscribe(note(name));
      ask(connection, 'q', { match: () => true }).subscribe(note('any'));
      peer(text('1 a'), text('1 b'), text('1 c'), text('1 d'));
      expect(answers).toEqual(['first: 1 a', 'second: 1 b', 'match: 1 c', 'any: 1 d']);
    });

    it('errors all its questions with what the key throws, and the message stays', () => {
      const { connection, peer } = memoryConnection();
      const failure = new Error('no JSON');
      const key = (): number => {
        throw failure;
      };
      const errors: unknown[] = [];
      for (const equals of [1, 2])
        ask(connection, 'q', { key, equals }).subscribe({
          error: (error: unknown) => errors.push(error),
        });
      peer(text('a'));
      const seen: Message[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      expect([errors, seen]).toEqual([[failure, failure], ['a']]);
    });

    it('sees only what comes after it when it is opened in key, match or an answer; nothing once it is left there', () => {
      const { connection, peer } = memoryConnection();
      const log: string[] = [];
      const question = (name: string, options: AskOptions<Message>): Subscription =>
        ask(connection as Connection, name, options).subscribe((answer) => log.push(`${name}: ${answer}`));
      let isDone = false;
      const key = (message: Message): unknown => {
        if (!isDone) {
          isDone = true;
          left.unsubscribe();
          question('opened', { key: idOf, equals: 1 });
        }
        return idOf(message);
      };
      const trigger = question('trigger', { key, equals: -1 });
      const left = question('left', { match: () => true });
      peer(text('1 a'), text('1 b'));
      trigger.unsubscribe();
      expect(log).toEqual(['opened: 1 b']);
    });

    it('has no answer when match itself unsubscribes', () => {
      const { connection, peer } = memoryConnection();
      const answers: Message[] = [];
      const match = (): boolean => {
        asking.unsubscribe();
        return true;
      };
      const asking = ask(connection, 'q', { match }).subscribe((answer) => answers.push(answer));
      peer(text('a'));
      connection.messages$.subscribe((message) => answers.push(`kept: ${message}`));
      expect(answers).toEqual(['kept: a']);
    });
  });

  describe('that cannot be answered', () => {
    const highWaterMark = 1_000;
    const fill = text('.'.repeat(highWaterMark));

    it('errors in the same turn when all room is used up and nobody subscribes', () => {
      const errors: unknown[] = [];
      marbles((helpers) => {
        const { scheduler } = helpers;
        const { connection, peer } = memoryConnection({ scheduler, highWaterMark });
        peer(fill, fill, fill);
        const note = { error: (error: unknown) => errors.push([scheduler.now(), error]) };
        ask(connection, 'q', { match: is('b'), scheduler }).subscribe(note);
        ask(connection, 'q', { key: (message) => message, equals: 'b', scheduler }).subscribe(note);
      });
      const error = {
        name: 'UsageError',
        code: 'ASK_BLOCKED',
        message:
          'the answer cannot be read: 3264 bytes of messages wait before it, and nothing subscribes to messages$; ' +
          'subscribe to it, or discard what comes with ignoreMessages()',
      };
      expect(errors).toMatchObject([
        [0, error],
        [0, error],
      ]);
    });

    it('errors when the room is used up while it waits, and when the last subscriber or hold leaves a full inbox', () => {
      const cases: Record<string, (scene: MemoryConnection) => () => void> = {
        'more comes': ({ peer }) => {
          peer(fill);
          return () => peer(fill, fill);
        },
        'the only subscriber leaves': ({ connection, peer }) => {
          const hold = connection.hold();
          connection.messages$.pipe(take(1)).subscribe();
          peer(fill, fill, fill, fill, fill);
          return () => hold.unsubscribe();
        },
        'the hold is released': ({ connection, peer }) => {
          const hold = connection.hold();
          peer(fill, fill, fill);
          return () => hold.unsubscribe();
        },
      };
      for (const [name, prepare] of Object.entries(cases)) {
        const log: unknown[] = [];
        marbles((helpers) => {
          const { scheduler } = helpers;
          const scene = memoryConnection({ scheduler, highWaterMark });
          const { connection } = scene;
          const release = prepare(scene);
          ask(connection, 'q', { match: is('b'), scheduler }).subscribe({
            error: ({ code }: UsageError) => log.push(name, scheduler.now(), code),
          });
          scheduler.schedule(release, 100);
        });
        expect(log).toEqual([name, 100, 'ASK_BLOCKED']);
      }
    });

    it('waits where somebody subscribes in the same turn, or a hold is taken: its answer comes behind the others', () => {
      const answers: unknown[] = [];
      marbles((helpers) => {
        const { scheduler } = helpers;
        const { connection, peer } = memoryConnection({ scheduler, highWaterMark });
        peer(fill, fill, fill);
        const asked$ = ask(connection, 'q', { match: is('b'), scheduler });
        const note = (answer: Message): void => void answers.push([scheduler.now(), answer]);
        asked$.subscribe(note);
        const subscription = connection.messages$.subscribe();
        const hold = connection.hold();
        // One after the other, as with firstValueFrom.
        subscription.unsubscribe();
        connection.messages$.subscribe();
        peer(fill, fill, fill, text('b'), text('b'));
        scheduler.schedule(() => asked$.subscribe(note), 10);
        scheduler.schedule(() => hold.unsubscribe(), 20_000);
      });
      expect(answers).toEqual([
        [20_000, 'b'],
        [20_000, 'b'],
      ]);
    });

    it('says at its timeout that a hold kept the answer back', () => {
      const errors: unknown[] = [];
      marbles((helpers) => {
        const { scheduler } = helpers;
        const { connection, peer } = memoryConnection({ scheduler, highWaterMark });
        connection.messages$.subscribe();
        connection.hold();
        ask(connection, 'q', { match: is('b'), timeout: 50, scheduler }).subscribe({
          error: (error: unknown) => errors.push(error),
        });
        peer(fill, fill, fill);
      });
      const message =
        'no answer came within 50 ms: 3264 bytes of messages wait before it, and a hold keeps them back; release it sooner';
      expect(errors).toEqual([late(message)]);
    });

    it('is answered while the connection closes, when everything is read', () => {
      const log: unknown[] = [];
      marbles((helpers) => {
        const { scheduler } = helpers;
        const { connection, peer } = memoryConnection({ scheduler, highWaterMark });
        peer(fill);
        ask(connection, 'q', { match: is('b'), scheduler }).subscribe({
          next: (answer) => log.push(answer),
          error: (error: unknown) => log.push(error),
        });
        peer(fill);
        connection.close();
        peer(fill, text('b'));
      });
      expect(log).toEqual(['b']);
    });

    it('reads no further ahead once it has ended', () => {
      const { connection, peer, port } = memoryConnection({ highWaterMark });
      const open = ask(connection, 'q', { match: is('b') }).subscribe();
      const other = ask(connection, 'q', { match: is('c') }).subscribe();
      peer(fill);
      expect(port.isPaused).toBe(false);
      open.unsubscribe();
      other.unsubscribe();
      peer(fill);
      expect(port.isPaused).toBe(true);
    });

    it('errors at once when overflow drops it', () => {
      const { connection, port } = memoryConnection({ overflow: 'drop-newest', maxBufferedAmount: 10 });
      port.block();
      connection.send.next('0123456');
      const errors: unknown[] = [];
      ask(connection, 'q', { match: is('b') }).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([expect.objectContaining({ name: 'UsageError', code: 'ASK_DROPPED' })]);
    });
  });

  it('decodes a message once for all questions and subscribers of a typed connection', () => {
    const { client, server } = connectionPair();
    let decoded = 0;
    const codec = json<Id>();
    const counting = {
      ...codec,
      decode: (message: Message) => {
        decoded++;
        return codec.decode(message);
      },
    };
    const typed = withCodec(counting)(client);
    const seen: unknown[] = [];
    const answers: unknown[] = [];
    typed.messages$.subscribe((value) => seen.push(value));
    for (let id = 0; id < 10; id++) {
      for (const options of [{ match: (value: Id) => value.id === id }, { key: (value: Id) => value.id, equals: id }]) {
        const asking = ask<Id, Id>(typed, { id }, options).subscribe((answer) => answers.push(answer));
        end(() => asking.unsubscribe());
      }
    }
    for (const id of [3, 77, 3, 3]) server.send.next(`{"id":${id}}`);
    expect({ answers, seen, decoded }).toEqual({
      answers: [{ id: 3 }, { id: 3 }],
      seen: [{ id: 77 }, { id: 3 }],
      decoded: 4,
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
      const frames = Array.from({ length: MANY / 10 }, () => text('a'));
      for (let i = 0; i < 10; i++) peer(...frames);
      peer(text('b'));
      while (answers.length === 0) turn();
      expect([others, answers]).toEqual([MANY, ['b']]);
    });
  });

  it.each([
    [{}, TypeError, 'specify match or key, a function: got neither'],
    [{ match: 'b' }, TypeError, 'match must be a function, got "b"'],
    [{ key: 'id', equals: 1 }, TypeError, 'key must be a function, got "id"'],
    [{ key: one }, TypeError, 'equals must be the key of the answer, got undefined'],
    [{ key: one, equals: null }, TypeError, 'equals must be the key of the answer, got null'],
    [{ match: is('b'), key: one, equals: 1 }, TypeError, 'specify either match, or key and equals: got both'],
    [{ match: is('b'), equals: 1 }, TypeError, 'specify either match, or key and equals: got both'],
    [
      { match: () => true, timeout: 0 },
      RangeError,
      'timeout must be a number from 1 to 2147483647, or Infinity, got 0',
    ],
    [
      { match: is('b'), timeout: '5' },
      TypeError,
      'timeout must be a number from 1 to 2147483647, or Infinity, got "5"',
    ],
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
    const key = (message: object): number | undefined => ('id' in message ? Number(message.id) : undefined);
    expectTypeOf(ask(conn, { ask: 'a' }, { key, equals: 7 })).toEqualTypeOf<
      Observable<{ id: number } | { text: string }>
    >();
    // @ts-expect-error keys are numbers
    expectTypeOf(ask(conn, { ask: 'a' }, { key, equals: '7' })).toBeObject();
    // @ts-expect-error a key has a value
    expect(() => ask(conn, { ask: 'a' }, { key })).toThrow(TypeError);
    // @ts-expect-error exactly one of them
    expect(() => ask(conn, { ask: 'a' }, { key, equals: 7, match: isText })).toThrow(TypeError);
    const either = { key, equals: 7 } as AskOptions<{ id: number } | { text: string }>;
    expectTypeOf(ask(conn, { ask: 'a' }, either)).toEqualTypeOf<Observable<{ id: number } | { text: string }>>();
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
