import { EMPTY, map, NEVER, of, Subject, Subscription, tap, throwError } from 'rxjs';
import { SendSubject, sendTo } from 'sluice';
import { UsageError } from '../../src/protocol/errors.js';
import { close, text } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

type Memory = ReturnType<typeof memoryConnection>;

/** The Close frames that were sent: code and reason. */
function closes({ port }: Memory): [number, string][] {
  return port.frames
    .filter(({ opcode }) => opcode === 8)
    .map(({ payload }) => [payload.readUInt16BE(), payload.subarray(2).toString()]);
}

function texts({ port }: Memory): string[] {
  return port.frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString());
}

describe('as an Observer', () => {
  it('sends what it is given, and closes with 1000 at the end', () => {
    const memory = memoryConnection();
    of('a', 'b').subscribe(memory.connection.send);
    expect(texts(memory)).toEqual(['a', 'b']);
    expect(closes(memory)).toEqual([[1000, '']]);
  });

  it('flushes before it closes', () => {
    const memory = memoryConnection();
    memory.port.block();
    memory.connection.send.next('a');
    memory.connection.send.next('b');
    memory.connection.send.complete();
    memory.connection.send.next('c');
    memory.port.drain();
    expect(texts(memory)).toEqual(['a', 'b']);
    expect(closes(memory)).toEqual([[1000, '']]);
  });

  const errors: [string, unknown, [number, string]][] = [
    ['any error', new Error('secret'), [1011, '']],
    ['nothing', undefined, [1011, '']],
    ['null', null, [1011, '']],
    ['a string', 'secret', [1011, '']],
    ['a code and a reason', { code: 4001, reason: 'why' }, [4001, 'why']],
    ['a code without a reason', { code: 1013 }, [1013, '']],
    ['a code of a system error', Object.assign(new Error('x'), { code: 'ECONNRESET' }), [1011, '']],
    ['a code that may not be sent', { code: 1006, reason: 'why' }, [1011, 'why']],
    ['a code that is none', { code: 1.5 }, [1011, '']],
    ['a reason that is too long', { code: 4000, reason: 'x'.repeat(200) }, [4000, 'x'.repeat(123)]],
  ];
  it.each(errors)('closes with what an error says, as far as it can be sent: %s', (_, error, expected) => {
    const memory = memoryConnection();
    throwError(() => error).subscribe(memory.connection.send);
    expect(closes(memory)).toEqual([expected]);
  });

  it('has the error in close$', () => {
    const error = new Error('why');
    const { connection, port, closeInfos } = memoryConnection();
    connection.send.error(error);
    port.reset();
    expect(closeInfos[0]!.error).toBe(error);
  });

  it('does nothing after the end, however often it is called', () => {
    const ends: ((memory: Memory) => void)[] = [
      ({ connection }) => connection.close(),
      ({ connection }) => connection.terminate(),
      ({ connection }) => connection.send.complete(),
      ({ peer }) => peer(close(1000)),
      ({ port }) => port.reset(),
    ];
    for (const end of ends) {
      const memory = memoryConnection();
      const { send } = memory.connection;
      memory.connection.messages$.subscribe();
      end(memory);
      const before = memory.port.frames.length;
      send.next('a');
      send.next(undefined as never);
      send.complete();
      send.error(new Error('x'));
      expect(memory.port.frames.length).toBe(before);
      expect(memory.connection.trySend('a')).toBe('closed');
      expect(send.closed).toBe(false);
    }
  });

  it('survives being unsubscribed', () => {
    const memory = memoryConnection();
    memory.connection.send.unsubscribe();
    memory.connection.send.next('a');
    expect(texts(memory)).toEqual(['a']);
  });

  it('is safe in tap', () => {
    const memory = memoryConnection();
    const source = new Subject<string>();
    const seen: unknown[] = [];
    source
      .pipe(tap(memory.connection.send))
      .subscribe((value) => seen.push(value))
      .unsubscribe();
    source.pipe(tap(memory.connection.send)).subscribe((value) => seen.push(value));
    source.next('a');
    source.pipe(tap(memory.connection.send)).subscribe().unsubscribe();
    source.next('b');
    expect(texts(memory)).toEqual(['a', 'b']);
    expect(seen).toEqual(['a', 'b']);
  });

  it('is closed by no operator that only sends', () => {
    const memory = memoryConnection();
    of('a').pipe(sendTo(memory.connection)).subscribe();
    EMPTY.pipe(sendTo(memory.connection)).subscribe();
    expect(texts(memory)).toEqual(['a']);
    expect(closes(memory)).toEqual([]);
  });
});

describe('as an Observable', () => {
  it('emits each item once it was handed over, and completes with the connection', () => {
    const { connection, port } = memoryConnection();
    const seen: unknown[] = [];
    connection.send.subscribe({ next: (value) => seen.push(value), complete: () => seen.push('|') });
    const large = Buffer.alloc(100_000);
    connection.send.next('a');
    expect(seen).toEqual(['a']);
    port.block();
    connection.send.next('b');
    connection.trySend(large);
    connection.send.next('c');
    expect(seen).toEqual(['a']);
    port.drain();
    expect(seen).toEqual(['a', 'b', large, 'c']);
    port.block();
    connection.send.next('never');
    port.reset();
    expect(seen).toEqual(['a', 'b', large, 'c', '|']);
  });

  it('never errors: neither when something cannot be sent nor when the connection is lost', () => {
    const { connection, port } = memoryConnection();
    const error = jest.fn();
    const complete = jest.fn();
    connection.send.subscribe({ error, complete });
    connection.send.next(5 as never);
    port.reset();
    expect(error).not.toHaveBeenCalled();
    expect(complete).toHaveBeenCalledTimes(1);
  });

  it('takes each form of an observer, and completes those who come late', () => {
    const { connection } = memoryConnection();
    const log: string[] = [];
    connection.send.subscribe((value) => log.push(`1 ${value}`));
    connection.send.subscribe(
      (value) => log.push(`2 ${value}`),
      null,
      () => log.push('2 |'),
    );
    connection.send
      .asObservable()
      .subscribe({ next: (value) => log.push(`3 ${value}`), complete: () => log.push('3 |') });
    connection.send.next('a');
    connection.terminate();
    connection.send.subscribe({ complete: () => log.push('late |') });
    expect(log).toEqual(['1 a', '2 a', '3 a', '2 |', '3 |', 'late |']);
  });

  it('subscribes nobody where no observer is given', () => {
    const { send } = memoryConnection().connection;
    expect(send.subscribe()).toBe(Subscription.EMPTY);
    expect(send.observed).toBe(false);
    const subscription = send.subscribe(() => {});
    expect(send.observed).toBe(true);
    subscription.unsubscribe();
    expect(send.observed).toBe(false);
  });

  it('survives who sends and closes in it', () => {
    const memory = memoryConnection();
    const { connection } = memory;
    const seen: unknown[] = [];
    connection.send.subscribe((value) => {
      if (value === 'a') connection.send.next('b');
      else connection.close(4000);
      connection.send.next(`behind ${value}`);
      seen.push(value);
    });
    connection.send.next('a');
    expect(texts(memory)).toEqual(['a', 'b', 'behind a']);
    expect(seen).toEqual(['a', 'b', 'behind a']);
    expect(closes(memory)).toEqual([[4000, '']]);
  });

  it('does not emit what was dropped', () => {
    const { connection, port } = memoryConnection({ maxBufferedAmount: 20, overflow: 'drop-oldest' });
    const seen: unknown[] = [];
    connection.send.subscribe((value) => seen.push(value));
    port.block();
    for (const value of ['aaaaaa', 'bbbb', 'cccc', 'dddd']) connection.send.next(value);
    port.drain();
    expect(seen).toEqual(['aaaaaa', 'cccc', 'dddd']);
  });

  it('is by lift a Subject that writes; asObservable is not', () => {
    const memory = memoryConnection();
    const lifted = memory.connection.send.pipe(map(String)) as Subject<string>;
    lifted.next('a');
    expect(texts(memory)).toEqual(['a']);
    expect(memory.connection.send.asObservable()).not.toHaveProperty('next');
  });
});

describe('flush', () => {
  it('emits and completes when all that was sent so far is handed over', () => {
    const { connection, port } = memoryConnection();
    const log: string[] = [];
    const flush = (name: string): void => {
      connection.flush().subscribe({ next: () => log.push(name), complete: () => log.push(`${name} |`) });
    };
    flush('idle');
    expect(log).toEqual(['idle', 'idle |']);
    port.block();
    connection.send.next('a');
    flush('a');
    connection.send.next('b');
    flush('b');
    expect(log.length).toBe(2);
    port.drain();
    expect(log.slice(2)).toEqual(['a', 'a |', 'b', 'b |']);
  });

  it('only completes when the connection ends first', () => {
    const { connection, port } = memoryConnection();
    const log: string[] = [];
    port.block();
    connection.send.next('a');
    connection.flush().subscribe({ next: () => log.push('flushed'), complete: () => log.push('|') });
    port.reset();
    connection.flush().subscribe({ next: () => log.push('flushed'), complete: () => log.push('late |') });
    expect(log).toEqual(['|', 'late |']);
  });

  it('acts when it is subscribed to', () => {
    const { connection, port } = memoryConnection();
    const flush = connection.flush();
    port.block();
    connection.send.next('a');
    const flushed = jest.fn();
    flush.subscribe(flushed);
    expect(flushed).not.toHaveBeenCalled();
  });
});

describe('who sends and closes while messages come (RFC 6455 §5.5.1)', () => {
  it('keeps the order, whatever is done within next', () => {
    const memory = memoryConnection();
    const { connection, peer } = memory;
    const seen: unknown[] = [];
    const subscription = connection.messages$.subscribe((data) => {
      seen.push(data);
      connection.send.next(`re: ${data}`);
      if (data === 'c') {
        connection.close(4000);
        connection.send.next('too late');
        subscription.unsubscribe();
      }
    });
    peer(text('a'), text('b'), text('c'), text('d'));
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(texts(memory)).toEqual(['re: a', 're: b', 're: c']);
    expect(closes(memory)).toEqual([[4000, '']]);
  });

  it('may terminate within ready$, and within what is handed over', () => {
    for (const place of ['ready$', 'handed'] as const) {
      const { connection, port, closeInfos } = memoryConnection({ highWaterMark: 10 });
      const stop = (): void => connection.terminate();
      if (place === 'ready$') connection.send.ready$.subscribe((ready) => !ready && stop());
      else connection.send.subscribe(stop);
      if (place === 'ready$') port.block();
      connection.send.next('x'.repeat(20));
      connection.send.next('y');
      expect(closeInfos.map(({ code }) => code)).toEqual([1006]);
    }
  });
});

it('hands a UsageError to nobody but close$ and the diagnostics', () => {
  const { connection, port, closeInfos } = memoryConnection();
  NEVER.subscribe(connection.send);
  expect(connection.send).toBeInstanceOf(SendSubject);
  of({ not: 'sendable' }).subscribe(connection.send as never);
  port.reset();
  expect(closeInfos[0]!.error).toBeInstanceOf(UsageError);
});
