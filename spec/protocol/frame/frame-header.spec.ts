import {
  HeaderReader,
  headerLength,
  MAX_HEADER_SIZE,
  readHeader,
  writeHeader,
} from '../../../src/protocol/frame/frame-header.js';
import { bits } from '../../support/bits.js';

describe('readHeader (RFC 6455 §5.2)', () => {
  it('reads the shortest header', () => {
    expect(readHeader(bits('1 000 0001  0 0000101'), 0)).toEqual({
      fin: true,
      rsv1: false,
      opcode: 1,
      masked: false,
      maskKey: 0,
      length: 5,
      size: 2,
    });
  });

  it('reads FIN, RSV1 and the masking key', () => {
    const header = bits('0 100 0010  1 0000001  11111111 00000010 00000011 00000100');
    expect(readHeader(header, 0)).toEqual({
      fin: false,
      rsv1: true,
      opcode: 2,
      masked: true,
      maskKey: 0xff020304 | 0,
      length: 1,
      size: 6,
    });
  });

  it.each([
    ['125', '1 000 0010  0 1111101', 125, 2],
    ['126', '1 000 0010  0 1111110  00000000 01111110', 126, 4],
    ['127', '1 000 0010  0 1111110  00000000 01111111', 127, 4],
    ['65535', '1 000 0010  0 1111110  11111111 11111111', 65535, 4],
    ['65536', `1 000 0010  0 1111111  ${zeros(5)} 00000001 ${zeros(2)}`, 65536, 10],
    ['2^31', `1 000 0010  0 1111111  ${zeros(4)} 10000000 ${zeros(3)}`, 2 ** 31, 10],
    ['2^32', `1 000 0010  0 1111111  ${zeros(3)} 00000001 ${zeros(4)}`, 2 ** 32, 10],
    ['2^53 - 1', `1 000 0010  0 1111111  00000000 00011111 ${'11111111 '.repeat(6)}`, 2 ** 53 - 1, 10],
  ])('reads a length of %s exactly', (_, drawing, length, size) => {
    expect(readHeader(bits(drawing), 0)).toMatchObject({ length, size });
  });

  it('reads at an offset and up to an end', () => {
    const bytes = bits('11111111  1 000 0001  0 0000101  11111111');
    expect(readHeader(bytes, 1)).toMatchObject({ opcode: 1, length: 5 });
    expect(readHeader(bytes, 1, 2)).toBeUndefined();
    expect(readHeader(bytes, 4)).toBeUndefined();
  });

  it.each([
    ['7 bits', '1 000 0001  1 0000101  00000001 00000010 00000011 00000100'],
    ['16 bits', '1 000 0001  1 1111110  00000001 00000000  00000001 00000010 00000011 00000100'],
    ['64 bits', `1 000 0001  1 1111111  ${zeros(5)} 00000001 ${zeros(2)} ${zeros(4)}`],
  ])('waits for the whole of a header with a length in %s', (_, drawing) => {
    const bytes = bits(drawing);
    for (let end = 0; end < bytes.length; end++) expect(readHeader(bytes, 0, end)).toBeUndefined();
    expect(readHeader(bytes, 0)).toMatchObject({ size: bytes.length });
  });
});

describe('readHeader refuses as soon as it can', () => {
  it.each([
    ['RSV2', '1 010 0001', 'RESERVED_BIT', 1002, 'RSV2'],
    ['RSV3', '1 001 0001', 'RESERVED_BIT', 1002, 'RSV3'],
    ['all reserved bits', '0 111 1111', 'RESERVED_BIT', 1002, 'RSV2'],
    ['opcode 3', '1 000 0011', 'RESERVED_OPCODE', 1002, '0x3'],
    ['opcode 7 without FIN', '0 000 0111', 'RESERVED_OPCODE', 1002, '0x7'],
    ['opcode B', '1 000 1011', 'RESERVED_OPCODE', 1002, '0xb'],
    ['opcode F', '1 000 1111', 'RESERVED_OPCODE', 1002, '0xf'],
    ['a fragmented close', '0 000 1000', 'CONTROL_FRAGMENTED', 1002, '0x8'],
    ['a fragmented ping', '0 000 1001', 'CONTROL_FRAGMENTED', 1002, '0x9'],
    ['a fragmented pong', '0 000 1010', 'CONTROL_FRAGMENTED', 1002, '0xa'],
    ['a ping of over 125 bytes', '1 000 1001  0 1111110', 'CONTROL_TOO_LONG', 1002, '125'],
    ['a close of over 65535 bytes', '1 000 1000  1 1111111', 'CONTROL_TOO_LONG', 1002, '125'],
    ['16 bits for 0', '1 000 0010  0 1111110  00000000 00000000', 'LENGTH_NOT_MINIMAL', 1002, 'got 0 in 16 bits'],
    ['16 bits for 125', '1 000 0010  1 1111110  00000000 01111101', 'LENGTH_NOT_MINIMAL', 1002, 'got 125 in 16 bits'],
    ['64 bits for 0', `1 000 0010  0 1111111  ${zeros(8)}`, 'LENGTH_NOT_MINIMAL', 1002, 'got 0 in 64 bits'],
    [
      '64 bits for 65535',
      `1 000 0010  1 1111111  ${zeros(6)} 11111111 11111111`,
      'LENGTH_NOT_MINIMAL',
      1002,
      'got 65535 in 64 bits',
    ],
    ['the most significant bit', '1 000 0010  0 1111111  10000000', 'LENGTH_TOO_LARGE', 1002, '2^63 - 1'],
    ['2^56', '1 000 0010  0 1111111  00000001', 'LENGTH_TOO_LARGE', 1009, '2^53 - 1'],
    ['2^53', '1 000 0010  0 1111111  00000000 00100000', 'LENGTH_TOO_LARGE', 1009, '2^53 - 1'],
  ])('%s', (_, drawing, code, closeCode, found) => {
    const bytes = bits(drawing);
    expect(() => readHeader(bytes, 0)).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code, closeCode, message: expect.stringContaining(found) }),
    );
    expect(readHeader(bytes, 0, bytes.length - 1)).toBeUndefined();
  });

  it('but judges RSV1 not at all', () => {
    expect(readHeader(bits('1 100 0001  0 0000000'), 0)).toMatchObject({ rsv1: true });
  });
});

describe('HeaderReader (RFC 6455 §5.1)', () => {
  it.each([
    ['a frame without a mask where one is due', '1 000 0001  0 0000000', true, 'MASK_REQUIRED'],
    ['a masked frame where none may be', '1 000 0001  1 0000000', false, 'MASK_FORBIDDEN'],
  ])('refuses %s at the second byte', (_, drawing, masked, code) => {
    const bytes = bits(drawing);
    expect(new HeaderReader().read(bytes, 0, 1, masked)).toBe(false);
    expect(() => new HeaderReader().read(bytes, 0, 2, masked)).toThrow(
      expect.objectContaining({ code, closeCode: 1002 }),
    );
  });

  it('is used again for the next header', () => {
    const reader = new HeaderReader();
    reader.read(bits('0 100 0010  1 0000001  00000001 00000010 00000011 00000100'), 0, 6);
    expect(reader.read(bits('1 000 0001  0 0000000'), 0, 2)).toBe(true);
    expect(reader).toEqual(Object.assign(new HeaderReader(), { fin: true, opcode: 1, size: 2 }));
  });
});

describe('writeHeader', () => {
  it.each([0, 125, 126, 65535, 65536, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER])(
    'writes what readHeader reads, for a length of %d',
    (length) => {
      for (const maskKey of [undefined, 0, 0x01020304, -1]) {
        const target = Buffer.alloc(MAX_HEADER_SIZE + 1, 0xaa);
        const end = writeHeader(target, 1, 0xc2, length, maskKey);
        const masked = maskKey !== undefined;
        expect(end).toBe(1 + headerLength(length, masked));
        expect(readHeader(target, 1, end)).toMatchObject({
          fin: true,
          rsv1: true,
          opcode: 2,
          length,
          masked,
          maskKey: maskKey ?? 0,
          size: end - 1,
        });
        expect(target.subarray(end).every((byte) => byte === 0xaa)).toBe(true);
      }
    },
  );
});

describe('headerLength', () => {
  it.each([
    [0, 2, 6],
    [125, 2, 6],
    [126, 4, 8],
    [65535, 4, 8],
    [65536, 10, 14],
  ])('of %d bytes is %d, masked %d', (length, unmasked, masked) => {
    expect([headerLength(length, false), headerLength(length, true)]).toEqual([unmasked, masked]);
  });
});

function zeros(bytes: number): string {
  return '00000000 '.repeat(bytes);
}
