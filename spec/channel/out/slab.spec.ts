import { flushAll } from '../../../src/channel/flush-queue.js';
import { SLAB_SIZE, Slab } from '../../../src/channel/out/slab.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { outboxOf } from '../../support/outbox.js';

/** The slabs that came into use while `body` ran, the one that was in use before included. */
function slabsOf(body: (look: () => void) => void): number {
  const seen = new Set([Slab.current]);
  body(() => seen.add(Slab.current));
  seen.add(Slab.current);
  return seen.size;
}

describe('the slab', () => {
  it('is used again after each tick, while all peers read', () => {
    const connections = [outboxOf(), outboxOf({ synchronous: true, role: 'client' })];
    const slabs = slabsOf((look) => {
      for (let tick = 0; tick < 1000; tick++) {
        for (const { outbox } of connections) outbox.send('x'.repeat(1000));
        flushAll();
        look();
      }
    });
    expect(slabs).toBe(1);
    expect(Slab.current.position).toBe(0);
  });

  it('is used again with transports that take nothing at once: they get copies', () => {
    const { outbox, port } = outboxOf({ synchronous: false });
    const slabs = slabsOf((look) => {
      for (let tick = 0; tick < 100; tick++) {
        outbox.send(`tick ${tick}`);
        flushAll();
        look();
        port.read();
      }
    });
    expect(slabs).toBe(1);
    expect(port.frames.map(({ payload }) => payload.toString())).toEqual(
      Array.from({ length: 100 }, (_, tick) => `tick ${tick}`),
    );
  });

  it('keeps the bytes of a connection whose peer does not read, whatever others of the same size send next', () => {
    const stalled = outboxOf({ room: 0 });
    const others = Array.from({ length: 3 }, () => outboxOf());
    for (const size of [0, 1, 252, 253, 254, 255, 256, 257]) {
      for (const { outbox, port } of [...others, stalled, ...others]) {
        outbox.send(`${port === stalled.port ? 's' : 'o'}`.repeat(size));
        flushAll();
      }
      stalled.port.read(size + 4);
      expect(stalled.port.frames.at(-1)!.payload.toString()).toBe('s'.repeat(size));
      for (const { port } of others) expect(port.frames.at(-1)!.payload.toString()).toBe('o'.repeat(size));
    }
  });

  it('is kept by a connection whose peer does not read, one for it, however much it and busy others send', () => {
    const busy = outboxOf();
    const stalled = outboxOf({ room: 0 });
    const slabs = slabsOf((look) => {
      for (let tick = 0; tick < 1000; tick++) {
        busy.outbox.send('busy '.repeat(100));
        stalled.outbox.send('stalled '.repeat(100));
        stalled.outbox.control(Opcode.ping, Buffer.alloc(10));
        flushAll();
        look();
      }
    });
    // The one that was in use when it stalled, and the one that all others go on with.
    expect(slabs).toBe(2);
    stalled.port.read();
    flushAll();
    expect(stalled.port.frames.filter(({ payload }) => payload.toString() === 'stalled '.repeat(100)).length).toBe(
      1000,
    );
    expect(busy.port.frames.every(({ payload }) => payload.toString() === 'busy '.repeat(100))).toBe(true);
  });

  it('is one of two that take turns, when many send more in a tick than it holds', () => {
    const connections = Array.from({ length: 100 }, () => outboxOf());
    const slabs = slabsOf((look) => {
      for (let tick = 0; tick < 20; tick++) {
        for (const { outbox } of connections) {
          outbox.send('x'.repeat(2000));
          look();
        }
        flushAll();
      }
    });
    expect(slabs).toBe(2);
    for (const { port } of connections) expect(port.frames.length).toBe(20);
  });

  it('is flushed when it is full, before the tick is over', () => {
    const connections = [outboxOf(), outboxOf()];
    for (const { outbox } of connections) {
      for (let i = 0; i < 40; i++) outbox.send('x'.repeat(1000));
    }
    for (const { port } of connections) expect(port.taken).toBeGreaterThan(0);
    flushAll();
    for (const { port } of connections) expect(port.frames.length).toBe(40);
  });

  it('has room for any frame that is small enough for it', () => {
    Slab.current.position = 1;
    expect(Slab.withRoom(SLAB_SIZE).position).toBe(0);
    Slab.flushFull();
  });
});
