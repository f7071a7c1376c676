import * as fc from 'fast-check';
import { MessageInflater } from '../../../src/protocol/deflate/message-inflater.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import type { Session } from '../../../src/protocol/message/session.js';
import { hex } from '../../support/bits.js';
import { binary, close, closeOf, continuation, type Frame, ping, pong, text, wire } from '../../support/frames.js';
import { drain, expectSeen, newSession, type Seen, sees } from '../../support/vectors.js';

const tooSlow = new ProtocolError('MESSAGE_TOO_SLOW', 1008, 'message too slow');

const agreed = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

describe('a pulled session', () => {
  it('parses nothing before it is asked, and one output each time', () => {
    const session = sessionOf(text('a'), ping('b'), pong('c'), binary('d'));
    expect(session.unparsed).toBe(12);
    expect(session.next()).toEqual(sees.message('a'));
    expect(session.unparsed).toBe(9);
    expect(drain(session)).toEqual([sees.ping('b'), sees.pong('c'), sees.message(Buffer.from('d'))]);
    expect([session.unparsed, session.next()]).toEqual([0, undefined]);
  });

  it('leaves nothing unparsed when it has nothing to say', () => {
    const session = sessionOf(text('a'));
    session.push(hex('82'));
    session.push(hex('7e 0100 61'));
    drain(session);
    expect(session.unparsed).toBe(0);
  });

  it('gives the outputs of ten thousand frames in one chunk', () => {
    const session = sessionOf(...Array.from({ length: 10_000 }, (_, i) => text(`${i}`)));
    expect(drain(session)).toEqual(Array.from({ length: 10_000 }, (_, i) => sees.message(`${i}`)));
  });

  it('joins ten thousand frames in one chunk', () => {
    const frames = Array.from({ length: 10_000 }, (_, i) => (i === 0 ? text : continuation)('x', { fin: i === 9999 }));
    const session = newSession('client', { maxFragments: 10_000 });
    session.push(wire('client', frames));
    expect(drain(session)).toEqual([sees.message('x'.repeat(10_000))]);
  });

  it('gives payloads of pings that do not change with the chunk', () => {
    const chunk = wire('client', [ping('abc')]);
    const session = newSession('client');
    session.push(chunk);
    const output = session.next();
    chunk.fill(0);
    expect(output).toEqual(sees.ping('abc'));
  });
});

describe('what goes wrong without a fault of the peer', () => {
  const internal = { type: 'fail', error: { code: 'INTERNAL_ERROR', closeCode: 1011, cause: { message: 'broken' } } };

  it('fails the session, and never escapes', () => {
    const session = newSession('client');
    session.push(broken('0'));
    expect(session.next()).toMatchObject(internal);
    expect({ next: session.next(), state: session.state, unparsed: session.unparsed }).toEqual({
      next: undefined,
      state: 'failed',
      unparsed: 0,
    });
  });

  it('is told to the peer without the cause', () => {
    const session = newSession('client');
    session.push(broken('0'));
    expect(session.next()).toMatchObject({ error: { message: 'internal error' } });
  });

  it('may come from an inflater', () => {
    const inflater = new MessageInflater(agreed, 'client', 1_000);
    inflater.inflate = () => {
      throw new RangeError('broken');
    };
    const session = newSession('client', { inflater });
    session.push(wire('client', [text('x', { rsv: 4 }), text('y')]));
    expect([session.next(), session.next()]).toMatchObject([internal, undefined]);
  });

  it('may come when bytes are pushed behind others', () => {
    const session = newSession('client');
    session.push(hex('81 01'));
    session.push(broken('subarray'));
    expect([session.next(), session.next()]).toMatchObject([internal, undefined]);
  });

  it('may come when bytes are kept', () => {
    const session = newSession('client');
    session.push(broken('copy'));
    session.keep();
    expect([session.next(), session.next()]).toMatchObject([internal, undefined]);
  });
});

describe('one call', () => {
  const more = { type: 'more' };

  it.each(['', 'x'])('reads at most 128 frames that say nothing, of "%s"', (payload) => {
    const frames = Array.from({ length: 1_000 }, (_, i) =>
      (i === 0 ? text : continuation)(payload, { fin: i === 999 }),
    );
    const session = sessionOf(...frames, text('next'));
    const size = wire('client', [text(payload)]).length;
    const left: number[] = [];
    for (let calls = 0; calls < 7; calls++) {
      expect(session.next()).toEqual(more);
      left.push(session.unparsed);
    }
    const next = 6;
    expect(left).toEqual([872, 744, 616, 488, 360, 232, 104].map((count) => count * size + next));
    expect(drain(session)).toEqual([sees.message(payload.repeat(1_000)), sees.message('next')]);
  });

  it('says so too when nothing is left behind them', () => {
    const session = sessionOf(
      ...Array.from({ length: 128 }, (_, i) => (i === 0 ? text : continuation)('', { fin: false })),
    );
    expect([session.next(), session.next()]).toEqual([more, undefined]);
    expect(session.partialMessage).toBe(1);
  });

  it.each(['a', '\u20ac'])('collects a long text of "%s", and decodes it in another one', (letter) => {
    const message = letter.repeat(20_000);
    const [first, last] = halves(wire('client', [text(message), text('next')]));
    const session = newSession('client');
    session.push(first);
    // Checking a long part that is not ASCII took long.
    expect(session.next()).toEqual(letter === 'a' ? undefined : more);
    session.push(last);
    expect([session.next(), session.partialMessage]).toEqual([more, 0]);
    expect(drain(session)).toEqual([sees.message(message), sees.message('next')]);
  });

  it('decodes one that the peer has ended its side behind', () => {
    const message = '\u20ac'.repeat(20_000);
    const [first, last] = halves(wire('client', [text(message)]));
    const session = newSession('client');
    session.push(first);
    session.next();
    session.push(last);
    session.finish();
    expect(drain(session)).toEqual([sees.message(message), { type: 'end' }]);
  });

  it.each([
    ['a short text', text('\u20ac'.repeat(1_000)), '\u20ac'.repeat(1_000)],
    ['bytes', binary(Buffer.alloc(60_000, 7)), Buffer.alloc(60_000, 7)],
  ])('gives %s at once', (_, sent, data) => {
    const [first, last] = halves(wire('client', [sent]));
    const session = newSession('client');
    session.push(first);
    session.next();
    session.push(last);
    expect(session.next()).toEqual(sees.message(data));
  });
});

describe('the memory of what is pushed', () => {
  const frames = [
    text('a'),
    binary(Buffer.alloc(300, 1)),
    text('b'.repeat(5000), { fin: false }),
    ping('in between'),
    continuation('c'.repeat(3000)),
    pong(''),
    binary(Buffer.alloc(70_000, 2)),
    text('\u20ac'.repeat(100)),
  ];
  const whole = wire('server', frames);

  it('may be used again once what is not parsed is kept, wherever chunks end and however much is asked for', () => {
    const memory = Buffer.alloc(65_536);
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 65_536 })), {
      minLength: 1,
    });
    const asks = fc.array(fc.nat({ max: 3 }), { minLength: 1 });
    const expected = drain(pushed(whole));
    fc.assert(
      fc.property(sizes, asks, (cuts, portions) => {
        const session = newSession('server');
        const outputs: Seen[] = [];
        for (let at = 0, turn = 0; at < whole.length; turn++) {
          const length = whole.copy(memory, 0, at, at + cuts[turn % cuts.length]!);
          session.push(memory, length);
          for (let left = portions[turn % portions.length]!; left > 0; left--) {
            const output = session.next();
            if (output !== undefined) outputs.push(output as Seen);
          }
          session.keep();
          memory.fill(0x55);
          at += length;
        }
        expectSeen([...outputs, ...drain(session)], expected);
      }),
      { numRuns: 50 },
    );
  });

  it('is not copied when all of it is parsed, and only once when it is not', () => {
    const session = newSession('server');
    const bytes = wire('server', [text('a'.repeat(1_000_000))]);
    session.push(bytes);
    const copiesMade = (): boolean => {
      const before = process.memoryUsage().arrayBuffers;
      session.keep();
      return process.memoryUsage().arrayBuffers - before > bytes.length / 2;
    };
    expect([copiesMade(), copiesMade()]).toEqual([true, false]);
    drain(session);
    expect(copiesMade()).toBe(false);
  });
});

describe('the end of the transport', () => {
  it('is seen once, after all that was parsed', () => {
    const session = sessionOf(text('a'));
    session.finish();
    session.finish();
    expect(drain(session)).toEqual([sees.message('a'), { type: 'end' }]);
    expect(session.state).toBe('over');
    session.finish();
    expect(session.next()).toBeUndefined();
  });

  it('drops a message in progress', () => {
    const session = sessionOf(text('a', { fin: false }));
    session.finish();
    expect(drain(session)).toEqual([{ type: 'end' }]);
    expect({
      partialMessage: session.partialMessage,
      partialBytes: session.partialBytes,
      unparsed: session.unparsed,
    }).toEqual({ partialMessage: 0, partialBytes: 0, unparsed: 0 });
  });

  it.each(['before', 'after'])('is seen after the Close frame when it came %s that was parsed', (when) => {
    const session = sessionOf(close(1000), text('late'));
    if (when === 'before') session.finish();
    const outputs = [session.next()];
    session.finish();
    session.push(wire('client', [text('later')]));
    expect([...outputs, ...drain(session)]).toEqual([sees.close(1000), { type: 'end' }]);
    expect(session.state).toBe('over');
  });

  it('is not seen after a fault', () => {
    const session = newSession('client');
    session.push(hex('ff'));
    session.finish();
    expect(drain(session)).toEqual([sees.fail('RESERVED_BIT')]);
    session.finish();
    expect([session.next(), session.state]).toEqual([undefined, 'failed']);
  });
});

describe('the closing handshake (RFC 6455 §7.1)', () => {
  it('is over for the parser with the Close frame of the peer', () => {
    const session = sessionOf(text('a'), close(1001, 'bye'));
    expect([session.next(), session.state]).toEqual([sees.message('a'), 'parsing']);
    expect([session.next(), session.state]).toEqual([sees.close(1001, 'bye'), 'over']);
  });

  it('has the code 1005 for a Close frame without one', () => {
    expect(sessionOf(closeOf()).next()).toEqual({ type: 'close', code: 1005, reason: '' });
  });

  it('ends parsing: what comes after the Close frame is dropped', () => {
    const session = sessionOf(close(1000), text('late'), ping());
    session.next();
    session.push(wire('client', [text('later')]));
    expect([session.unparsed, session.next()]).toEqual([0, undefined]);
  });
});

describe('fail', () => {
  it('is the only output from then on', () => {
    const session = sessionOf(text('a'), text('b'));
    session.next();
    session.fail(tooSlow);
    session.push(wire('client', [text('c')]));
    session.finish();
    expect(session.next()).toEqual({ type: 'fail', error: tooSlow });
    expect({ next: session.next(), state: session.state, unparsed: session.unparsed }).toEqual({
      next: undefined,
      state: 'failed',
      unparsed: 0,
    });
  });

  it('has no effect after a fault of the peer, the Close frame or the end', () => {
    const failed = newSession('client');
    failed.push(hex('ff'));
    const closed = sessionOf(close(1000));
    const ended = newSession('client');
    ended.finish();
    for (const session of [failed, closed, ended]) {
      session.next();
      const { state } = session;
      session.fail(tooSlow);
      expect([session.next(), session.state]).toEqual([undefined, state]);
    }
  });
});

describe('discard', () => {
  it('drops everything, now and later', () => {
    const session = sessionOf(text('a'), text('b', { fin: false }));
    session.next();
    session.discard();
    session.push(wire('client', [text('c')]));
    session.finish();
    expect({
      next: session.next(),
      unparsed: session.unparsed,
      partialMessage: session.partialMessage,
      state: session.state,
    }).toEqual({ next: undefined, unparsed: 0, partialMessage: 0, state: 'over' });
  });

  it('drops a fault that was not asked for yet', () => {
    const session = newSession('client');
    session.fail(tooSlow);
    session.discard();
    expect([session.next(), session.state]).toEqual([undefined, 'failed']);
  });
});

describe('the message in progress', () => {
  it('is none before, between and after whole messages', () => {
    const session = newSession('client');
    expect(session.partialMessage).toBe(0);
    session.push(wire('client', [text('a'), text('b')]));
    session.next();
    expect(session.partialMessage).toBe(0);
    drain(session);
    expect([session.partialMessage, session.partialBytes]).toEqual([0, 0]);
  });

  it('keeps its ordinal from its first byte to its last, over frames and control frames within it', () => {
    const session = newSession('client');
    const progress = [
      ...wire('client', [text('a'), text('b', { fin: false }), ping('p'), continuation('c'), text('d')]),
    ].map((byte) => {
      session.push(Buffer.from([byte]));
      drain(session);
      return [session.partialMessage, session.partialBytes];
    });
    expect(progress).toEqual([
      ...[
        [1, 1],
        [1, 2],
        [0, 0],
      ],
      ...[
        [2, 1],
        [2, 2],
        [2, 3],
      ],
      ...[
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      ...[
        [2, 4],
        [2, 5],
        [0, 0],
      ],
      ...[
        [3, 1],
        [3, 2],
        [0, 0],
      ],
    ]);
  });

  it('may be a control frame, which has an ordinal of its own outside of a message', () => {
    const session = newSession('client');
    session.push(hex('89 01'));
    drain(session);
    expect([session.partialMessage, session.partialBytes]).toEqual([1, 2]);
    session.push(hex('61 8a'));
    drain(session);
    expect([session.partialMessage, session.partialBytes]).toEqual([2, 1]);
  });
});

describe('what may have to be inflated', () => {
  // RFC 7692 §7.2.3.1: "Hello".
  const hello = hex('f2 48 cd c9 c9 07 00');
  const compressed = wire('client', [text(hello, { rsv: 4 })]);

  function compressing(): Session {
    return newSession('client', { inflater: new MessageInflater(agreed, 'client', 1_000) });
  }

  it('is a compressed message, from its first byte to its last', () => {
    const session = compressing();
    for (const byte of compressed) {
      session.push(Buffer.of(byte));
      expect(session.mayInflate).toBe(true);
      session.next();
      expect(session.mayInflate).toBe(false);
    }
  });

  it('is its later frames too, and no message behind it', () => {
    const session = compressing();
    const parts = [text(hello.subarray(0, 3), { rsv: 4, fin: false }), continuation(hello.subarray(3)), text('plain')];
    session.push(wire('client', parts.slice(0, 1)));
    session.next();
    session.push(wire('client', parts.slice(1)));
    expect(session.mayInflate).toBe(true);
    expect(session.next()).toMatchObject({ type: 'message', data: 'Hello' });
    expect(session.mayInflate).toBe(false);
  });

  it('is nothing that is not compressed, nor anything where compression was not agreed to', () => {
    const plain = compressing();
    plain.push(wire('client', [text('plain', { fin: false }), ping('a')]));
    expect(plain.mayInflate).toBe(false);
    plain.next();
    plain.push(wire('client', [continuation('text')]));
    expect(plain.mayInflate).toBe(false);
    const without = newSession('client');
    without.push(compressed);
    expect(without.mayInflate).toBe(false);
  });

  it('is what a chunk may begin with that is not looked at yet', () => {
    const session = compressing();
    session.push(wire('client', [text('a')]));
    session.push(compressed);
    session.next();
    expect(session.mayInflate).toBe(true);
  });
});

function pushed(bytes: Buffer): Session {
  const session = newSession('server');
  session.push(Buffer.from(bytes));
  return session;
}

function sessionOf(...frames: Frame[]): Session {
  const session = newSession('client');
  session.push(wire('client', frames));
  return session;
}

function halves(bytes: Buffer): [Buffer, Buffer] {
  const middle = bytes.length >> 1;
  return [Buffer.from(bytes.subarray(0, middle)), Buffer.from(bytes.subarray(middle))];
}

/** A chunk whose property `broken` cannot be read. */
function broken(property: string): Buffer {
  return new Proxy(Buffer.from('a'), {
    get(target, name) {
      if (name === property) throw new Error('broken');
      return Reflect.get(target, name, target) as unknown;
    },
  });
}
