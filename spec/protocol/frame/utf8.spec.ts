import * as fc from 'fast-check';
import { decodeText, Utf8Validator, writeSizedText, writeText } from '../../../src/protocol/frame/utf8.js';
import { anyText } from '../../support/any-text.js';
import { hex } from '../../support/bits.js';
import { runs } from '../../support/long.js';

describe('Utf8Validator (RFC 3629)', () => {
  it.each([
    ['the lead byte of an overlong form', 'c0', 0],
    ['the other lead byte of an overlong form', 'c1', 0],
    ['a lead byte over U+10FFFF', 'f5', 0],
    ['a lead byte of five', 'f8', 0],
    ['fe', 'fe', 0],
    ['ff', 'ff', 0],
    ['a continuation byte alone', '80', 0],
    ['an overlong form of three bytes', 'e09f', 1],
    ['a surrogate', 'eda0', 1],
    ['an overlong form of four bytes', 'f08f', 1],
    ['a code point over U+10FFFF', 'f490', 1],
    ['a lead byte where a continuation is due', 'c3c3', 1],
    ['ASCII where a continuation is due', 'e28228', 2],
    ['ASCII where the last continuation is due', 'f09f9828', 3],
  ])('fails at the byte that makes it invalid: %s', (_, digits, at) => {
    expect(failsAt(hex(digits))).toBe(at);
    expect(failsAt(Buffer.concat([Buffer.alloc(100, 'x'), hex(digits), Buffer.alloc(100, 'x')]))).toBe(100 + at);
  });

  it.each(['00', '7f', 'c280', 'dfbf', 'e0a080', 'ed9fbf', 'ee8080', 'efbfbf', 'f0908080', 'f48fbfbf', 'efbbbf'])(
    'takes the code point at the edge of its range: %s',
    (digits) => {
      expect(failsAt(hex(digits))).toBe(-1);
    },
  );

  it.each([
    ['e0', '80'],
    ['ed', 'a0'],
    ['f4', '90'],
    ['c3', '41'],
  ])('refuses a long rest that does not go on with the code point: %s, then %s', (lead, next) => {
    const validator = new Utf8Validator();
    validator.push(hex(lead), 0, 1);
    expect(validator.push(Buffer.concat([hex(next), Buffer.alloc(100, 'é')]), 0, 101)).toBe(false);
  });

  it('is complete between code points only', () => {
    const validator = new Utf8Validator();
    const complete = [...hex('61 c3a9 e282ac f09f9880')].map((byte) => {
      validator.push(Buffer.from([byte]), 0, 1);
      return validator.complete;
    });
    expect(complete).toEqual([true, false, true, false, false, true, false, false, false, true]);
  });

  it('takes nothing for valid, and leaves the code point in progress as it is', () => {
    const validator = new Utf8Validator();
    validator.push(hex('e0'), 0, 1);
    expect(validator.push(hex(''), 0, 0)).toBe(true);
    expect(validator.push(hex('80'), 0, 1)).toBe(false);
  });

  it('starts anew after reset', () => {
    const validator = new Utf8Validator();
    validator.push(hex('f4'), 0, 1);
    validator.reset();
    expect(validator.complete).toBe(true);
    expect(validator.push(hex('c3bf'), 0, 2)).toBe(true);
  });

  it('looks only at its range', () => {
    const bytes = Buffer.concat([hex('ff'), Buffer.alloc(200, 'é'), hex('ff')]);
    expect(new Utf8Validator().push(bytes, 1, 201)).toBe(true);
  });

  it('says of every beginning whether it can still become valid, as the decoder of the platform does', () => {
    fc.assert(
      fc.property(nearlyUtf8, (bytes) => {
        expect(failsAt(bytes)).toBe(firstDeadEnd(bytes));
      }),
      runs(300),
    );
  });

  it('gives the same answer however the bytes are cut', () => {
    const cuts = fc.array(fc.nat({ max: 80 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(nearlyUtf8, cuts, (bytes, sizes) => {
        const validator = new Utf8Validator();
        const deadEnd = failsAt(bytes);
        let start = 0;
        for (const size of [...sizes, bytes.length]) {
          const end = Math.min(bytes.length, start + size);
          const valid = validator.push(bytes, start, end);
          expect(valid).toBe(deadEnd < 0 || end <= deadEnd);
          if (!valid) return;
          start = end;
        }
        expect(validator.complete).toBe(isValid(bytes));
      }),
      runs(500),
    );
  });
});

describe('writeText and writeSizedText', () => {
  it.each([
    ['', ''],
    ['text', '74657874'],
    ['\u00e9\u20ac\u{1f600}', 'c3a9 e282ac f09f9880'],
    ['a\ud83db', '61 efbfbd 62'],
    ['\u00ff', 'c3bf'],
  ])('write %j as UTF-8 and leave the rest', (text, expected) => {
    const bytes = hex(expected);
    const whole = Buffer.concat([Buffer.from('..'), bytes, Buffer.alloc(18 - bytes.length, '.')]);
    const [target, sized] = [Buffer.alloc(20, '.'), Buffer.alloc(20, '.')];
    expect(writeText(target, text, 2)).toBe(bytes.length);
    expect(writeSizedText(sized, text, 2, bytes.length)).toBe(bytes.length);
    expect([target, sized]).toEqual([whole, whole]);
  });
});

describe('decodeText', () => {
  it.each([true, false])('decodes its range (ASCII: %s)', (ascii) => {
    expect(decodeText(Buffer.from('-text-'), 1, 5, ascii)).toBe('text');
    expect(decodeText(Buffer.from('text'), 2, 2, ascii)).toBe('');
  });

  it('keeps the byte order mark and NUL', () => {
    expect(decodeText(hex('efbbbf 00 61'), 0, 5, false)).toBe('\ufeff\u0000a');
  });
});

/** The index of the byte at which a validator that gets single bytes fails; -1 when it does not. */
function failsAt(bytes: Buffer): number {
  const validator = new Utf8Validator();
  return bytes.findIndex((_, i) => !validator.push(bytes, i, i + 1));
}

/** The same by another way: the first byte after which no continuation makes the text valid. */
function firstDeadEnd(bytes: Buffer): number {
  return bytes.findIndex(
    (_, i) => !continuations.some((rest) => isValid(Buffer.concat([bytes.subarray(0, i + 1), rest]))),
  );
}

function isValid(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** If any continuation makes a beginning valid, one of these does. */
const continuations = ['', '80', 'bf', '8080', 'bf80', '808080', 'bf8080'].map(hex);

/** Valid text with, perhaps, one wrong byte in it. */
const nearlyUtf8 = fc
  .record({
    text: anyText({ maxLength: 60 }),
    wrong: fc.option(fc.record({ at: fc.nat({ max: 120 }), byte: fc.nat({ max: 255 }) })),
    cut: fc.nat({ max: 3 }),
  })
  .map(({ text, wrong, cut }) => {
    const bytes = Buffer.from(text);
    if (wrong !== null && wrong.at < bytes.length) bytes[wrong.at] = wrong.byte;
    return bytes.subarray(0, Math.max(0, bytes.length - cut));
  });
