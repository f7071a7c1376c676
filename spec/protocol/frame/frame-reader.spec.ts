import { FrameReader } from '../../../src/protocol/frame/frame-reader.js';
import { bits, hex } from '../../support/bits.js';
import { binary, continuation, ping, text, wire } from '../../support/frames.js';

describe('FrameReader', () => {
  it('stands on a frame that lies in one chunk as one part', () => {
    const reader = readerOf(hex('81 05 48 65 6c 6c 6f'));
    expect(reader.read()).toBe(true);
    expect(part(reader)).toEqual({ opcode: 1, data: 'Hello', before: 0, first: true, last: true });
    expect(reader.read()).toBe(false);
  });

  it('stands on a frame that lies in three chunks as three parts', () => {
    const reader = readerOf(hex('81 05 48'), hex('65 6c'), hex('6c 6f'));
    const parts = [1, 2, 3].map(() => reader.read() && part(reader));
    expect(parts).toEqual([
      { opcode: 1, data: 'H', before: 0, first: true, last: false },
      { opcode: 1, data: 'el', before: 1, first: false, last: false },
      { opcode: 1, data: 'lo', before: 3, first: false, last: true },
    ]);
  });

  it('enters a frame with its header, before any of its payload', () => {
    const reader = readerOf(hex('81 05'));
    expect(reader.read()).toBe(true);
    expect(part(reader)).toEqual({ opcode: 1, data: '', before: 0, first: true, last: false });
    expect(reader.read()).toBe(false);
    reader.push(hex('48656c6c6f'));
    expect(reader.read()).toBe(true);
    expect(part(reader)).toEqual({ opcode: 1, data: 'Hello', before: 0, first: false, last: true });
  });

  it('puts a header together from single bytes', () => {
    const bytes = wire('server', [binary(Buffer.alloc(70_000))]);
    const reader = new FrameReader(true);
    for (let i = 0; i < 13; i++) {
      reader.push(Buffer.from(bytes.subarray(i, i + 1)));
      expect({
        read: reader.read(),
        unread: reader.unread,
        inFrame: reader.inFrame,
        partialBytes: reader.partialBytes,
      }).toEqual({ read: false, unread: 0, inFrame: true, partialBytes: i + 1 });
    }
    reader.push(Buffer.from(bytes.subarray(13)));
    expect(reader.read()).toBe(true);
    expect(reader.header).toMatchObject({ opcode: 2, length: 70_000, size: 14, maskKey: 0x37fa213d });
    expect([reader.end - reader.start, reader.last]).toEqual([70_000, true]);
  });

  it('ignores empty chunks', () => {
    const reader = readerOf(hex(''), hex('81'), hex(''), hex('01 61'), hex(''));
    expect(reader.read() && part(reader)).toMatchObject({ data: 'a', last: true });
    expect(reader.read()).toBe(false);
  });

  it('counts bytes that are not read', () => {
    const reader = readerOf(hex('81 01 61 81'), hex('01 62'));
    expect(reader.unread).toBe(6);
    reader.read();
    expect(reader.unread).toBe(3);
    reader.read();
    expect(reader.unread).toBe(0);
  });

  it('lets go of a chunk that is used up', () => {
    const reader = readerOf(hex('81 01 61'));
    reader.read();
    reader.read();
    expect(reader.bytes).toHaveLength(0);
  });

  it('knows whether a message lacks its final frame, control frames or not', () => {
    const frames = [text('a', { fin: false }), ping(), continuation('b', { fin: false }), continuation('c'), text('d')];
    const reader = readerOf(wire('client', frames));
    const found = frames.map(() => reader.read() && [reader.inMessage, reader.partialBytes]);
    expect(found).toEqual([
      [true, 3],
      [true, 3],
      [true, 6],
      [false, 0],
      [false, 0],
    ]);
  });

  it('counts the wire bytes of a frame in progress, but not those of a control frame within a message', () => {
    const reader = new FrameReader(false);
    const pieces: [string, number][] = [
      ['01', 1],
      ['03 61', 3],
      ['62 63', 5],
      ['89', 5],
      ['02', 5],
      ['78', 5],
      ['79', 5],
      ['80', 6],
      ['02', 7],
      ['64', 8],
      ['65', 0],
      ['89', 1],
      ['02 61', 3],
      ['62', 0],
    ];
    const found = pieces.map(([digits]) => {
      reader.push(hex(digits));
      while (reader.read());
      return [digits, reader.partialBytes];
    });
    expect(found).toEqual(pieces);
  });
});

describe('the order of frames (RFC 6455 §5.4)', () => {
  it.each([
    ['a continuation when no message has begun', '', '1 000 0000', 'CONTINUATION_UNEXPECTED'],
    ['a first continuation without FIN', '', '0 000 0000', 'CONTINUATION_UNEXPECTED'],
    ['a continuation after a whole message', '81 00', '1 000 0000', 'CONTINUATION_UNEXPECTED'],
    ['a text frame in a message', '01 00', '1 000 0001', 'CONTINUATION_EXPECTED'],
    ['a binary frame in a message with a ping', '01 00 89 00', '0 000 0010', 'CONTINUATION_EXPECTED'],
    ['RSV1, which no extension allows', '', '1 100 0001', 'RESERVED_BIT'],
    ['RSV1 on a ping', '', '1 100 1001', 'RESERVED_BIT'],
  ])('refuses %s, at its first byte', (_, before, first, code) => {
    const reader = readerOf(hex(before));
    while (reader.read());
    reader.push(bits(first));
    expect(() => reader.read()).toThrow(expect.objectContaining({ code, closeCode: 1002 }));
  });

  it.each(['1 000 0001  1 0000000', '0 000 0010  1 1111110'])(
    'refuses a wrong mask at the second byte: %s',
    (drawing) => {
      expect(() => readerOf(bits(drawing)).read()).toThrow(expect.objectContaining({ code: 'MASK_FORBIDDEN' }));
    },
  );

  it('allows RSV1 for an extension, but only on the first frame of a message', () => {
    const reader = new FrameReader(false, true);
    reader.push(bits('0 100 0001  0 0000000'));
    expect(reader.read() && reader.header.rsv1).toBe(true);
    expect(() => {
      reader.push(bits('1 100 0000'));
      reader.read();
    }).toThrow(expect.objectContaining({ code: 'RESERVED_BIT' }));
    const control = new FrameReader(false, true);
    control.push(bits('1 100 1001'));
    expect(() => control.read()).toThrow(expect.objectContaining({ code: 'RESERVED_BIT' }));
  });

  it('judges the bytes in their order, whether they come together or not', () => {
    // a reserved bit in the first byte, a wrong mask in the second
    const bytes = bits('1 010 0001  1 0000000');
    expect(() => readerOf(bytes).read()).toThrow(expect.objectContaining({ code: 'RESERVED_BIT' }));
    expect(() => readerOf(bytes.subarray(0, 1)).read()).toThrow(expect.objectContaining({ code: 'RESERVED_BIT' }));
  });
});

function readerOf(...chunks: Buffer[]): FrameReader {
  const reader = new FrameReader(false);
  for (const chunk of chunks) reader.push(chunk);
  return reader;
}

function part({ header, bytes, start, end, before, first, last }: FrameReader): object {
  return { opcode: header.opcode, data: bytes.toString('latin1', start, end), before, first, last };
}
