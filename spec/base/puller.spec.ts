import { generate, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { Puller } from '../../src/base/puller.js';

/** What a puller was seen to do, and the handles to it. */
function pull<T>(source: ConstructorParameters<typeof Puller<T>>[0], stopAfter = Number.POSITIVE_INFINITY) {
  const seen: unknown[] = [];
  const deferred: (() => void)[] = [];
  const pace = {
    ready: true,
    isOver: false,
    isReady: () => pace.ready,
    isTurnOver: () => pace.isOver,
    defer: (task: () => void) => deferred.push(task),
  };
  const puller = new Puller<T>(source, pace, {
    next: (value) => {
      seen.push(value);
      if (seen.length === stopAfter) puller.unsubscribe();
    },
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('|'),
  });
  puller.start();
  return { puller, seen, pace, deferred };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an iterable', () => {
  it('is pulled only while more is welcome', () => {
    let given = 0;
    function* numbers(): Generator<number> {
      while (given < 5) yield given++;
    }
    let welcome = 3;
    const seen: unknown[] = [];
    const pace = { isReady: () => seen.length < welcome, isTurnOver: () => false, defer: () => {} };
    const puller = new Puller<number>(numbers(), pace, observerOf(seen));
    puller.start();
    puller.resume();
    expect(given).toBe(3);
    welcome = 10;
    puller.resume();
    expect(seen).toEqual([0, 1, 2, 3, 4, '|']);
  });

  it('goes on in a later turn after 512 values', () => {
    const { seen, deferred } = pull(Array(1100).fill(0));
    expect([seen.length, deferred.length]).toEqual([512, 1]);
    deferred.shift()!();
    expect(seen.length).toBe(1024);
    deferred.shift()!();
    expect(seen.length).toBe(1101);
    expect(deferred).toEqual([]);
  });

  it('is closed when it is stopped, and its cleaning up concerns nobody', () => {
    const log: string[] = [];
    function* numbers(): Generator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        log.push('cleaned up');
        // biome-ignore lint/correctness/noUnsafeFinally: it is what a broken source does
        throw new Error('cleaning up failed');
      }
    }
    const { puller, pace, seen } = pull(numbers(), 1);
    expect(seen).toEqual([1]);
    expect(log).toEqual(['cleaned up']);
    pace.ready = true;
    puller.resume();
    expect(seen).toEqual([1]);
  });

  it('is closed too when it stops itself while it runs', () => {
    const log: string[] = [];
    const stop = new Subject<void>();
    function* numbers(): Generator<number> {
      try {
        yield 1;
        stop.next();
        yield 2;
      } finally {
        log.push('cleaned up');
      }
    }
    const seen: unknown[] = [];
    const puller = new Puller<number>(
      numbers(),
      { isReady: () => true, isTurnOver: () => false, defer: () => {} },
      observerOf(seen),
    );
    stop.subscribe(() => puller.unsubscribe());
    puller.start();
    expect(seen).toEqual([1]);
    expect(log).toEqual(['cleaned up']);
  });

  it('leaves the loop to others when the turn is over, after few values where each takes long', () => {
    function* numbers(): Generator<number> {
      for (let i = 0; ; i++) yield i;
    }
    let looks = 0;
    const pace = {
      isReady: () => true,
      isTurnOver: () => ++looks === 3,
      defer: (task: () => void) => deferred.push(task),
    };
    const deferred: (() => void)[] = [];
    const seen: unknown[] = [];
    const puller = new Puller<number>(numbers(), pace, observerOf(seen));
    puller.start();
    expect({ values: seen.length, deferred: deferred.length }).toEqual({ values: 8, deferred: 1 });
    looks = -1_000;
    deferred.shift()!();
    expect({ values: seen.length, deferred: deferred.length }).toEqual({ values: 8 + 512, deferred: 1 });
    puller.unsubscribe();
  });

  it('errors where it throws', () => {
    const broken = new Error('broken');
    function* numbers(): Generator<number> {
      yield 1;
      throw broken;
    }
    expect(pull(numbers()).seen).toEqual([1, broken]);
    const notIterable = { [Symbol.iterator]: () => 5 } as never;
    expect(pull(notIterable).seen).toEqual([expect.any(TypeError)]);
  });
});

describe('an async iterable', () => {
  it('is asked for one value at a time, and only while it is welcome', async () => {
    let asked = 0;
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: ++asked }) }),
    };
    const seen: unknown[] = [];
    const puller = new Puller<number>(
      source,
      { isReady: () => seen.length < 3, isTurnOver: () => false, defer: () => {} },
      observerOf(seen),
    );
    puller.start();
    await turn();
    expect(asked).toBe(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('leaves the loop to others when the turn is over', async () => {
    async function* numbers(): AsyncGenerator<number> {
      for (let i = 0; ; i++) yield i;
    }
    const { puller, seen, pace, deferred } = pull(numbers());
    pace.isOver = true;
    await turn();
    expect({ values: seen.length, deferred: deferred.length }).toEqual({ values: 2, deferred: 1 });
    puller.unsubscribe();
  });

  it('leaves the loop to others after 512 values, though it is never late', async () => {
    async function* numbers(): AsyncGenerator<number> {
      for (let i = 0; ; i++) yield i;
    }
    const { puller, seen, deferred } = pull(numbers());
    await turn();
    expect([seen.length, deferred.length]).toEqual([512, 1]);
    puller.unsubscribe();
    deferred[0]!();
    await turn();
    expect(seen.length).toBe(512);
  });

  it('errors where it rejects or throws, and is closed when it is stopped', async () => {
    const broken = new Error('broken');
    const rejecting = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(broken) }) };
    const throwing = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          throw broken;
        },
      }),
    };
    const { seen } = pull<number>(rejecting);
    await turn();
    expect(seen).toEqual([broken]);
    expect(pull<number>(throwing).seen).toEqual([broken]);
    for (const answer of [() => Promise.reject(broken), throwing[Symbol.asyncIterator]().next]) {
      const close = jest.fn(answer);
      const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), return: close }) };
      pull<number>(silent).puller.unsubscribe();
      expect(close).toHaveBeenCalledTimes(1);
    }
  });

  it('has its late value dropped after the end', async () => {
    let answer: (result: IteratorResult<number>) => void = () => {};
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>((resolve) => (answer = resolve)),
      }),
    };
    const { puller, seen } = pull<number>(source);
    puller.unsubscribe();
    answer({ done: false, value: 1 });
    await turn();
    expect(seen).toEqual([]);
  });
});

describe('an Observable or a promise', () => {
  it('is subscribed to as it is', async () => {
    expect(pull(of(1, 2)).seen).toEqual([1, 2, '|']);
    expect(pull(throwError(() => 'broken')).seen).toEqual(['broken']);
    const { seen } = pull(Promise.resolve(1));
    await turn();
    expect(seen).toEqual([1, '|']);
  });

  it('is unsubscribed from when it is stopped, within its own emission too', () => {
    const endless = generate({ initialState: 0, iterate: (i) => i + 1 });
    expect(pull(endless, 3).seen).toEqual([0, 1, 2]);
    const left = jest.fn();
    const { puller } = pull(new Observable<number>(() => left));
    puller.unsubscribe();
    puller.unsubscribe();
    expect(left).toHaveBeenCalledTimes(1);
  });

  it('is not subscribed to when it was stopped before', () => {
    const subscribed = jest.fn();
    const puller = new Puller(
      new Observable(subscribed),
      { isReady: () => true, isTurnOver: () => false, defer: () => {} },
      observerOf([]),
    );
    puller.unsubscribe();
    puller.start();
    expect(subscribed).not.toHaveBeenCalled();
    expect(pull(NEVER).seen).toEqual([]);
  });

  it('errors with what cannot be subscribed to', () => {
    expect(pull(5 as never).seen).toEqual([expect.any(TypeError)]);
  });
});

function observerOf(seen: unknown[]) {
  return {
    next: (value: unknown) => seen.push(value),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('|'),
  };
}
