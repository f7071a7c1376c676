import { constants } from 'node:buffer';
import { MessageInflater } from '../../../src/protocol/deflate/message-inflater.js';
import { sizeLimit, wireLimit } from '../../../src/protocol/frame/size-limit.js';
import { continuation, type Frame, frame, text, wire } from '../../support/frames.js';
import { newSession } from '../../support/vectors.js';

const MiB = 1_048_576;
const { MAX_LENGTH, MAX_STRING_LENGTH } = constants;
/** More than any string or Buffer holds. */
const huge = Number.MAX_SAFE_INTEGER;

describe('the limit of a message', () => {
  it('is maxPayload', () => {
    for (const isText of [true, false]) expect(sizeLimit(MiB, isText)).toEqual({ bytes: MiB, name: 'maxPayload' });
  });

  it('is what a string holds, of a text', () => {
    expect(sizeLimit(huge, true)).toEqual({ bytes: MAX_STRING_LENGTH, name: 'the Node.js string limit' });
    expect(sizeLimit(MAX_STRING_LENGTH, true).name).toBe('maxPayload');
  });

  it('is what a Buffer holds, of bytes', () => {
    const most = Math.min(huge, MAX_LENGTH);
    expect(sizeLimit(huge, false).bytes).toBe(most);
    expect(sizeLimit(MAX_LENGTH + 1, false)).toEqual({ bytes: MAX_LENGTH, name: 'the Node.js Buffer limit' });
  });

  it('leaves room on the wire for what does not compress', () => {
    expect(wireLimit(sizeLimit(MiB, false))).toBe(MiB + 65_536 + 1024);
    expect(wireLimit(sizeLimit(1, true))).toBe(1025);
  });

  it('is no more on the wire than a Buffer holds with what is put behind it', () => {
    expect(wireLimit({ bytes: MAX_LENGTH, name: 'maxPayload' })).toBe(MAX_LENGTH - 16);
  });
});

describe('a text longer than a string can be', () => {
  const tooLong = (message: string): object => ({
    type: 'fail',
    error: { code: 'MESSAGE_TOO_LONG', closeCode: 1009, message },
  });
  const claim = (opcode: number, length: number): Frame =>
    frame(opcode, 'a', { length: { value: BigInt(length), bits: 64 } });

  it('is refused by its header, however much maxPayload allows', () => {
    const session = newSession('client', { maxPayload: 2 ** 31 });
    session.push(wire('client', [claim(1, MAX_STRING_LENGTH + 1)]));
    const message = `message too long: ${MAX_STRING_LENGTH + 1} bytes, the Node.js string limit allows ${MAX_STRING_LENGTH}`;
    expect(session.next()).toMatchObject(tooLong(message));
  });

  it('is counted over its fragments', () => {
    const session = newSession('client', { maxPayload: 2 ** 31 });
    session.push(wire('client', [text('aa', { fin: false }), continuation('', { fin: false })]));
    expect(session.next()).toBeUndefined();
    session.push(wire('client', [claim(0, MAX_STRING_LENGTH - 1)]));
    expect(session.next()).toMatchObject({ error: { code: 'MESSAGE_TOO_LONG' } });
  });

  it.each([
    ['the longest text', 1, MAX_STRING_LENGTH],
    ['bytes of more than that', 2, MAX_STRING_LENGTH + 1],
  ])('is not %s', (_, opcode, length) => {
    const session = newSession('client', { maxPayload: 2 ** 31 });
    session.push(wire('client', [claim(opcode, length)]));
    expect([session.next(), session.partialMessage]).toEqual([undefined, 1]);
  });

  it('is refused compressed by its header, when it cannot be less inflated', () => {
    const session = newSession('client', { maxPayload: 2 ** 31, inflater: inflater().inflater });
    const most = wireLimit(sizeLimit(2 ** 31, true));
    session.push(wire('client', [{ ...claim(1, most + 1), rsv: 4 }]));
    const message = `compressed message too long: ${most + 1} bytes, the Node.js string limit of ${MAX_STRING_LENGTH} allows ${most}`;
    expect(session.next()).toMatchObject(tooLong(message));
  });

  it('is not inflated beyond that', () => {
    const { inflater: recording, limits } = inflater();
    const session = newSession('client', { maxPayload: 2 ** 31, inflater: recording });
    session.push(wire('client', [frame(1, 'a', { rsv: 4 }), frame(2, 'a', { rsv: 4 })]));
    expect([session.next(), session.next()]).toMatchObject([{ data: '' }, { data: Buffer.alloc(0) }]);
    expect(limits).toEqual([sizeLimit(2 ** 31, true), sizeLimit(2 ** 31, false)]);
  });
});

/** One that inflates to nothing, and says what it was allowed. */
function inflater(): { readonly inflater: MessageInflater; readonly limits: unknown[] } {
  const agreed = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  const recording = new MessageInflater(agreed, 'client', 2 ** 31);
  const limits: unknown[] = [];
  recording.inflate = (_, limit) => {
    limits.push(limit);
    return Buffer.alloc(0);
  };
  return { inflater: recording, limits };
}
