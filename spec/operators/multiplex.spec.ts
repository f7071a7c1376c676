import { expectTypeOf } from 'expect-type';
import {
  firstValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  range,
  take,
  takeUntil,
  timer,
  toArray,
} from 'rxjs';
import { type Connection, handleConnections, type Message, message, multiplex, serve } from 'sluice';
import { messageKey } from '../../src/operators/multiplex.js';
import { text } from '../support/frames.js';
import { Loopback } from '../support/loopback.js';
import { marbleConnection } from '../support/marble-connection.js';
import { marbles } from '../support/marbles.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

const MANY = 20_000;
const is =
  (...wanted: string[]) =>
  (message: Message) =>
    wanted.includes(String(message));
const substream = (conn: Connection, name: string): Observable<Message> =>
  multiplex(conn, `+${name}`, `-${name}`, is(name));

describe('multiplex', () => {
  it('sends both messages around one substream, and passes what belongs to it', () =>
    marbles((helpers) => {
      const { expectObservable } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '-a-b-a--a-');
      expectObservable(sent$).toBe('                           S------U--', { S: '+a', U: '-a' });
      expectObservable(substream(connection, 'a'), '           ^------!').toBe('-a---a');
    }));

  it('sends them once for all who want the same, from the first to the last', () =>
    marbles((helpers) => {
      const { expectObservable, cold } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '-a-a-a-a-a-');
      const later$ = cold('                                    --x').pipe(mergeMap(() => substream(connection, 'a')));
      expectObservable(sent$).toBe('                           S-------U--', { S: '+a', U: '-a' });
      expectObservable(substream(connection, 'a'), '           ^---!').toBe('-a-a');
      expectObservable(later$, '                               ^-------!').toBe('---a-a-a');
    }));

  it('subscribes again when somebody comes back', () =>
    marbles((helpers) => {
      const { expectObservable } = helpers;
      const { connection, sent$ } = marbleConnection(helpers, '-a-a-a-');
      expectObservable(sent$).toBe('                           S-U-S-U', { S: '+a', U: '-a' });
      expectObservable(substream(connection, 'a'), '           ^-!').toBe('-a');
      // What came while nobody wanted messages has waited.
      expectObservable(substream(connection, 'a'), '           ----^-!').toBe('----aa');
    }));

  it('counts different substreams, and different connections, apart', () =>
    marbles((helpers) => {
      const { expectObservable } = helpers;
      const one = marbleConnection(helpers, '       -a-b-');
      const other = marbleConnection(helpers, '     -a-b-');
      expectObservable(one.sent$).toBe('            (ab)-', { a: '+a', b: '+b' });
      expectObservable(other.sent$).toBe('          a----', { a: '+a' });
      expectObservable(substream(one.connection, 'a')).toBe('-a---');
      expectObservable(substream(one.connection, 'b')).toBe('---b-');
      expectObservable(substream(other.connection, 'a')).toBe('-a---');
    }));

  it('takes messages that are equal as JSON for the same', () => {
    const sent: unknown[] = [];
    const { connection } = memoryConnection();
    const conn = {
      ...connection,
      messages$: connection.messages$,
      readyState: 1,
      send: { next: (m: unknown) => sent.push(m) },
    };
    const typed = conn as never as Connection<unknown, Message, object>;
    const all = (): boolean => true;
    const both = [1, 2].map(() => multiplex(typed, { sub: 'a' }, { unsub: 'a' }, all).subscribe());
    for (const each of both) each.unsubscribe();
    expect(sent).toEqual([{ sub: 'a' }, { unsub: 'a' }]);
  });

  describe('its end', () => {
    it.each([
      ['completes when the peer closes, and sends no more', '-a-|'],
      ['completes when the connection is lost', '-a-#'],
    ])('%s', (_, received) =>
      marbles((helpers) => {
        const { expectObservable } = helpers;
        const { connection, sent$ } = marbleConnection(helpers, received);
        expectObservable(sent$).toBe('S--|', { S: '+a' });
        expectObservable(substream(connection, 'a')).toBe('-a-|');
      }),
    );

    it('sends the second message when it is completed from outside while open', () =>
      marbles((helpers) => {
        const { expectObservable } = helpers;
        const { connection, sent$ } = marbleConnection(helpers, '-a-a-a-a');
        expectObservable(sent$).toBe('                           S--U----', { S: '+a', U: '-a' });
        expectObservable(substream(connection, 'a').pipe(take(2))).toBe('-a-(a|)');
      }));

    it('errors with what the filter throws, which counts as leaving', () =>
      marbles((helpers) => {
        const { expectObservable } = helpers;
        const failure = new Error('no JSON');
        const { connection, sent$ } = marbleConnection(helpers, '--a--');
        const broken$ = multiplex(connection as Connection, '+a', '-a', () => {
          throw failure;
        });
        expectObservable(sent$).toBe('S-U--', { S: '+a', U: '-a' });
        expectObservable(broken$).toBe('--#', undefined, failure);
      }));

    it('sends nothing on a connection that is closing', () => {
      const { connection, port } = memoryConnection();
      const subscription = substream(connection, 'a').subscribe();
      connection.close();
      subscription.unsubscribe();
      substream(connection, 'b').subscribe();
      expect(port.frames.map(({ opcode }) => opcode)).toEqual([0x1, 0x8]);
    });

    it('completes at once on a connection that has ended', () => {
      const { connection, port } = memoryConnection();
      connection.messages$.subscribe();
      port.reset();
      let completed = 0;
      substream(connection, 'a').subscribe({ complete: () => completed++ });
      expect(completed).toBe(1);
    });
  });

  it('listens before it sends: an answer that comes at once is not missed', () => {
    const { connection, peer } = memoryConnection();
    connection.send.subscribe((sent) => sent === '+a' && peer(text('a')));
    const seen: Message[] = [];
    substream(connection, 'a').subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a']);
  });

  describe('reentrancy', () => {
    it('unsubscribes at the peer though it is left while the first message is sent', () => {
      const { connection, peer, port } = memoryConnection();
      connection.send.subscribe((sent) => sent === '+a' && peer(text('a')));
      substream(connection, 'a').pipe(take(1)).subscribe();
      expect(port.frames.map(({ payload }) => payload.toString())).toEqual(['+a', '-a']);
    });

    it('sends once though a message that waits makes others subscribe', () => {
      const { connection, peer, port } = memoryConnection();
      peer(text('a'));
      const seen: string[] = [];
      substream(connection, 'a').subscribe(() => {
        seen.push('outer');
        substream(connection, 'a').subscribe(() => seen.push('inner'));
      });
      peer(text('x'));
      expect(port.frames.map(({ payload }) => payload.toString())).toEqual(['+a']);
      expect(seen).toEqual(['outer']);
    });

    it('passes many messages of one read, and many subscribers come and go, without growing the stack', () => {
      const { connection, peer, turn } = memoryConnection();
      let count = 0;
      const many = substream(connection, 'a').subscribe(() => count++);
      const frames = Array.from({ length: MANY / 10 }, () => text('a'));
      for (let i = 0; i < 10; i++) peer(...frames);
      peer(text('b'));
      while (count < MANY) turn();
      many.unsubscribe();
      range(0, MANY / 10)
        .pipe(mergeMap(() => substream(connection, 'b').pipe(takeUntil(of(1)))))
        .subscribe();
      expect(count).toBe(MANY);
    });
  });

  it('refuses a filter that is none at the call', () => {
    const { connection } = memoryConnection();
    expect(() => multiplex(connection as Connection, 'a', 'b', undefined as never)).toThrow(TypeError);
    expect(() => multiplex(connection as Connection, 'a', 'b', 'c' as never)).toThrow(
      'filter must be a function, got "c"',
    );
  });

  it('has the type of the messages, or of what the filter says', () => {
    const { connection } = memoryConnection();
    const isText = (message: Message): message is string => typeof message === 'string';
    expectTypeOf(substream(connection, 'a')).toEqualTypeOf<Observable<Message>>();
    expectTypeOf(multiplex(connection as Connection, 'a', 'b', isText)).toEqualTypeOf<Observable<string>>();
  });
});

describe('multiplex over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('streams several topics over one connection, each while it is wanted', async () => {
    const log: string[] = [];
    const topics = (conn: Connection): Observable<unknown> =>
      conn.messages$.pipe(
        map(String),
        mergeMap((line) => {
          log.push(line);
          const name = line.slice(1);
          if (line.startsWith('-')) return of();
          return timer(0, 1).pipe(
            map((n) => conn.send.next(`${name} ${n}`)),
            takeUntil(
              conn.messages$.pipe(
                map(String),
                mergeMap((other) => (other === `-${name}` ? of(1) : [])),
              ),
            ),
          );
        }),
      );
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(handleConnections(topics)),
    );
    const client = await loopback.connect(url);
    const topic = (name: string): Observable<Message> =>
      multiplex(client, `+${name}`, `-${name}`, (message) => String(message).startsWith(`${name} `));
    const three = (name: string): Observable<Message[]> => topic(name).pipe(take(3), toArray());
    const found = await firstValueFrom(merge(three('x'), three('y')).pipe(toArray()));
    expect(found.flat().sort()).toEqual(['x 0', 'x 1', 'x 2', 'y 0', 'y 1', 'y 2']);
    await firstValueFrom(client.ping());
    expect([...log].sort()).toEqual(['+x', '+y', '-x', '-y']);
  });
});

describe('the key of a message', () => {
  it.each([
    ['text', 'a', 'a'],
    ['bytes', Buffer.from('ab'), new Uint8Array([97, 98])],
    ['bytes of a part of a buffer', new Uint8Array([1, 2, 3]).subarray(1), new Uint8Array([2, 3]).buffer],
    ['views', new DataView(new Uint8Array([1]).buffer), new Uint8Array([1])],
    ['objects', { sub: 'a', of: [1] }, { sub: 'a', of: [1] }],
    ['lists', [1, { a: 2 }], [1, { a: 2 }]],
  ])('is the same for equal %s', (_, one, other) => {
    expect(messageKey(one)).toBe(messageKey(other));
  });

  it.each([
    ['texts', 'a', 'b'],
    ['text and its bytes', 'a', Buffer.from('a')],
    ['text and JSON', '{"a":1}', { a: 1 }],
    ['bytes', Buffer.from([1, 23]), Buffer.from([12, 3])],
    ['objects', { a: 1 }, { a: 2 }],
    ['numbers and texts', 1, '1'],
  ])('differs for different %s', (_, one, other) => {
    expect(messageKey(one)).not.toBe(messageKey(other));
  });

  it('is the message itself where nothing shows what is in it', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    for (const opaque of [new Blob(['a']), message('a'), new Map([[1, 2]]), loop, null, undefined, 5n])
      expect(messageKey(opaque)).toBe(opaque);
  });
});
