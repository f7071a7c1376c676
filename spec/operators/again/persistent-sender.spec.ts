import { type Connection, redirectMistakes } from 'sluice';
import { OfflineQueue } from '../../../src/operators/again/offline-queue.js';
import { PersistentSender } from '../../../src/operators/again/persistent-sender.js';
import { memoryConnection } from '../../support/memory-connection.js';

interface Bench {
  readonly sender: PersistentSender<unknown>;
  readonly log: string[];
}

function bench(limit = 10_000): Bench {
  const log: string[] = [];
  const queue = new OfflineQueue<unknown>({ offlineBuffer: limit, overflow: 'terminate', sizeOf: () => 3 });
  const owner = {
    overflowed: ({ code }: { code: string }) => log.push(code),
    finished: () => log.push('finished'),
  };
  return { sender: new PersistentSender(queue, owner), log };
}

const sent = ({ port }: ReturnType<typeof memoryConnection>): string[] =>
  port.frames.map(({ payload }) => payload.toString());

describe('the way out of a persistent connection', () => {
  it('tells the developer of what a socket cannot send, from the queue and later, and closes it', () => {
    const mistakes: string[] = [];
    redirectMistakes(({ kind, message }) => mistakes.push(`${kind}: ${message}`));
    const { sender } = bench();
    const [first, second] = [memoryConnection(), memoryConnection()];
    sender.trySend({}, undefined);
    sender.attach(first.connection as never);
    expect(first.port.frames.map(({ payload }) => payload.readUInt16BE())).toEqual([1011]);
    sender.attach(second.connection as never);
    sender.failed(new Error('trapped'));
    expect(second.port.frames.map(({ payload }) => payload.readUInt16BE())).toEqual([1011]);
    expect(mistakes).toEqual([
      expect.stringMatching(/^send: cannot send an object: /),
      'send: trapped; the connection was closed with 1011',
    ]);
  });

  it('leads into the queue, then to the socket, in order though it is sent to meanwhile', () => {
    const { sender } = bench();
    const socket = memoryConnection();
    socket.connection.send.subscribe((value) => value === 'a' && sender.trySend('c', undefined));
    for (const value of ['a', 'b']) expect(sender.trySend(value, undefined)).toBe('buffered');
    sender.attach(socket.connection as Connection as never);
    expect(sender.trySend('d', undefined)).toBe('sent');
    expect(sent(socket)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps what a socket does not take any more', () => {
    const { sender } = bench();
    const [closing, open] = [memoryConnection(), memoryConnection()];
    sender.trySend('a', undefined);
    closing.connection.close();
    sender.attach(closing.connection as never);
    expect([sender.trySend('b', undefined), sender.isReady]).toEqual(['buffered', false]);
    sender.attach(open.connection as never);
    expect(sent(open)).toEqual(['a', 'b']);
  });

  it('counts what waits in the queue and in the socket', () => {
    const { sender } = bench();
    const socket = memoryConnection();
    sender.trySend('a', undefined);
    expect(sender.bufferedAmount).toBe(131);
    socket.port.block();
    sender.attach(socket.connection as never);
    expect(sender.bufferedAmount).toBe(socket.connection.bufferedAmount);
    expect(sender.bufferedAmount).toBeGreaterThan(0);
  });

  it('calls back when an item is handed over, not when it is only kept', () => {
    const { sender, log } = bench();
    const socket = memoryConnection();
    sender.trySend('a', () => log.push('a'));
    expect(log).toEqual([]);
    socket.port.block();
    sender.attach(socket.connection as never);
    expect(log).toEqual([]);
    socket.port.drain();
    expect(log).toEqual(['a']);
  });

  it('tells its owner when too much waits', () => {
    const { sender, log } = bench(200);
    expect([sender.trySend('a', undefined), sender.trySend('b', undefined)]).toEqual(['buffered', 'closed']);
    expect(log).toEqual(['BUFFER_FULL']);
  });

  it('tells its owner once that nothing more is sent, and takes nothing more', () => {
    const { sender, log } = bench();
    sender.close(1000, '', undefined);
    sender.close(1000, '', undefined);
    sender.close(1011, '', new Error('no'));
    expect([sender.trySend('a', undefined), log]).toEqual(['closed', ['finished']]);
  });

  it('completes ready$ when it has ended', () => {
    const { sender } = bench();
    const seen: unknown[] = [];
    sender.ready$.subscribe({ next: (isReady) => seen.push(isReady), complete: () => seen.push('complete') });
    sender.end();
    expect(seen).toEqual([false, 'complete']);
  });
});
