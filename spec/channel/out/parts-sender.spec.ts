import { Readable } from 'node:stream';
import { concat, EMPTY, from, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { type Connection, type Fragment, fragments, message, type SendSource } from 'sluice';
import { close } from '../../support/frames.js';
import { marbles } from '../../support/marbles.js';
import { memoryConnection } from '../../support/memory-connection.js';
import { guardProcess } from '../../support/process-guard.js';
import { until } from '../../support/until.js';

guardProcess();

/** Frames in few words: `text(part` begins a message, `+part` goes on, `.` ends it. */
function shape(port: ReturnType<typeof memoryConnection>['port']): string[] {
  const names: Record<number, string> = { 0: '+', 1: 'text ', 2: 'binary ', 8: 'close ', 9: 'ping ', 10: 'pong ' };
  return port.frames.map(({ fin, opcode, payload }) => {
    const content = opcode === 8 ? payload.readUInt16BE() : payload;
    return `${names[opcode]}${content}${fin ? '.' : ''}`;
  });
}

const whole = (port: ReturnType<typeof memoryConnection>['port']): boolean => port.frames.at(-1)?.fin === true;

async function* asyncParts(): AsyncGenerator<string> {
  yield 'a';
  await new Promise((resolve) => setImmediate(resolve));
  yield 'b';
}

function* parts(): Generator<string> {
  yield 'a';
  yield 'b';
}

describe('parts (RFC 6455 §5.4)', () => {
  const sources: [string, () => SendSource<Fragment> | ReadableStream<Fragment>, string[]][] = [
    ['an Observable', () => of('a', 'b'), ['text a', '+b', '+.']],
    ['an array', () => ['a', 'b'], ['text a', '+b', '+.']],
    ['a generator', parts, ['text a', '+b', '+.']],
    ['an async generator', asyncParts, ['text a', '+b', '+.']],
    ['a ReadableStream', () => ReadableStream.from(['a', 'b']), ['text a', '+b', '+.']],
    ['a Readable of Node', () => Readable.from([Buffer.from('a'), Buffer.from('b')]), ['binary a', '+b', '+.']],
    ['a promise', () => Promise.resolve('a'), ['text a', '+.']],
    [
      'bytes of all kinds',
      () => [Buffer.from('a'), new Uint8Array([98]).buffer, new DataView(new Uint8Array([99]).buffer)],
      ['binary a', '+b', '+c', '+.'],
    ],
    ['nothing', () => EMPTY, ['text .']],
    ['empty parts', () => ['', ''], ['text ', '+', '+.']],
  ];

  it.each(sources)('come from %s, and go one by one as they come', async (_, source, expected) => {
    const { connection, port } = memoryConnection();
    connection.send.next(fragments(source() as SendSource<Fragment>));
    await until(() => whole(port));
    expect(shape(port)).toEqual(expected);
  });

  it('are binary or text as they are asked to be', () => {
    const { connection, port } = memoryConnection();
    connection.send.next(fragments(['a'], { binary: true }));
    connection.send.next(fragments([Buffer.from('b')], { binary: false }));
    expect(shape(port)).toEqual(['binary a', '+.', 'text b', '+.']);
  });

  it('are subscribed to when their turn comes, and keep the order of all messages', async () => {
    const { connection, port } = memoryConnection();
    const first = new Subject<string>();
    const second = new Subject<string>();
    connection.send.next(fragments(first));
    connection.send.next(fragments(second));
    connection.send.next(new Blob(['blob']));
    connection.send.next('last');
    expect([first.observed, second.observed]).toEqual([true, false]);
    first.next('a');
    connection.ping('!').subscribe({ error: () => {} });
    first.complete();
    expect(second.observed).toBe(true);
    second.complete();
    await until(() => port.frames.length >= 6);
    expect(shape(port)).toEqual(['text a', 'ping !.', '+.', 'text .', 'binary blob.', 'text last.']);
  });

  it('are unsubscribed from when the connection closes, however it does', () => {
    const ends: [string, (connection: Connection, peer: ReturnType<typeof memoryConnection>) => void][] = [
      ['terminate', (connection) => connection.terminate()],
      ['reset', (_, { port }) => port.reset()],
      ['peer closes', (_, { peer }) => peer(close(1000))],
      ['peer ends', (_, { port }) => port.finish()],
    ];
    for (const [name, end] of ends) {
      const memory = memoryConnection();
      const left = jest.fn();
      memory.connection.messages$.subscribe();
      memory.connection.send.next(fragments(concat(of('a'), new Observable<string>(() => left))));
      end(memory.connection, memory);
      expect([name, left.mock.calls.length]).toEqual([name, 1]);
    }
  });

  it('of a peer that has closed after us do not keep the end waiting', () => {
    const { connection, port, peer, closeInfos, turn } = memoryConnection();
    connection.messages$.subscribe();
    connection.send.next(fragments(NEVER));
    connection.close(1000);
    expect(shape(port)).toEqual([]);
    peer(close(1000));
    expect(shape(port)).toEqual(['close 1000.']);
    port.finish();
    turn();
    expect(closeInfos).toEqual([{ code: 1000, reason: '', wasClean: true, initiator: 'local' }]);
  });
});

describe('text over several parts', () => {
  it('may be cut within a surrogate pair', () => {
    const { connection, port } = memoryConnection();
    connection.send.next(fragments(['a\ud83d', '\ude00b', '\ud83d', '\ude00', 'c\ud83d']));
    expect(shape(port)).toEqual(['text a', '+\u{1f600}b', '+\u{1f600}', '+c', '+\ufffd.']);
  });

  it('may be bytes that are cut within a character, but must be UTF-8 as a whole', () => {
    const euro = Buffer.from('\u20ac');
    const bytes = [euro.subarray(0, 1), euro.subarray(1)];
    const { connection, port } = memoryConnection();
    connection.send.next(fragments(bytes, { binary: false }));
    expect(Buffer.concat(port.frames.map(({ payload }) => payload)).toString()).toBe('\u20ac');
    for (const wrong of [[euro.subarray(0, 1)], [Buffer.from([0xff])]]) {
      const other = memoryConnection();
      other.connection.send.next(fragments(wrong, { binary: false }));
      expect(shape(other.port).at(-1)).toBe('close 1011.');
      other.port.reset();
      expect(other.closeInfos[0]!.error).toMatchObject({ code: 'UTF8_INVALID' });
    }
  });
});

describe('a message that cannot be finished', () => {
  const broken = new Error('disk on fire');
  const failures: [string, SendSource<Fragment>, object][] = [
    [
      'its parts error',
      concat(
        of('a'),
        throwError(() => broken),
      ),
      { code: 'FRAGMENTS_FAILED', cause: broken },
    ],
    ['a string follows bytes', from([Buffer.from('a'), 'b']), { code: 'FRAGMENT_TYPE' }],
    ['bytes follow a string', ['a', Buffer.from('b')], { code: 'FRAGMENT_TYPE' }],
    ['a part is none', ['a', 5 as never], { code: 'FRAGMENT_TYPE' }],
  ];

  it.each(failures)('closes with 1011, and nothing follows: %s', (_, source, error) => {
    const { connection, port, closeInfos } = memoryConnection();
    connection.send.next(fragments(source));
    connection.send.next('behind');
    expect(shape(port)).toEqual([expect.stringMatching(/^(text|binary) a$/), 'close 1011.']);
    port.reset();
    expect(closeInfos[0]).toMatchObject({ wasClean: false, error: { name: 'UsageError', ...error } });
  });

  it('names what a part may be', () => {
    const { connection, port, closeInfos } = memoryConnection();
    connection.send.next(fragments([new Blob([]) as never]));
    port.reset();
    expect(closeInfos[0]!.error!.message).toBe(
      'cannot send a Blob: send a string, ArrayBuffer or ArrayBufferView as a part of a message',
    );
  });

  it('stops a source that never ends by itself', () => {
    const { connection, port } = memoryConnection();
    let given = 0;
    connection.send.next(
      fragments(
        new Observable<never>((subscriber) => {
          while (!subscriber.closed) {
            given++;
            subscriber.next(5 as never);
          }
        }),
      ),
    );
    expect(given).toBe(1);
    expect(shape(port)).toEqual(['close 1011.']);
  });

  it('is one whose parts are too far apart', () => {
    marbles(({ cold, scheduler, expectObservable }) => {
      const { connection } = memoryConnection({ scheduler, closeTimeout: 10 });
      const source = cold('a 99ms b 100ms c|');
      connection.send.next(fragments(source, { timeout: 101 }));
      const late = memoryConnection({ scheduler, closeTimeout: 10 });
      late.connection.send.next(fragments(cold('a 99ms b 101ms c|'), { timeout: 101 }));
      expectObservable(connection.close$).toBe('');
      const error = expect.objectContaining({ code: 'FRAGMENTS_TIMEOUT', message: expect.stringContaining('101 ms') });
      // The peer does not answer our Close frame.
      expectObservable(late.connection.close$).toBe('211ms (c|)', {
        c: { code: 1006, reason: '', wasClean: false, initiator: 'local', error },
      });
    });
  });

  it('is not one whose parts are not asked for, because the peer does not read', () => {
    marbles(({ scheduler, expectObservable, flush }) => {
      const { connection, port } = memoryConnection({ scheduler, highWaterMark: 10 });
      port.block();
      connection.send.next(fragments(['x'.repeat(20), 'y'], { timeout: 100 }));
      scheduler.schedule(() => port.drain(), 1000);
      expectObservable(connection.close$).toBe('');
      flush();
      expect(shape(port)).toEqual([`text ${'x'.repeat(20)}`, '+y', '+.']);
    });
  });
});

describe('Blobs', () => {
  it('of little size are one frame', async () => {
    const { connection, port } = memoryConnection();
    connection.send.next(new Blob(['a'.repeat(65_536)]));
    await until(() => port.frames.length > 0);
    expect(port.frames.map(({ fin, opcode, payload }) => [fin, opcode, payload.length])).toEqual([[true, 2, 65_536]]);
  });

  it('of more are sent in parts as they are read, and end with the last of them', async () => {
    const { connection, port } = memoryConnection();
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    connection.send.next(message(new Blob([bytes])));
    connection.send.next('next');
    await until(() => port.frames.at(-1)?.opcode === 1);
    const frames = port.frames.slice(0, -1);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(bytes)).toBe(true);
    expect(frames.map(({ fin }) => fin)).toEqual([...Array(frames.length - 1).fill(false), true]);
    expect(frames.at(-1)!.payload.length).toBeGreaterThan(0);
  });

  it('that cannot be read close with 1011', async () => {
    const { connection, port, closeInfos } = memoryConnection();
    const blob = new Blob(['a']);
    const cause = new Error('file has gone');
    blob.arrayBuffer = () => Promise.reject(cause);
    connection.send.next(blob);
    await until(() => port.frames.length > 0);
    expect(shape(port)).toEqual(['close 1011.']);
    port.reset();
    expect(closeInfos[0]!.error).toMatchObject({ code: 'BLOB_FAILED', cause });
  });
});

describe('a source with demand', () => {
  it('is asked for more only while the peer reads', () => {
    const { connection, port } = memoryConnection({ highWaterMark: 1000 });
    port.block();
    let given = 0;
    function* endless(): Generator<Buffer> {
      for (;;) {
        given++;
        yield Buffer.alloc(500);
      }
    }
    connection.send.next(fragments(endless()));
    expect(given).toBeLessThanOrEqual(3);
    const before = given;
    port.drain();
    port.block();
    expect(given).toBeGreaterThan(before);
    connection.terminate();
  });

  it('is closed when the connection ends', () => {
    const { connection } = memoryConnection({ highWaterMark: 10 });
    const cleanedUp = jest.fn();
    function* endless(): Generator<string> {
      try {
        for (let i = 0; ; i++) {
          if (i === 3) connection.terminate();
          yield 'x';
        }
      } finally {
        cleanedUp();
      }
    }
    connection.send.next(fragments(endless()));
    expect(cleanedUp).toHaveBeenCalledTimes(1);
  });
});
