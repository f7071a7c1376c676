import { VirtualTimeScheduler } from 'rxjs';
import { Trampoline } from '../../src/base/trampoline.js';
import { MemoryPort } from '../../src/testing/memory-port.js';

describe('two ports over memory', () => {
  it('carry bytes and the end, in order, and close when both have ended', () => {
    const { a, b, turn } = pair();
    a.port.write([Buffer.from('a'), Buffer.from('b')]);
    a.port.end();
    a.port.write([Buffer.from('late')]);
    b.port.end();
    expect([a.log, b.log]).toEqual([['end'], ['ab', 'end']]);
    turn();
    expect([a.log, b.log]).toEqual([
      ['end', 'closed'],
      ['ab', 'end', 'closed'],
    ]);
  });

  it('keep what comes before they are opened, or while they are paused', () => {
    const { a, b } = pair();
    b.port.pause();
    a.port.write([Buffer.from('a')]);
    a.port.write([]);
    expect(b.log).toEqual([]);
    b.port.resume();
    expect(b.log).toEqual(['a']);
  });

  it('take in so much while nobody reads, and tell when it is gone', () => {
    const { a, b } = pair(10);
    b.port.pause();
    a.port.write([Buffer.alloc(10)]);
    expect(a.port.pending).toBe(0);
    a.port.write([Buffer.alloc(5)]);
    expect(a.port.pending).toBe(5);
    b.port.chunkSize = 4;
    b.port.resume();
    expect({ portPending: a.port.pending, aLog: a.log, bLog: b.log.length }).toEqual({
      portPending: 0,
      aLog: ['drained'],
      bLog: 5,
    });
  });

  it('lose what has not arrived when one is terminated or the network is lost', () => {
    const { a, b, turn } = pair();
    b.port.pause();
    a.port.write([Buffer.from('a')]);
    a.port.terminate();
    turn();
    b.port.resume();
    expect([a.log, b.log]).toEqual([['closed'], ['closed ECONNRESET']]);
    const lost = pair();
    lost.a.port.loseBoth();
    lost.a.port.terminate();
    lost.turn();
    expect([lost.a.log, lost.b.log]).toEqual([['closed ECONNRESET'], ['closed ECONNRESET']]);
  });

  it('flush at once, and defer to a later turn', () => {
    const { a, turn } = pair();
    const log: string[] = [];
    a.port.schedule({ flush: () => log.push('flushed') });
    a.port.defer(() => log.push('deferred'));
    expect(log).toEqual(['flushed']);
    turn();
    expect(log).toEqual(['flushed', 'deferred']);
  });
});

function pair(socketBuffer = 1000) {
  const scheduler = new VirtualTimeScheduler();
  const [a, b] = MemoryPort.pair({ trampoline: new Trampoline(), scheduler, socketBuffer });
  return { a: watched(a), b: watched(b), turn: () => scheduler.flush() };
}

function watched(port: MemoryPort) {
  const log: string[] = [];
  port.open({
    bytes: (chunk) => log.push(chunk.toString()),
    ended: () => log.push('end'),
    broken: () => log.push('broken'),
    drained: () => log.push('drained'),
    closed: (error) => log.push(error === undefined ? 'closed' : `closed ${(error as NodeJS.ErrnoException).code}`),
  });
  return { port, log };
}
