import { Parser, type ParserOptions, ParserPool } from '../../../src/protocol/message/parser.js';
import { Session } from '../../../src/protocol/message/session.js';
import { continuation, type Frame, ping, text, wire } from '../../support/frames.js';

const options = (): ParserOptions => ({
  role: 'server',
  maxPayload: 1000,
  maxFragments: 10,
  skipUTF8Validation: false,
});

const bytes = (...frames: Frame[]): Buffer => wire('server', frames);

describe('a parser', () => {
  it('gives messages and control frames one at a time, in order', () => {
    const parser = new Parser(options());
    parser.frames.push(bytes(text('a', { fin: false }), ping('p'), continuation('b'), text('c')));
    expect([parser.next(), parser.next(), parser.next(), parser.next()]).toEqual([
      { type: 'control', opcode: 0x9, data: Buffer.from('p') },
      { type: 'message', data: 'ab', size: 2 },
      { type: 'message', data: 'c', size: 1 },
      undefined,
    ]);
  });

  it('joins a control frame that comes in several chunks', () => {
    const parser = new Parser(options());
    const frame = bytes(ping('abc'));
    for (const byte of frame.subarray(0, -1)) {
      parser.frames.push(Buffer.from([byte]));
      expect(parser.next()).toBeUndefined();
    }
    parser.frames.push(frame.subarray(-1));
    expect(parser.next()).toEqual({ type: 'control', opcode: 0x9, data: Buffer.from('abc') });
  });

  it('is at rest between messages only', () => {
    const parser = new Parser(options());
    expect(parser.isAtRest).toBe(true);
    const frames = [text('a', { fin: false }), continuation('b'), ping('p')];
    const whole = bytes(...frames);
    const rests = [...whole.keys()].filter((at) => {
      parser.frames.push(Buffer.from([whole[at] as number]));
      while (parser.next() !== undefined);
      return parser.isAtRest;
    });
    expect(rests).toEqual([bytes(...frames.slice(0, 2)).length - 1, whole.length - 1]);
    parser.frames.push(bytes(text('c')));
    expect(parser.isAtRest).toBe(false);
  });
});

describe('the parsers of sessions with the same options', () => {
  it('are used again by whoever has bytes next', () => {
    const pool = ParserPool.of(options());
    const first = pool.take();
    expect(pool.take()).not.toBe(first);
    pool.give(first);
    expect(pool.take()).toBe(first);
  });

  it('are one for all that come one after the other', () => {
    const own = options();
    const pool = ParserPool.of(own);
    const spare = pool.take();
    pool.give(spare);
    for (let index = 0; index < 3; index++) {
      const session = new Session(own);
      session.push(bytes(text('a')));
      expect([session.next(), session.next()]).toEqual([{ type: 'message', data: 'a', size: 1 }, undefined]);
    }
    expect([pool.take(), ParserPool.of(own)]).toEqual([spare, pool]);
  });

  it('stay with sessions that have a message in progress', () => {
    const own = options();
    const [one, other] = [new Session(own), new Session(own)];
    for (const session of [one, other]) {
      session.push(bytes(text('é'.slice(0, 1), { fin: false })));
      expect(session.next()).toBeUndefined();
      expect(session.partialMessage).toBe(1);
    }
    one.push(bytes(continuation('1')));
    other.push(bytes(continuation('2')));
    expect([one.next(), other.next()]).toMatchObject([{ data: 'é1' }, { data: 'é2' }]);
  });

  it('do not come back from a session that the peer has failed', () => {
    const own = options();
    const pool = ParserPool.of(own);
    const spare = pool.take();
    pool.give(spare);
    const session = new Session(own);
    session.push(bytes(continuation('a')));
    expect(session.next()).toMatchObject({ type: 'fail' });
    expect(pool.take()).not.toBe(spare);
  });

  it('are of other sessions with other options', () => {
    expect(ParserPool.of(options())).not.toBe(ParserPool.of(options()));
  });

  it('are kept up to a number', () => {
    const pool = ParserPool.of(options());
    const parsers = Array.from({ length: 40 }, () => pool.take());
    for (const parser of parsers) pool.give(parser);
    const again = Array.from({ length: 40 }, () => pool.take());
    expect(again.filter((parser) => parsers.includes(parser))).toHaveLength(16);
  });
});
