import { deflateRawSync } from 'node:zlib';
import { deflate } from '../../src/protocol/deflate/deflate.js';
import { MessageInflater } from '../../src/protocol/deflate/message-inflater.js';
import type { Role } from '../../src/protocol/frame/opcode.js';
import type { Session } from '../../src/protocol/message/session.js';
import { jsonText, noise } from '../support/compressible.js';
import { binary, close, closeOf, continuation, type Frame, frame, ping, pong, text, wire } from '../support/frames.js';
import { StreamingDeflater } from '../support/streaming-peer.js';
import { drain, itSees, newSession, roles, sees, type Vector } from '../support/vectors.js';

const MiB = 1_048_576;
const RSV1 = { rsv: 4 } as const;
const settings = { windowBits: 15, level: 9, memLevel: 9 };

/** The compressed form of a message without context. */
const body = (data: string | Buffer): Buffer => deflate(Buffer.from(data as Buffer), settings, undefined, true);
const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

/** A compressed message in fragments of so many bytes: only the first has RSV1. */
function pieces(opcode: 1 | 2, payload: Buffer, size: number): Frame[] {
  const count = Math.ceil(payload.length / size);
  return Array.from({ length: count }, (_, at) =>
    frame(at === 0 ? opcode : 0, payload.subarray(at * size, (at + 1) * size), {
      fin: at === count - 1,
      rsv: at === 0 ? 4 : 0,
    }),
  );
}

const parameters = (keepsContext: boolean) => ({
  serverNoContextTakeover: !keepsContext,
  clientNoContextTakeover: !keepsContext,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
});

const inflaterOf = (role: Role, keepsContext: boolean, maxPayload = MiB): MessageInflater =>
  new MessageInflater(parameters(keepsContext), role, maxPayload);

/** A vector for a session that agreed to compression without context, so that it can be asked again and again. */
function itInflates(behaviour: string, vector: Vector, maxPayload = MiB): void {
  itSees(behaviour, {
    ...vector,
    options: { maxPayload, ...vector.options, inflater: inflaterOf('server', false, maxPayload) },
  });
}

/** A session that agreed to compression, and its inflater. */
function sessionOf(
  role: Role,
  keepsContext: boolean,
  maxPayload = MiB,
): { session: Session; inflater: MessageInflater } {
  const inflater = inflaterOf(role, keepsContext, maxPayload);
  return { session: newSession(role, { maxPayload, inflater }), inflater };
}

describe('the Per-Message Compressed bit (RFC 7692 §6)', () => {
  itInflates('marks messages, and others stay as they are', {
    sent: [text('plain'), text(body('compressed'), RSV1), binary('plain'), binary(body(noise(300)), RSV1), text()],
    seen: [
      sees.message('plain'),
      sees.message('compressed'),
      sees.message(Buffer.from('plain')),
      sees.message(noise(300)),
      sees.message(''),
    ],
  });

  itInflates('stands on the first fragment only, and control frames may come between', {
    sent: pieces(1, body(jsonText(400)), 20).flatMap((each) => [each, ping('p')]),
    seen: [
      ...pieces(1, body(jsonText(400)), 20)
        .slice(1)
        .map(() => sees.ping('p')),
      sees.message(jsonText(400)),
      sees.ping('p'),
    ],
  });

  itInflates('allows empty fragments', {
    sent: [
      text('', { fin: false, ...RSV1 }),
      continuation(body('Hello').subarray(0, 3), { fin: false }),
      continuation('', { fin: false }),
      continuation(body('Hello').subarray(3), { fin: false }),
      continuation(),
    ],
    seen: [sees.message('Hello')],
  });

  itInflates('is no part of a continuation', {
    sent: [text(body('Hello').subarray(0, 3), { fin: false, ...RSV1 }), continuation(body('Hello').subarray(3), RSV1)],
    seen: [sees.fail('RESERVED_BIT')],
  });

  itInflates('is no part of a continuation of a plain message', {
    sent: [text('a', { fin: false }), continuation(body('b'), RSV1)],
    seen: [sees.fail('RESERVED_BIT')],
  });

  for (const [name, control] of [
    ['ping', ping('a')],
    ['pong', pong('a')],
    ['close', close(1000)],
    ['empty close', closeOf()],
  ] as const) {
    itInflates(`is no part of a ${name}`, {
      sent: [text(body('ok'), RSV1), { ...control, rsv: 4 }],
      seen: [sees.message('ok'), sees.fail('RESERVED_BIT')],
    });
  }

  for (const opcode of [3, 4, 5, 6, 7, 0xb, 0xf]) {
    itInflates(`is no part of the reserved opcode ${opcode}`, {
      sent: [frame(opcode, body('a'), RSV1)],
      seen: [sees.fail('RESERVED_BIT')],
    });
  }

  for (const rsv of [1, 2, 3, 5, 6, 7]) {
    itInflates(`is the only one that is agreed to: ${rsv.toString(2).padStart(3, '0')}`, {
      sent: [text(body('a'), { rsv })],
      seen: [sees.fail('RESERVED_BIT')],
    });
  }

  itSees('means nothing when it was not agreed to', {
    sent: [text('ok'), text(body('a'), RSV1)],
    seen: [sees.message('ok'), sees.fail('RESERVED_BIT')],
  });
});

describe('compressed data (RFC 7692 §7.2.2)', () => {
  itInflates('may be an empty message', {
    sent: [text(hex('00'), RSV1), binary(hex('02 00'), RSV1)],
    seen: [sees.message(''), sees.message(Buffer.alloc(0))],
  });

  itInflates('that is not valid fails the connection, and nothing follows', {
    sent: [text(body('ok'), RSV1), binary(hex('ff ff'), RSV1), text(body('late'), RSV1), text('late')],
    seen: [sees.message('ok'), sees.fail('COMPRESSION_INVALID', 1007)],
  });

  itInflates('may not be missing', { sent: [text('', RSV1)], seen: [sees.fail('COMPRESSION_INVALID', 1007)] });

  itInflates('may not be cut off by the end of the message', {
    sent: [text(body(jsonText(300)).subarray(0, -1), RSV1)],
    seen: [sees.fail('COMPRESSION_INVALID', 1007)],
  });

  itInflates('may be of several streams', {
    sent: pieces(1, Buffer.concat([deflateRawSync(Buffer.from('Hello ')), body('world')]), 3),
    seen: [sees.message('Hello world')],
  });

  itInflates('may not be of more than 16 streams', {
    sent: [binary(Buffer.concat(Array.from({ length: 17 }, () => hex('03 00'))), RSV1)],
    seen: [sees.fail('TOO_MANY_STREAMS', 1008)],
  });

  itInflates('is text when it is UTF-8', {
    sent: [text(body('é𝄞'), RSV1), ...pieces(1, body('é𝄞'.repeat(50)), 2)],
    seen: [sees.message('é𝄞'), sees.message('é𝄞'.repeat(50))],
  });

  for (const bytes of ['ff', 'c3', 'ed a0 80', 'c0 80']) {
    itInflates(`is no text when it is not UTF-8: ${bytes}`, {
      sent: [binary(body(hex(bytes)), RSV1), text(body(hex(`61 ${bytes}`)), RSV1)],
      seen: [sees.message(hex(bytes)), sees.fail('UTF8_INVALID', 1007)],
    });
  }

  itInflates('is text with U+FFFD when nobody validates', {
    sent: [text(body(hex('61 ff')), RSV1)],
    seen: [{ type: 'message', data: 'a\ufffd', size: 2 }],
    options: { skipUTF8Validation: true },
  });

  it.each(roles)('of 5 MiB of noise and 5 MiB of zeros is inflated (as %s)', (role) => {
    const { session } = sessionOf(role, false, 11 * MiB);
    const data = Buffer.concat([Buffer.from(jsonText(5 * MiB)), Buffer.alloc(5 * MiB)]);
    session.push(wire(role, pieces(2, body(data), 65_536)));
    const [message] = drain(session);
    expect(message?.type === 'message' && data.equals(message.data as Buffer)).toBe(true);
  });
});

describe('the size of a compressed message', () => {
  itInflates(
    'is that of its text',
    { sent: [text(body('a'.repeat(1000)), RSV1)], seen: [sees.message('a'.repeat(1000))] },
    1000,
  );

  itInflates(
    'is limited by maxPayload, also when it is short on the wire',
    {
      sent: [text(body('a'.repeat(1000)), RSV1), text(body('a'.repeat(1001)), RSV1)],
      seen: [sees.message('a'.repeat(1000)), sees.fail('MESSAGE_TOO_LONG', 1009)],
    },
    1000,
  );

  itInflates(
    'is counted over all of its fragments',
    { sent: pieces(2, body(Buffer.alloc(200_000)), 7), seen: [sees.fail('MESSAGE_TOO_LONG', 1009)] },
    199_999,
  );

  itInflates(
    'may be a little more on the wire',
    {
      sent: [binary(Buffer.concat([hex('00 e8 03 17 fc'), noise(1000), hex('00')]), RSV1)],
      seen: [sees.message(noise(1000))],
    },
    1000,
  );

  itInflates(
    'may not be much more on the wire, known from the headers',
    { sent: [binary(Buffer.alloc(2087), RSV1)], last: { payload: 0 }, seen: [sees.fail('MESSAGE_TOO_LONG', 1009)] },
    1000,
  );

  itInflates(
    'may not be much more on the wire over all fragments',
    {
      sent: [binary(Buffer.alloc(2000), { fin: false, ...RSV1 }), ping(), continuation(Buffer.alloc(87))],
      last: { payload: 0 },
      seen: [sees.ping(), sees.fail('MESSAGE_TOO_LONG', 1009)],
    },
    1000,
  );

  itInflates(
    'does not change what a plain message may be',
    {
      sent: [binary(body('a'), RSV1), binary(Buffer.alloc(1001))],
      last: { payload: 0 },
      seen: [sees.message(Buffer.from('a')), sees.fail('MESSAGE_TOO_LONG', 1009)],
    },
    1000,
  );
});

describe('a bomb', () => {
  const bomb = body(Buffer.alloc(100 * MiB));

  /** zlib takes memory from Node chunk by chunk: what it took is what it inflated. */
  function expectBounded(work: () => void): void {
    const allocate = jest.spyOn(Buffer, 'allocUnsafe');
    work();
    const taken = allocate.mock.calls.reduce((sum, [size]) => sum + size, 0);
    allocate.mockRestore();
    expect(taken).toBeGreaterThan(MiB);
    expect(taken).toBeLessThanOrEqual(MiB + 3 * 65_536);
  }

  it.each(roles)('is not inflated beyond maxPayload, in one frame (as %s)', (role) => {
    const { session, inflater } = sessionOf(role, false);
    session.push(wire(role, [binary(bomb, RSV1), text('late')]));
    expectBounded(() => expect(drain(session)).toEqual([sees.fail('MESSAGE_TOO_LONG', 1009)]));
    expect([session.state, inflater.inflated, session.unparsed]).toEqual(['failed', 0, 0]);
  });

  it.each(roles)('is not inflated beyond maxPayload, over a thousand fragments (as %s)', (role) => {
    const { session } = sessionOf(role, false);
    session.push(wire(role, pieces(2, bomb, Math.ceil(bomb.length / 1000))));
    expectBounded(() => expect(drain(session)).toEqual([sees.fail('MESSAGE_TOO_LONG', 1009)]));
  });

  it.each(roles)('is not inflated beyond maxPayload with the context of the message before (as %s)', async (role) => {
    const { session, inflater } = sessionOf(role, true, 40_000);
    const peer = new StreamingDeflater({ level: 9 });
    const seed = noise(30_000);
    session.push(wire(role, [binary(await peer.deflate(seed), RSV1)]));
    expect(drain(session)).toEqual([sees.message(seed)]);
    const second = await peer.deflate(Buffer.concat([seed, seed]));
    expect(second.length).toBeLessThan(1000);
    session.push(wire(role, [binary(second, RSV1)]));
    expect(drain(session)).toEqual([sees.fail('MESSAGE_TOO_LONG', 1009)]);
    expect(inflater.inflated).toBe(30_000);
    peer.close();
  });
});

describe('the context of messages (RFC 7692 §7.2.2)', () => {
  it.each(roles)('goes on over messages that are not compressed (as %s)', async (role) => {
    const { session } = sessionOf(role, true);
    const peer = new StreamingDeflater();
    const first = jsonText(600);
    for (let round = 0; round < 4; round++) {
      const payload = await peer.deflate(Buffer.from(first));
      if (round > 0) expect(payload.length).toBeLessThan(40);
      const sent = [
        text('plain'),
        ping(),
        text(payload, RSV1),
        binary(noise(50_000)),
        ...pieces(1, await peer.deflate(Buffer.from('again')), 2),
      ];
      session.push(wire(role, sent));
      expect(drain(session).map((each) => (each.type === 'message' ? each.size : each.type))).toEqual([
        5,
        'ping',
        600,
        50_000,
        5,
      ]);
    }
    peer.close();
  });

  it.each(roles)('is not there when none is kept (as %s)', async (role) => {
    const { session } = sessionOf(role, false);
    const peer = new StreamingDeflater();
    for (let round = 0; round < 2; round++)
      session.push(wire(role, [text(await peer.deflate(Buffer.from(jsonText(300))), RSV1)]));
    expect(drain(session)).toEqual([sees.message(jsonText(300)), sees.fail('COMPRESSION_INVALID', 1007)]);
    peer.close();
  });
});
