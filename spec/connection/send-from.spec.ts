import { concat, generate, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import type { SendSource } from 'sluice';
import { UsageError } from '../../src/protocol/errors.js';
import { close } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';
import { until } from '../support/until.js';

guardProcess();

/** Sends from `source`, and notes what comes of it. */
function send<T extends string | Buffer>(memory: ReturnType<typeof memoryConnection>, source: SendSource<T>) {
  const log: unknown[] = [];
  const subscription = memory.connection.sendFrom(source).subscribe({
    next: (count) => log.push(count),
    error: (error: unknown) => log.push(error),
    complete: () => log.push('|'),
  });
  return { log, subscription };
}

async function* asyncNumbers(): AsyncGenerator<string> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield `${i}`;
  }
}

describe('the count', () => {
  it.each<[string, SendSource<string>]>([
    ['an Observable', of('0', '1', '2')],
    ['an array', ['0', '1', '2']],
    ['a Set', new Set(['0', '1', '2'])],
    ['an async generator', asyncNumbers()],
  ])('comes at the end of the source, and the connection stays open: %s', async (_, source) => {
    const memory = memoryConnection();
    const { log } = send(memory, source);
    await until(() => log.length > 0);
    expect(log).toEqual([3, '|']);
    expect(memory.port.frames.map(({ payload }) => payload.toString())).toEqual(['0', '1', '2']);
    expect(memory.connection.trySend('still open')).toBe('sent');
  });

  it('does not count what was dropped', () => {
    const memory = memoryConnection({ maxBufferedAmount: 20, overflow: 'drop-newest' });
    memory.port.block();
    expect(send(memory, of('x'.repeat(15), 'dropped', 'y')).log).toEqual([2, '|']);
  });

  it('comes early when the connection ends, and the source is stopped', () => {
    const left = jest.fn();
    const memory = memoryConnection();
    const { log } = send(memory, concat(of('a'), new Observable<string>(() => left)));
    memory.port.reset();
    expect(log).toEqual([1, '|']);
    expect(left).toHaveBeenCalledTimes(1);
  });

  it('is 0 on a closed connection, whose source is not even asked', () => {
    const memory = memoryConnection();
    memory.connection.terminate();
    const subscribed = jest.fn();
    expect(send(memory, new Observable<string>(subscribed)).log).toEqual([0, '|']);
    const iterated = jest.fn(() => [][Symbol.iterator]());
    expect(send(memory, { [Symbol.iterator]: iterated }).log).toEqual([0, '|']);
    expect(subscribed).not.toHaveBeenCalled();
    expect(iterated).not.toHaveBeenCalled();
  });

  it('comes when the connection is closing, after one item at most', () => {
    const memory = memoryConnection();
    memory.connection.close();
    let given = 0;
    function* numbers(): Generator<string> {
      for (;;) yield `${given++}`;
    }
    expect(send(memory, numbers()).log).toEqual([0, '|']);
    expect(given).toBeLessThanOrEqual(1);
    expect(send(memory, generate({ initialState: 'x', iterate: (x) => x })).log).toEqual([0, '|']);
  });

  it('comes when the peer closes', () => {
    const memory = memoryConnection();
    memory.connection.messages$.subscribe();
    const source = new Subject<string>();
    const { log } = send(memory, source);
    source.next('a');
    memory.peer(close(1000));
    source.next('b');
    expect(log).toEqual([1, '|']);
    expect(source.observed).toBe(false);
  });
});

describe('errors', () => {
  it('of the source are passed on, and do not close', () => {
    const memory = memoryConnection();
    const broken = new Error('broken');
    expect(
      send(
        memory,
        concat(
          of('a'),
          throwError(() => broken),
        ),
      ).log,
    ).toEqual([broken]);
    expect(memory.connection.trySend('still open')).toBe('sent');
  });

  it('are UsageErrors for what cannot be sent; nothing is closed, and the source is stopped', () => {
    const memory = memoryConnection();
    let given = 0;
    function* values(): Generator<string> {
      for (;;) yield given++ === 2 ? (undefined as never) : 'x';
    }
    const { log } = send(memory, values());
    expect(log).toEqual([expect.any(UsageError)]);
    expect(given).toBe(3);
    expect(memory.connection.trySend('still open')).toBe('sent');
  });
});

describe('demand', () => {
  it('is there while ready$ is true, for iterables', () => {
    const memory = memoryConnection({ highWaterMark: 1000 });
    memory.port.block();
    let given = 0;
    function* chunks(): Generator<Buffer> {
      while (given < 100) {
        given++;
        yield Buffer.alloc(98);
      }
    }
    const { log } = send(memory, chunks());
    expect(given).toBe(11);
    expect(memory.connection.bufferedAmount).toBe(1100);
    memory.port.drain();
    for (let turns = 0; turns < 20; turns++) memory.turn();
    expect(given).toBe(100);
    expect(log).toEqual([100, '|']);
  });

  it('is there while ready$ is true, for async iterables', async () => {
    const memory = memoryConnection({ highWaterMark: 1000 });
    memory.port.block();
    let given = 0;
    async function* chunks(): AsyncGenerator<Buffer> {
      while (given < 100) {
        given++;
        yield Buffer.alloc(98);
      }
    }
    const { log } = send(memory, chunks());
    await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBe(11);
    memory.port.drain();
    await until(() => log.length > 0);
    expect(log).toEqual([100, '|']);
  });

  it('never takes more than a mark and an item, with two sources at once', () => {
    const memory = memoryConnection({ highWaterMark: 1000 });
    memory.port.block();
    const endless = (): SendSource<Buffer> => ({
      *[Symbol.iterator]() {
        for (;;) yield Buffer.alloc(98);
      },
    });
    send(memory, endless());
    send(memory, endless());
    for (let i = 0; i < 10; i++) {
      memory.port.drain();
      memory.port.block();
      expect(memory.connection.bufferedAmount).toBeLessThanOrEqual(1100);
    }
    memory.connection.terminate();
  });
});

it('stops the source when it is unsubscribed, and does nothing before it is subscribed to', () => {
  const memory = memoryConnection();
  const source = new Subject<string>();
  memory.connection.sendFrom(source);
  expect(source.observed).toBe(false);
  const { log, subscription } = send(memory, source);
  subscription.unsubscribe();
  source.next('a');
  expect(source.observed).toBe(false);
  expect(log).toEqual([]);
  expect(send(memory, NEVER).log).toEqual([]);
});

it.each([
  ['a string', 'abc'],
  ['null', null],
  ['a number', 5],
])('throws at the call for %s', (_, source) => {
  const { connection } = memoryConnection();
  expect(() => connection.sendFrom(source as never)).toThrow(TypeError);
});
