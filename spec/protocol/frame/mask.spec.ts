import * as fc from 'fast-check';
import { isAsciiRange, maskInPlace, maskInto, unmask } from '../../../src/protocol/frame/mask.js';
import { readMemory } from '../../../src/protocol/frame/read-memory.js';
import { hex } from '../../support/bits.js';

const KEY = 0x37fa213d;

describe.each<[string, typeof place]>([
  ['memory of their own', place],
  ['the memory that sockets read to', placeInReadMemory],
])('unmask bytes in %s (RFC 6455 §5.3)', (_, placed) => {
  it("decodes the RFC's example", () => {
    const { bytes, start, end } = placed(hex('7f 9f 4d 51 58'), 0);
    expect(unmask(bytes, start, end, KEY, 0)).toBe(true);
    expect(bytes.toString('latin1', start, end)).toBe('Hello');
  });

  it('leaves bytes as they are under the key 0', () => {
    const { bytes, start, end } = placed(Buffer.from('Hello'), 0);
    unmask(bytes, start, end, 0, 0);
    expect(bytes.toString('latin1', start, end)).toBe('Hello');
  });

  it('gives for every length, alignment and phase what the definition gives', () => {
    for (let length = 0; length <= 300; length++) {
      for (let alignment = 0; alignment < 4; alignment++) {
        const phase = (length + alignment) % 4;
        const { bytes, start, end } = placed(random(length), alignment);
        const original = Buffer.from(bytes);
        unmask(bytes, start, end, KEY, phase);
        expect(bytes.equals(masked(original, start, end, KEY, phase))).toBe(true);
      }
    }
  });

  it.each([0xffffffff, -1, 0x80000000, -0x80000000, 1])('takes the key %d, signed or not', (key) => {
    const { bytes, start, end } = placed(Buffer.alloc(200, 'x'), 0);
    const original = Buffer.from(bytes);
    unmask(bytes, start, end, key, 3);
    expect(bytes.equals(masked(original, start, end, key, 3))).toBe(true);
  });

  it('finds a byte over 0x7f wherever it is', () => {
    for (const length of [1, 2, 3, 4, 7, 130, 163, 300]) {
      for (let at = 0; at < length; at++) {
        const { bytes, start, end } = placed(Buffer.alloc(length, 'x'), length % 4);
        bytes[start + at] = 0x80;
        maskInPlace(bytes, start, end, KEY);
        expect(unmask(bytes, start, end, KEY, 0)).toBe(false);
      }
    }
  });

  it('says that masked bytes are ASCII by what they are once unmasked', () => {
    for (const length of [0, 1, 3, 143, 144, 145, 300]) {
      const { bytes, start, end } = placed(Buffer.alloc(length, 0x7f), 1);
      maskInPlace(bytes, start, end, 0x80ff80ff);
      expect(unmask(bytes, start, end, 0x80ff80ff, 0)).toBe(true);
    }
  });

  it('can be done in pieces', () => {
    const sizes = fc.array(fc.nat({ max: 400 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), fc.integer(), fc.nat({ max: 7 }), sizes, (data, key, at, cuts) => {
        const { bytes, start, end } = placed(Buffer.from(data), at % 4);
        const expected = masked(bytes, start, end, key, 0);
        let ascii = true;
        let position = start;
        for (const size of [...cuts, data.length]) {
          const next = Math.min(end, position + size);
          ascii = unmask(bytes, position, next, key, position - start) && ascii;
          position = next;
        }
        expect(bytes.equals(expected)).toBe(true);
        expect(ascii).toBe(expected.subarray(start, end).every((byte) => byte < 0x80));
      }),
    );
  });
});

describe('maskInPlace', () => {
  it("encodes the RFC's example", () => {
    const bytes = Buffer.from('..Hello..');
    maskInPlace(bytes, 2, 7, KEY);
    expect(bytes).toEqual(Buffer.concat([Buffer.from('..'), hex('7f9f4d5158'), Buffer.from('..')]));
  });
});

describe('maskInto', () => {
  it.each([0, 1, 5, 143, 144, 1000])('writes a copy of %d bytes and leaves the source alone', (length) => {
    const source = random(length);
    const before = Buffer.from(source);
    const target = Buffer.alloc(length + 5, 0xaa);
    maskInto(target, 3, source, KEY);
    expect(source.equals(before)).toBe(true);
    expect(target.subarray(3, 3 + length).equals(masked(source, 0, length, KEY, 0))).toBe(true);
    expect([target[2], target[3 + length]]).toEqual([0xaa, 0xaa]);
  });
});

describe('isAsciiRange', () => {
  it.each([0, 1, 63, 64, 65, 1000])('looks at %d bytes and at no other', (length) => {
    const bytes = Buffer.alloc(length + 2, 0x7f);
    bytes[0] = bytes[length + 1] = 0x80;
    expect(isAsciiRange(bytes, 1, length + 1)).toBe(true);
    for (let at = 1; at <= length; at++) {
      bytes[at] = 0xff;
      expect(isAsciiRange(bytes, 1, length + 1)).toBe(false);
      bytes[at] = 0x7f;
    }
  });
});

/** `data` within a larger Buffer, at `alignment` (0 to 3) bytes after a multiple of 8. */
function place(data: Buffer, alignment: number): { bytes: Buffer; start: number; end: number } {
  const bytes = Buffer.alloc(data.length + 24, 0x55);
  const start = 8 - (bytes.byteOffset % 8) + alignment;
  data.copy(bytes, start);
  return { bytes, start, end: start + data.length };
}

/** The same in the memory that sockets read to, at its end. */
function placeInReadMemory(data: Buffer, alignment: number): { bytes: Buffer; start: number; end: number } {
  const start = ((readMemory.length - data.length) & ~3) - alignment;
  data.copy(readMemory, start);
  return { bytes: readMemory, start, end: start + data.length };
}

/** The definition of §5.3. */
function masked(bytes: Buffer, start: number, end: number, key: number, phase: number): Buffer {
  const result = Buffer.from(bytes);
  for (let i = start; i < end; i++) result[i]! ^= (key >>> (24 - 8 * ((i - start + phase) % 4))) & 0xff;
  return result;
}

function random(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 167 + length * 13) & 0xff));
}
