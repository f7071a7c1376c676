import { encodeClosePayload, readClosePayload } from '../../../src/protocol/message/close-payload.js';
import { truncateReason } from '../../../src/protocol/message/close-reason.js';
import { hex } from '../../support/bits.js';

describe('readClosePayload (RFC 6455 §5.5.1)', () => {
  it('reads an empty payload as 1005', () => {
    expect(readClosePayload(hex(''))).toEqual({ code: 1005, reason: '' });
  });

  it('reads a code in network order', () => {
    expect(readClosePayload(hex('03e8'))).toEqual({ code: 1000, reason: '' });
    expect(readClosePayload(hex('1387'))).toEqual({ code: 4999, reason: '' });
  });

  it('reads a reason of UTF-8, up to 123 bytes', () => {
    expect(readClosePayload(hex('03e9 c3a9'))).toEqual({ code: 1001, reason: 'é' });
    const longest = Buffer.concat([hex('03e8'), Buffer.alloc(123, 'x')]);
    expect(readClosePayload(longest)).toEqual({ code: 1000, reason: 'x'.repeat(123) });
  });

  it('refuses a single byte', () => {
    expect(() => readClosePayload(hex('03'))).toThrow(
      expect.objectContaining({ code: 'CLOSE_PAYLOAD_TOO_SHORT', closeCode: 1002 }),
    );
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])('refuses the code %d', (code) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    expect(() => readClosePayload(payload)).toThrow(
      expect.objectContaining({
        code: 'CLOSE_CODE_INVALID',
        closeCode: 1002,
        message: expect.stringContaining(`${code}`),
      }),
    );
  });

  it.each(['03e8 ff', '03e8 61 c3', '03e8 eda080'])('refuses a reason that is not UTF-8: %s', (digits) => {
    expect(() => readClosePayload(hex(digits))).toThrow(
      expect.objectContaining({ code: 'UTF8_INVALID', closeCode: 1007 }),
    );
  });

  it('judges the code before the reason', () => {
    expect(() => readClosePayload(hex('03ed ff'))).toThrow(expect.objectContaining({ code: 'CLOSE_CODE_INVALID' }));
  });
});

describe('encodeClosePayload', () => {
  it('writes the code and the reason', () => {
    expect(encodeClosePayload(1000, '')).toEqual(hex('03e8'));
    expect(encodeClosePayload(4000, 'é')).toEqual(hex('0fa0 c3a9'));
  });

  it('writes nothing for 1005, which means that there is no code', () => {
    expect(encodeClosePayload(1005, '')).toEqual(hex(''));
  });

  it('replaces lone surrogates, which UTF-8 cannot express', () => {
    expect(encodeClosePayload(1000, '\ud800')).toEqual(hex('03e8 efbfbd'));
  });

  it('takes a reason of 123 bytes and refuses one of 124', () => {
    expect(encodeClosePayload(1000, 'x'.repeat(123))).toHaveLength(125);
    expect(() => encodeClosePayload(1000, 'x'.repeat(124))).toThrow(
      new RangeError('close reason must be at most 123 bytes, got 124'),
    );
    expect(() => encodeClosePayload(1000, 'é'.repeat(62))).toThrow(RangeError);
  });

  it.each([0, 999, 1004, 1006, 1015, 2999, 5000, 1000.5, Number.NaN])('refuses the code %d', (code) => {
    expect(() => encodeClosePayload(code, '')).toThrow(
      new RangeError(`close code must be 1000-1003, 1007-1014 or 3000-4999, got ${code}`),
    );
  });

  it('refuses a reason without a code', () => {
    expect(() => encodeClosePayload(1005, 'why')).toThrow(
      new RangeError('close reason must be empty without a close code'),
    );
  });

  it('refuses what is no number and no string', () => {
    expect(() => encodeClosePayload('1000' as unknown as number, '')).toThrow(
      new TypeError('close code must be a number, got "1000"'),
    );
    expect(() => encodeClosePayload(1000, new Float32Array(1) as unknown as string)).toThrow(
      new TypeError('close reason must be a string, got a Float32Array'),
    );
  });

  it.each([
    [1000, ''],
    [1005, ''],
    [3000, 'κόσμε'],
  ])('is read back: %d %s', (code, reason) => {
    expect(readClosePayload(encodeClosePayload(code, reason))).toEqual({ code, reason });
  });
});

describe('truncateReason', () => {
  it.each(['', 'why', 'x'.repeat(123), 'é'.repeat(61)])('leaves a reason that fits: %s', (reason) => {
    expect(truncateReason(reason)).toBe(reason);
  });

  it.each([
    ['ASCII', 'x'.repeat(124), 'x'.repeat(123)],
    ['two bytes', 'é'.repeat(100), 'é'.repeat(61)],
    ['three bytes', '€'.repeat(100), '€'.repeat(41)],
    ['four bytes', '😀'.repeat(100), '😀'.repeat(30)],
    ['a code point that 123 would cut', `${'x'.repeat(120)}😀`, 'x'.repeat(120)],
    ['a surrogate pair at the end', `${'x'.repeat(123)}😀`, 'x'.repeat(123)],
    ['very long', 'x'.repeat(1_000_000), 'x'.repeat(123)],
  ])('cuts at a whole code point: %s', (_, reason, expected) => {
    expect(truncateReason(reason)).toBe(expected);
  });
});
