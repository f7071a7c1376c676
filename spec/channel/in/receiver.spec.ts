import { take } from 'rxjs';
import { deflate } from '../../../src/protocol/deflate/deflate.js';
import { close, continuation, type Frame, fragments, ping, text, wire } from '../../support/frames.js';
import { type MemoryConnection, memoryConnection } from '../../support/memory-connection.js';

/** Ten messages of this size fill the mark of the specs, with what keeping them costs. */
const SIZE = 372;
const MARK = 5_000;

/** The time, so that no turn is over because the machine has other things to do. */
let now = 0;
beforeEach(() => {
  now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('without demand', () => {
  it('is read ahead up to the mark, then the port is paused', () => {
    const { connection, port, peer } = open();
    for (let i = 0; i < 9; i++) peer(sized(i));
    expect([connection.stats.messagesReceived, port.isPaused]).toEqual([9, false]);
    peer(sized(9));
    expect([connection.stats.messagesReceived, port.isPaused]).toEqual([10, true]);
    peer(sized(10));
    expect([connection.stats.messagesReceived, port.waiting]).toEqual([10, SIZE + 8]);
  });

  it('is not parsed beyond the mark: what one read brought stays bytes, and is counted', () => {
    const { connection, port, peer } = open();
    peer(...Array.from({ length: 25 }, (_, i) => sized(i)));
    expect([connection.stats.messagesReceived, port.isPaused]).toEqual([10, true]);
    expect(connection.stats.inboxBytes).toBe(MARK + 15 * (SIZE + 8));
  });

  it('takes one message more when there is less room than it needs', () => {
    const { connection, peer } = open();
    peer(text('a'), text('x'.repeat(100_000)), text('b'));
    expect(connection.stats.messagesReceived).toBe(2);
  });

  it('counts empty messages too', () => {
    const { connection, port, peer } = open();
    peer(...Array.from({ length: 100 }, () => text()));
    expect([connection.stats.messagesReceived, port.isPaused]).toEqual([40, true]);
  });

  it('answers pings while there is room', () => {
    const { port, peer } = open();
    peer(text('a'), ping('b'));
    expect(port.frames).toEqual([expect.objectContaining({ opcode: 0xa, payload: Buffer.from('b') })]);
  });
});

describe('with demand', () => {
  it('gives all that waited, in order, then what comes', () => {
    const { connection, peer, port, turn } = open();
    peer(...Array.from({ length: 25 }, (_, i) => sized(i)));
    peer(...Array.from({ length: 5 }, (_, i) => sized(25 + i)));
    const seen = record(connection);
    expect(seen).toEqual(numbers(0, 25));
    turn();
    peer(sized(30));
    expect(seen).toEqual(numbers(0, 31));
    expect([port.isPaused, connection.stats.inboxBytes]).toEqual([false, 0]);
  });

  it('loses nothing between take(1) and another subscription', () => {
    const { connection, peer } = open();
    peer(...Array.from({ length: 5 }, (_, i) => sized(i)));
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) connection.messages$.pipe(take(1)).subscribe((message) => seen.push(numberOf(message)));
    expect(seen).toEqual([0, 1, 2]);
    expect([...seen, ...record(connection)]).toEqual(numbers(0, 5));
  });

  it('loses nothing when a subscriber leaves in the middle of a chunk, and another comes in a later one', () => {
    const { connection, peer } = open();
    const first: number[] = [];
    connection.messages$.pipe(take(2)).subscribe((message) => first.push(numberOf(message)));
    peer(...Array.from({ length: 5 }, (_, i) => sized(i)));
    const rest = record(connection);
    peer(sized(5));
    expect([first, rest]).toEqual([numbers(0, 2), numbers(2, 6)]);
  });

  it('gives a second subscriber no replay', () => {
    const { connection, peer } = open();
    peer(sized(0));
    const [first, second] = [record(connection), record(connection)];
    peer(sized(1));
    expect([first, second]).toEqual([[0, 1], [1]]);
  });

  it('shares what waited among subscribers that come under one hold', () => {
    const { connection, peer } = open();
    peer(sized(0), sized(1));
    const hold = connection.hold();
    const [first, second] = [record(connection), record(connection)];
    expect([first, second]).toEqual([[], []]);
    hold.unsubscribe();
    expect([first, second]).toEqual([numbers(0, 2), numbers(0, 2)]);
  });

  it('discards for ignoreMessages(), so that the port is never paused', () => {
    const { connection, port, peer } = open();
    const ignoring = connection.ignoreMessages();
    peer(...Array.from({ length: 100 }, (_, i) => sized(i)));
    expect([connection.stats.inboxBytes, port.pauses]).toEqual([0, 0]);
    ignoring.unsubscribe();
    peer(sized(100));
    expect(record(connection)).toEqual([100]);
  });
});

describe('holds', () => {
  it('are counted', () => {
    const { connection, peer } = open();
    const seen = record(connection);
    const holds = [connection.hold(), connection.hold()];
    peer(sized(0));
    holds[0]?.unsubscribe();
    expect(seen).toEqual([]);
    holds[1]?.unsubscribe();
    expect(seen).toEqual([0]);
  });

  it('are one for all callers of pause(), and the first resume() releases it', () => {
    const { connection, peer } = open();
    const seen = record(connection);
    connection.pause();
    connection.pause();
    peer(sized(0));
    expect(seen).toEqual([]);
    connection.resume();
    connection.resume();
    expect(seen).toEqual([0]);
  });

  it('are not released by a resume() without a pause()', () => {
    const { connection, peer } = open();
    const seen = record(connection);
    connection.hold();
    connection.resume();
    peer(sized(0));
    expect(seen).toEqual([]);
  });

  it('pause the port at the mark, and start it again when they are released', () => {
    const { connection, port, peer, turn } = open();
    const seen = record(connection);
    connection.pause();
    for (let i = 0; i < 30; i++) peer(sized(i));
    expect([port.isPaused, port.waiting]).toEqual([true, 20 * (SIZE + 8)]);
    connection.resume();
    turn();
    expect(seen).toEqual(numbers(0, 30));
    expect(port.isPaused).toBe(false);
  });
});

describe('inside next', () => {
  it('a hold stops the delivery behind the message', () => {
    const { connection, peer } = open();
    const seen: number[] = [];
    connection.messages$.subscribe((message) => {
      seen.push(numberOf(message));
      connection.pause();
    });
    peer(sized(0), sized(1), sized(2));
    expect(seen).toEqual([0]);
    connection.resume();
    connection.resume();
    expect(seen).toEqual([0, 1, 2]);
  });

  it('a subscription begins with the next message, however many wait', () => {
    const { connection, peer } = open();
    peer(sized(0), sized(1), sized(2));
    const nested: number[] = [];
    const outer: number[] = [];
    connection.messages$.subscribe((message) => {
      outer.push(numberOf(message));
      if (outer.length === 1) connection.messages$.subscribe((later) => nested.push(numberOf(later)));
      expect(nested.length).toBeLessThan(outer.length);
    });
    expect([outer, nested]).toEqual([numbers(0, 3), [1, 2]]);
  });

  it('a subscriber may hand over to another one', () => {
    const { connection, peer } = open();
    const seen: string[] = [];
    const first = connection.messages$.subscribe((message) => {
      seen.push(`first ${numberOf(message)}`);
      first.unsubscribe();
      connection.messages$.subscribe((later) => seen.push(`second ${numberOf(later)}`));
    });
    peer(sized(0), sized(1), sized(2));
    expect(seen).toEqual(['first 0', 'second 1', 'second 2']);
  });

  it('sending answers each message once, in order', () => {
    const { connection, port, peer } = open();
    connection.messages$.subscribe((message) => connection.send.next(message));
    peer(...Array.from({ length: 20 }, (_, i) => sized(i)));
    expect(port.frames.map(({ payload }) => numberOf(payload.toString()))).toEqual(numbers(0, 20));
  });

  it('close() lets the rest come, since it was there already', () => {
    const { connection, peer } = open();
    const seen: number[] = [];
    connection.messages$.subscribe((message) => {
      seen.push(numberOf(message));
      connection.close();
    });
    peer(sized(0), sized(1));
    expect(seen).toEqual([0, 1]);
  });

  it('terminate() gives the message to the other subscribers, and then nothing but the end', () => {
    const { connection, peer } = open();
    const seen: string[] = [];
    for (const name of ['first', 'second']) {
      connection.messages$.subscribe({
        next: () => {
          seen.push(name);
          connection.terminate();
        },
        complete: () => seen.push(`end of ${name}`),
      });
    }
    peer(sized(0), sized(1));
    expect(seen).toEqual(['first', 'second', 'end of first', 'end of second']);
  });

  it('closing from a ping or a pong is as good', () => {
    const { connection, closeInfos, peer } = open();
    const seen = record(connection);
    connection.pings$.subscribe(() => connection.terminate());
    peer(sized(0), ping(), sized(1));
    expect([seen, closeInfos.length]).toEqual([[0], 1]);
  });
});

describe('fairness', () => {
  it('a connection that has used its turn goes on in a later one, behind the others', () => {
    const events: string[] = [];
    const slow = open();
    const other = open();
    slow.connection.messages$.subscribe((message) => {
      if (numberOf(message) % 16 === 0) events.push(`slow ${numberOf(message)}`);
      now++;
    });
    other.connection.messages$.subscribe((message) => events.push(`other ${numberOf(message)}`));
    slow.peer(...Array.from({ length: 80 }, (_, i) => sized(i)));
    expect(slow.port.isPaused).toBe(true);
    other.peer(sized(0));
    slow.turn();
    other.peer(sized(1));
    slow.turn();
    slow.turn();
    slow.turn();
    slow.turn();
    expect(events).toEqual(['slow 0', 'other 0', 'slow 16', 'other 1', 'slow 32', 'slow 48', 'slow 64']);
    expect(slow.port.isPaused).toBe(false);
  });

  it('all together have one turn: who has much to give leaves the rest for later when others have used it', () => {
    const { connection, port, peer, turn } = open();
    const seen = record(connection);
    jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
    peer(...Array.from({ length: 20 }, (_, i) => sized(i)));
    const counts = [seen.length];
    for (; port.isPaused; counts.push(seen.length)) turn();
    expect(counts).toEqual([8, 16, 20]);
    expect(seen).toEqual(numbers(0, 20));
  });

  it('who has little is never made to wait', () => {
    const { connection, port, peer } = open();
    const seen = record(connection);
    jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
    peer(...Array.from({ length: 7 }, (_, i) => sized(i)));
    expect([seen.length, port.isPaused]).toEqual([7, false]);
  });

  it('what is inflated counts too, before there are many messages', () => {
    const deflateParameters = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
    };
    const zeros = deflate(Buffer.alloc(200_000), { windowBits: 15, level: 9, memLevel: 9 }, undefined, true);
    const { connection, port, peer, turn } = memoryConnection({ highWaterMark: MARK, deflate: deflateParameters });
    const sizes: number[] = [];
    connection.messages$.subscribe((message) => sizes.push(String(message).length));
    jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
    peer(...Array.from({ length: 5 }, () => text(zeros, { rsv: 4 })));
    // Nothing is inflated in a turn that others have used, and each turn of its own is for one message.
    const counts = [sizes.length];
    for (; port.isPaused; counts.push(sizes.length)) turn();
    expect(counts).toEqual([0, 1, 2, 3, 4, 5]);
    expect(sizes).toEqual(Array(5).fill(200_000));
  });

  /** A message of so many frames. */
  const inFrames = (count: number, payload: string): Frame[] =>
    Array.from({ length: count }, (_, i) => (i === 0 ? text : continuation)(payload, { fin: i === count - 1 }));

  it('a message in many frames leaves the rest for later too, and nothing is lost', () => {
    const { connection, port, peer, turn } = open();
    const seen = lengths(connection);
    const looks = jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
    peer(...inFrames(1_000, 'x'), text('next'));
    const unparsed = [connection.stats.inboxBytes];
    for (; port.isPaused; unparsed.push(connection.stats.inboxBytes)) turn();
    // Frames of 7 bytes and one of 10: 128 of them at a time.
    expect(unparsed.map((bytes) => Math.max(0, (bytes - 10) / 7))).toEqual([872, 744, 616, 488, 360, 232, 104, 0]);
    expect(seen).toEqual([1_000, 4]);
    expect(looks.mock.calls.length).toBe(7);
  });

  it('the clock is asked once for 128 frames that say nothing', () => {
    const { connection, port, peer } = open();
    const seen = lengths(connection);
    const looks = jest.spyOn(port, 'isTurnOver');
    peer(...inFrames(2_000, ''));
    // And after 8 and 16 of these steps, as after so many messages.
    expect({ seen, looks: looks.mock.calls.length, pauses: port.pauses }).toEqual({
      seen: [0],
      looks: 15 + 2,
      pauses: 0,
    });
  });

  it('little costs no look at the clock', () => {
    const { connection, port, peer } = open();
    const seen = lengths(connection);
    const looks = jest.spyOn(port, 'isTurnOver');
    const clock = jest.mocked(performance.now);
    clock.mockClear();
    for (let i = 0; i < 100; i++) peer(text('x'.repeat(4_000)));
    peer(...inFrames(100, 'x'));
    expect({ seen: seen.length, looks: looks.mock.calls.length, clock: clock.mock.calls.length }).toEqual({
      seen: 101,
      looks: 0,
      clock: 0,
    });
  });

  it.each(['server', 'client'] as const)(
    'a large read that is one message costs no look at the clock (as %s)',
    (role) => {
      const { connection, port, peer } = memoryConnection({ role });
      const seen = lengths(connection);
      const looks = jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
      for (let i = 0; i < 200; i++) peer(text('x'.repeat(65_000)));
      expect({ messages: seen.length, looks: looks.mock.calls.length, pauses: port.pauses }).toEqual({
        messages: 200,
        looks: 0,
        pauses: 0,
      });
    },
  );

  it('a long text is decoded later when others have used the turn, however little of it comes last', () => {
    const { connection, port, turn } = open();
    const seen = lengths(connection);
    const message = wire('server', [text('\u20ac'.repeat(20_000)), text('next')]);
    const end = message.length - 50;
    for (let at = 0; at < end; at += 10_000) port.receive(message.subarray(at, Math.min(end, at + 10_000)));
    jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
    port.receive(message.subarray(end));
    expect([seen, port.isPaused]).toEqual([[], true]);
    turn();
    expect([seen, port.isPaused]).toEqual([[20_000, 4], false]);
  });

  describe('small reads of a port that may bring many at once, as TLS brings its records', () => {
    it('stop the port when there are many and others have used the turn', () => {
      const { connection, port, peer, turn } = open();
      const seen = record(connection);
      jest.replaceProperty(port as { synchronous: boolean }, 'synchronous', false);
      const looks = jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
      for (let i = 0; i < 100; i++) peer(sized(i));
      expect({ isPaused: port.isPaused, looks: looks.mock.calls.length }).toEqual({ isPaused: true, looks: 1 });
      expect(seen.length).toBeGreaterThan(32);
      expect(seen.length).toBeLessThan(100);
      turn();
      turn();
      expect({ seen, isPaused: port.isPaused }).toEqual({ seen: numbers(0, 100), isPaused: false });
    });

    it('never wait when others have not', () => {
      const { connection, port, peer } = open();
      const seen = record(connection);
      jest.replaceProperty(port as { synchronous: boolean }, 'synchronous', false);
      for (let i = 0; i < 500; i++) peer(sized(i));
      expect({ seen, pauses: port.pauses }).toEqual({ seen: numbers(0, 500), pauses: 0 });
    });
  });

  describe('what a peer goes on to send', () => {
    it('after our Close frame is parsed in turns', () => {
      const { connection, port, peer, turn } = open();
      connection.close();
      jest.spyOn(port, 'isTurnOver').mockReturnValue(true);
      peer(...inFrames(300, 'x'), close(1000));
      expect([port.isPaused, connection.readyState]).toEqual([true, 2]);
      for (let turns = 0; turns < 3; turns++) turn();
      port.finish();
      turn();
      expect(connection.readyState).toBe(3);
    });
  });

  it('nothing is lost or reordered however it is cut, and however often the turn is over', () => {
    const messages = [1, 300, 20_000, 5, 70_000].map((size, index) => `${index}${'\u20ac'.repeat(size)}`);
    const frames = messages.flatMap((message, index) => [...fragments(1, message, 3 ** (index + 1)), ping(`${index}`)]);
    const bytes = wire('server', frames);
    for (const size of [64, 999, 16_384, 65_536]) {
      const { connection, port, turn } = memoryConnection({ maxFragments: 100_000 });
      const seen: unknown[] = [];
      connection.messages$.subscribe((message) => seen.push(message));
      let looks = 0;
      jest.spyOn(port, 'isTurnOver').mockImplementation(() => looks++ % 3 !== 0);
      for (let at = 0; at < bytes.length; at += size) port.receive(bytes.subarray(at, at + size));
      while (port.isPaused || port.waiting > 0) turn();
      expect(seen).toEqual(messages);
      expect(port.frames.map(({ opcode, payload }) => [opcode, `${payload}`])).toEqual(
        messages.map((_, index) => [10, `${index}`]),
      );
    }
  });

  it('the end of the connection waits for a turn that is due', () => {
    const { connection, port, closeInfos, peer, turn } = open();
    const seen = record(connection);
    connection.messages$.subscribe(() => now++);
    peer(...Array.from({ length: 100 }, (_, i) => sized(i)));
    port.reset();
    expect([seen.length, closeInfos.length]).toEqual([16, 0]);
    for (let turns = 0; turns < 6; turns++) turn();
    expect([seen.length, closeInfos.length]).toEqual([100, 1]);
  });
});

function open(): MemoryConnection {
  return memoryConnection({ highWaterMark: MARK });
}

function sized(index: number): ReturnType<typeof text> {
  return text(`${index}`.padEnd(SIZE, ' '));
}

function numberOf(message: unknown): number {
  return Number.parseInt(String(message), 10);
}

function record(connection: MemoryConnection['connection']): number[] {
  const seen: number[] = [];
  connection.messages$.subscribe((message) => seen.push(numberOf(message)));
  return seen;
}

function lengths(connection: MemoryConnection['connection']): number[] {
  const seen: number[] = [];
  connection.messages$.subscribe((message) => seen.push(String(message).length));
  return seen;
}

/** From `start` up to, but not, `end`. */
function numbers(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
