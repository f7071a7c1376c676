import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { SharedFrame, type SharedRun } from '../../../src/protocol/frame/shared-frame.js';
import { noise } from '../../support/compressible.js';
import { readFrames, readReservedFrames } from '../../support/read-frames.js';

const TEXT = 0x80 | Opcode.text;
const BINARY = 0x80 | Opcode.binary;
const RSV1 = 0x40;

function frameOf(payload: string): SharedFrame {
  return new SharedFrame(TEXT, Buffer.from(payload));
}

function runOf(...frames: SharedFrame[]): SharedRun {
  return frames.slice(1).reduce((run, frame) => run.and(frame), frames[0]!.run);
}

function bytesOf({ pieces }: SharedFrame | SharedRun): Buffer {
  return Buffer.concat(pieces);
}

describe('a frame for many (RFC 6455 §5.2)', () => {
  const lengths: [number, string][] = [
    [0, '8200'],
    [1, '8201'],
    [125, '827d'],
    [126, '827e007e'],
    [4096, '827e1000'],
    [4097, '827e1001'],
    [65_535, '827effff'],
    [65_536, '827f0000000000010000'],
  ];

  it.each(lengths)('of %i bytes has the shortest header, the payload behind it and no mask', (length, header) => {
    const payload = noise(length);
    const frame = new SharedFrame(BINARY, payload);
    const bytes = bytesOf(frame);
    expect(bytes.subarray(0, header.length / 2).toString('hex')).toBe(header);
    expect(frame.size).toBe(header.length / 2 + length);
    expect(bytes.length).toBe(frame.size);
    const [read, ...others] = readFrames(bytes);
    expect(others).toEqual([]);
    expect({ ...read!, payload: undefined }).toEqual({ fin: true, opcode: 2, masked: false, payload: undefined });
    expect(read!.payload.equals(payload)).toBe(true);
  });

  it('has the reserved bits that it is given, RSV1 for what is compressed', () => {
    const [read] = readReservedFrames(bytesOf(new SharedFrame(TEXT | RSV1, Buffer.from('x'))));
    expect(read).toMatchObject({ fin: true, rsv: 4, opcode: 1 });
  });

  it('has a copy of a payload of up to 4 KiB behind its header, in one piece', () => {
    const payload = Buffer.alloc(4096, 'a');
    const frame = new SharedFrame(BINARY, payload);
    payload.fill('b');
    expect(frame.pieces.length).toBe(1);
    expect(readFrames(bytesOf(frame))[0]!.payload.equals(Buffer.alloc(4096, 'a'))).toBe(true);
  });

  it('has a longer payload by reference', () => {
    const payload = Buffer.alloc(4097, 'a');
    const frame = new SharedFrame(BINARY, payload);
    expect(frame.pieces.length).toBe(2);
    expect(frame.pieces[1]).toBe(payload);
  });

  it('reads no more than the view of a larger buffer that it is given', () => {
    const all = noise(20_000);
    for (const size of [100, 10_000]) {
      const frame = new SharedFrame(BINARY, new Uint8Array(all.buffer, all.byteOffset + 7, size));
      expect(readFrames(bytesOf(frame))[0]!.payload.equals(all.subarray(7, 7 + size))).toBe(true);
    }
  });
});

describe('a run', () => {
  it('of one frame has the very pieces of the frame', () => {
    for (const frame of [frameOf('a'), frameOf('a'.repeat(5000))]) {
      expect(frame.run.pieces).toBe(frame.pieces);
      expect(frame.run.size).toBe(frame.size);
    }
  });

  it('has the bytes of its frames, in order, in one piece', () => {
    const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(4096), 'e'.repeat(5000)];
    const frames = texts.map(frameOf);
    const run = runOf(...frames);
    expect(run.pieces.length).toBe(1);
    expect(run.size).toBe(frames.reduce((sum, { size }) => sum + size, 0));
    expect(bytesOf(run).equals(Buffer.concat(frames.flatMap(({ pieces }) => pieces)))).toBe(true);
    expect(readFrames(bytesOf(run)).map(({ payload }) => payload.toString())).toEqual(texts);
  });

  it('has the same frame twice when it was sent twice', () => {
    const frame = frameOf('again');
    expect(readFrames(bytesOf(runOf(frame, frame, frame))).map(({ payload }) => payload.toString())).toEqual([
      'again',
      'again',
      'again',
    ]);
  });

  it('is joined up to 16 KiB, and has the pieces of its frames above that', () => {
    // Two headers of four bytes each.
    const first = new SharedFrame(BINARY, noise(8188, 1));
    const second = new SharedFrame(BINARY, noise(8188, 2));
    const larger = new SharedFrame(BINARY, noise(8189, 3));
    const most = runOf(first, second);
    expect([most.size, most.pieces.length]).toEqual([16_384, 1]);
    const over = runOf(first, larger);
    expect(over.size).toBe(16_385);
    expect(over.pieces.length).toBe(4);
    expect(over.pieces.every((piece, i) => piece === [...first.pieces, ...larger.pieces][i])).toBe(true);
  });

  it('is the same for all who add the same frames, and joined once', () => {
    const [a, b, c] = [frameOf('a'), frameOf('b'), frameOf('c')];
    const run = runOf(a, b, c);
    expect(runOf(a, b, c)).toBe(run);
    expect(runOf(a, b, c).pieces).toBe(run.pieces);
    expect(run.pieces[0]).toBe(run.pieces[0]);
  });

  it('is one of its own for those who add others, whoever came first', () => {
    const [a, b, c] = [frameOf('a'), frameOf('b'), frameOf('c')];
    const runs = [runOf(a, b), runOf(a, c), runOf(a, b, c), runOf(b, a), runOf(a, c, b), a.run];
    const found = runs.map((run) =>
      readFrames(bytesOf(run))
        .map(({ payload }) => payload.toString())
        .join(''),
    );
    expect(found).toEqual(['ab', 'ac', 'abc', 'ba', 'acb', 'a']);
  });

  it('stays what it was when others go on from it', () => {
    const [a, b, c] = [frameOf('a'), frameOf('b'), frameOf('c')];
    const run = runOf(a, b);
    const before = bytesOf(run);
    run.and(c);
    expect(bytesOf(run).equals(before)).toBe(true);
    expect(run.size).toBe(a.size + b.size);
  });
});
