import { binary, continuation, fragments, ping, text, wire } from '../support/frames.js';
import { checkVector, drain, expectSeen, itSees, newSession, roles, sees } from '../support/vectors.js';

const LIMIT = 1_048_576;
const more = { fin: false } as const;
const tooLong = sees.fail('MESSAGE_TOO_LONG', 1009);
const tooMany = sees.fail('TOO_MANY_FRAGMENTS', 1008);

describe('maxPayload', () => {
  itSees('allows just as much', {
    sent: [binary(Buffer.alloc(LIMIT)), text('x'.repeat(LIMIT))],
    seen: [sees.message(Buffer.alloc(LIMIT)), sees.message('x'.repeat(LIMIT))],
  });
  itSees('refuses a byte more', {
    sent: [text('ok'), binary(Buffer.alloc(LIMIT + 1))],
    seen: [sees.message('ok'), tooLong],
  });
  itSees('refuses by the header, before any payload', {
    sent: [text('x'.repeat(11))],
    last: { payload: 0 },
    seen: [tooLong],
    options: { maxPayload: 10 },
  });
  itSees('counts bytes, not characters', {
    sent: [text('é'.repeat(5)), text('é'.repeat(6))],
    seen: [sees.message('é'.repeat(5)), tooLong],
    options: { maxPayload: 11 },
  });
  itSees('counts all fragments of a message', {
    sent: [text('123456', more), continuation('7890', more), continuation('')],
    seen: [sees.message('1234567890')],
    options: { maxPayload: 10 },
  });
  itSees('refuses the fragment that is too much by its header', {
    sent: [text('123456', more), continuation('7890', more), continuation('1')],
    last: { payload: 0 },
    seen: [tooLong],
    options: { maxPayload: 10 },
  });
  itSees('counts on over a ping in between', {
    sent: [text('123456', more), ping('a ping that is longer'), continuation('78901')],
    seen: [sees.ping('a ping that is longer'), tooLong],
    options: { maxPayload: 10 },
  });
  itSees('counts each message from 0', {
    sent: [...fragments(1, '1234567890', 4), ...fragments(2, '1234567890', 3), text('1234567890')],
    seen: [sees.message('1234567890'), sees.message(Buffer.from('1234567890')), sees.message('1234567890')],
    options: { maxPayload: 10 },
  });

  it.each(roles)('says what it allows and what came (as %s)', (role) => {
    const session = newSession(role);
    session.push(wire(role, [binary(Buffer.alloc(LIMIT + 1))]));
    expect(session.next()).toMatchObject({
      type: 'fail',
      error: { message: 'message too long: 1048577 bytes, maxPayload allows 1048576' },
    });
  });
});

describe('maxFragments', () => {
  itSees('allows just as many', {
    sent: fragments(1, 'abcde', 1),
    seen: [sees.message('abcde')],
    options: { maxFragments: 5 },
  });
  itSees('refuses one more by its header', {
    sent: [text('ok'), ...fragments(1, 'abcdef', 1)],
    last: { payload: 0 },
    seen: [sees.message('ok'), tooMany],
    options: { maxFragments: 5 },
  });
  itSees('counts empty frames', {
    sent: [text('', more), ...Array.from({ length: 5 }, () => continuation('', more))],
    seen: [tooMany],
    options: { maxFragments: 5 },
  });
  itSees('does not count control frames', {
    sent: [text('a', more), ping('1'), ping('2'), ping('3'), continuation('b')],
    seen: [sees.ping('1'), sees.ping('2'), sees.ping('3'), sees.message('ab')],
    options: { maxFragments: 2 },
  });
  itSees('counts each message from 0', {
    sent: [...fragments(1, 'abc', 1), ...fragments(1, 'def', 1), text('g')],
    seen: [sees.message('abc'), sees.message('def'), sees.message('g')],
    options: { maxFragments: 3 },
  });

  it.each(roles)('says what it allows and what came (as %s)', (role) => {
    const session = newSession(role, { maxFragments: 1 });
    session.push(wire(role, fragments(2, 'ab', 1)));
    expect(session.next()).toMatchObject({
      error: { message: 'message has too many frames: 2, maxFragments allows 1' },
    });
  });

  it.each(roles)('bounds what one call parses of a chunk of empty frames (as %s)', (role) => {
    const frames = [text('', more), ...Array.from({ length: 10_000 }, () => continuation('', more))];
    const session = newSession(role, { maxFragments: 100 });
    session.push(wire(role, frames));
    expect(drain(session)).toEqual([tooMany]);
  });
});

describe('a message that stops arriving', () => {
  it.each(roles)('is seen in part when the rest comes (as %s)', (role) => {
    const session = newSession(role);
    const [head, rest] = cutAt(wire(role, [binary(Buffer.alloc(LIMIT, 7))]), 1000);
    session.push(head);
    expect({ next: session.next(), unparsed: session.unparsed, partialMessage: session.partialMessage }).toEqual({
      next: undefined,
      unparsed: 0,
      partialMessage: 1,
    });
    expect(session.partialBytes).toBe(1000);
    session.push(rest);
    expectSeen(drain(session), [sees.message(Buffer.alloc(LIMIT, 7))]);
    expect(session.partialBytes).toBe(0);
  });

  it.each(roles)('costs what has come, not what its header claims (as %s)', (role) => {
    const session = newSession(role, { maxPayload: 2 ** 31 });
    const claim = binary(Buffer.alloc(1024), { length: { value: 2n ** 31n - 1n, bits: 64 } });
    session.push(wire(role, [claim]));
    expect(sum(allocatedBy(() => session.next()))).toBeLessThanOrEqual(2 * 1024);
    expect([session.unparsed, session.partialMessage]).toEqual([0, 1]);
  });

  it.each(roles)('costs nothing for fragments that are empty (as %s)', (role) => {
    const session = newSession(role);
    session.push(
      wire(
        role,
        Array.from({ length: 16_384 }, (_, i) => (i === 0 ? binary : continuation)('', more)),
      ),
    );
    const allocated = allocatedBy(() => drain(session));
    expect({ unparsed: session.unparsed, partialMessage: session.partialMessage, allocated }).toEqual({
      unparsed: 0,
      partialMessage: 1,
      allocated: [],
    });
  });

  it.each(roles)('costs at most twice its bytes in fragments of one byte (as %s)', (role) => {
    const session = newSession(role, { maxFragments: 200_000 });
    session.push(
      wire(
        role,
        Array.from({ length: 131_000 }, (_, i) => (i === 0 ? binary : continuation)('x', more)),
      ),
    );
    const allocated = allocatedBy(() => drain(session));
    expect([session.unparsed, session.partialMessage]).toEqual([0, 1]);
    expect(Math.max(...allocated)).toBeLessThanOrEqual(2 * 131_000);
    expect(sum(allocated)).toBeLessThanOrEqual(4 * 131_000);
  });
});

describe('dripped bytes that wait to be parsed', () => {
  it.each(roles)('are seen like any others (as %s)', (role) => {
    checkVector(role, {
      sent: Array.from({ length: 200 }, (_, i) => text(`message ${i}`)),
      seen: Array.from({ length: 200 }, (_, i) => sees.message(`message ${i}`)),
      chops: [2, 3, 5, 1023, 1024],
    });
  });

  it.each(roles)('are joined, so that they cost bytes and not objects (as %s)', (role) => {
    const session = newSession(role);
    const allocated = allocatedBy(() => {
      for (let i = 0; i < 65_536; i++) session.push(zero);
    });
    expect(session.unparsed).toBe(65_536);
    // The first one waits alone.
    expect([allocated.length, sum(allocated)]).toEqual([1 + 16, 1 + 65_536]);
  });
});

const zero = Buffer.alloc(1);

/** The sizes of the Buffers that `run` allocates. */
function allocatedBy(run: () => void): number[] {
  const spies = (['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const).map((name) => jest.spyOn(Buffer, name));
  run();
  const sizes = spies.flatMap((spy) => spy.mock.calls.map(([size]) => size));
  for (const spy of spies) spy.mockRestore();
  return sizes;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function cutAt(bytes: Buffer, position: number): [Buffer, Buffer] {
  return [Buffer.from(bytes.subarray(0, position)), Buffer.from(bytes.subarray(position))];
}
