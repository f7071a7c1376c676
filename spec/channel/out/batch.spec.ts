import { Batch, COPY_LIMIT } from '../../../src/channel/out/batch.js';
import { Slab } from '../../../src/channel/out/slab.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { SharedFrame } from '../../../src/protocol/frame/shared-frame.js';
import { KernelPort } from '../../support/kernel-port.js';
import { readFrames } from '../../support/read-frames.js';

const TEXT = 0x80 | Opcode.text;
const BINARY = 0x80 | Opcode.binary;
const KEY = 0x9a3b5c7d;

/** What `fill` makes a batch write, and in how many writes. */
function written(fill: (batch: Batch) => void, port = new KernelPort()): Buffer {
  const batch = new Batch();
  fill(batch);
  const { size } = batch;
  batch.flush(port);
  expect(port.writes.length).toBe(1);
  expect(port.taken).toBe(size);
  expect(batch.size).toBe(0);
  return port.bytes;
}

describe('text (RFC 6455 §5.6)', () => {
  const texts: [string, string][] = [
    ['nothing', ''],
    ['ASCII whose header is short, but not with its bytes', `${'a'.repeat(124)}\u00e9`],
    ['a text just under the short length', 'a'.repeat(125)],
    ['a text just over it', 'a'.repeat(126)],
    ['wide characters, that need a longer header than they have characters', '\u20ac'.repeat(100)],
    ['code points beyond the BMP', '\u{1f600}'.repeat(40)],
    ['U+0000, a byte order mark and noncharacters', '\0\ufeffa\uffff\ufffe\u{1fffe}'],
    ['the longest that is encoded in place', '\u20ac'.repeat(16_384)],
    ['one that is longer', '\u20ac'.repeat(16_385)],
    ['one of 64 KiB', 'a'.repeat(65_536)],
  ];

  it.each(texts)('is UTF-8: %s', (_, text) => {
    for (const key of [undefined, KEY]) {
      const [frame, ...others] = readFrames(written((batch) => batch.text(TEXT, text, key)));
      expect(others).toEqual([]);
      expect({ ...frame!, payload: undefined }).toEqual({
        fin: true,
        opcode: 1,
        masked: key !== undefined,
        payload: undefined,
      });
      expect(frame!.payload.equals(Buffer.from(text))).toBe(true);
    }
  });

  it('that is long keeps its memory until it has left, and not longer', () => {
    const stalled = new KernelPort(0);
    const busy = new KernelPort();
    const writes = jest.spyOn(busy, 'write');
    const send = (port: KernelPort, text: string): void => {
      const batch = new Batch();
      batch.text(TEXT, text, undefined);
      batch.flush(port);
    };
    send(stalled, 'a'.repeat(50_000));
    for (const letter of ['b', 'c', 'd']) send(busy, letter.repeat(50_000));
    stalled.read();
    expect(readFrames(stalled.bytes).map(({ payload }) => payload.toString())).toEqual(['a'.repeat(50_000)]);
    expect(new Set(writes.mock.calls.map(([[piece]]) => piece?.buffer)).size).toBe(1);
  });

  it('has U+FFFD in the place of a lone surrogate, never invalid bytes', () => {
    for (const filler of ['', 'x'.repeat(20_000)]) {
      const [frame] = readFrames(written((batch) => batch.text(TEXT, `a\ud83d${filler}b\ude00`, undefined)));
      expect(frame!.payload.toString()).toBe(`a\ufffd${filler}b\ufffd`);
    }
  });
});

describe('payloads', () => {
  it('are copied up to the limit, and left where they are above it', () => {
    const port = new KernelPort(0);
    const batch = new Batch();
    const small = Buffer.alloc(COPY_LIMIT, 'a');
    const large = Buffer.alloc(COPY_LIMIT + 1, 'a');
    batch.payload(BINARY, small, undefined);
    batch.payload(BINARY, large, undefined);
    batch.flush(port);
    small.fill('b');
    large.fill('b');
    port.read();
    expect(port.frames.map(({ payload }) => payload.toString())).toEqual([
      'a'.repeat(COPY_LIMIT),
      'b'.repeat(COPY_LIMIT + 1),
    ]);
  });

  it.each([0, 5, COPY_LIMIT, COPY_LIMIT + 1, 70_000])(
    'of %i bytes are masked, and those of the caller stay',
    (size) => {
      const payload = Buffer.alloc(size, 'a');
      const [frame] = readFrames(written((batch) => batch.payload(BINARY, payload, KEY)));
      expect(frame!.masked).toBe(true);
      expect(frame!.payload.equals(payload)).toBe(true);
      expect(payload.equals(Buffer.alloc(size, 'a'))).toBe(true);
    },
  );
});

describe('batches that take turns', () => {
  it('write what is theirs, in order', () => {
    const batches = [new Batch(), new Batch(), new Batch()];
    for (let i = 0; i < 30; i++) batches[(i * 7) % 3]!.text(TEXT, `message ${i} `.repeat(i), undefined);
    const ports = batches.map((batch) => {
      const port = new KernelPort();
      batch.flush(port);
      return port;
    });
    const found = ports.map((port) =>
      port.frames.map(({ payload }) => Number(/\d+/.exec(payload.toString())?.[0] ?? 0)),
    );
    for (const [at, numbers] of found.entries()) {
      expect(numbers).toEqual([...Array(30).keys()].filter((i) => (i * 7) % 3 === at));
    }
  });

  it('join the frames that follow each other to one piece', () => {
    const batch = new Batch();
    const pieces: number[] = [];
    const port = Object.assign(new KernelPort(), { write: (all: readonly Uint8Array[]) => pieces.push(all.length) });
    for (let i = 0; i < 10; i++) batch.text(TEXT, 'x', undefined);
    batch.flush(port);
    expect(pieces).toEqual([1]);
  });
});

it('forgets what is dropped, and gives its memory back', () => {
  const batch = new Batch();
  batch.text(TEXT, 'x', undefined);
  batch.payload(BINARY, Buffer.alloc(5000), undefined);
  batch.drop();
  expect(batch.size).toBe(0);
  expect(Slab.current.position).toBe(0);
  const port = new KernelPort();
  batch.flush(port);
  expect(port.writes).toEqual([]);
});

describe('frames that others send too', () => {
  const frameOf = (text: string): SharedFrame => new SharedFrame(TEXT, Buffer.from(text));

  it('leave in their turn, among frames of the batch', () => {
    const bytes = written((batch) => {
      batch.text(TEXT, 'one', undefined);
      batch.run(frameOf('two').run.and(frameOf('three')));
      batch.payload(TEXT, Buffer.from('four'), undefined);
      batch.run(frameOf('five').run);
    });
    expect(readFrames(bytes).map(({ payload }) => payload.toString())).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  it('are forgotten with the batch', () => {
    const batch = new Batch();
    batch.run(frameOf('a').run);
    batch.drop();
    const port = new KernelPort();
    batch.flush(port);
    expect({ size: batch.size, writes: port.writes }).toEqual({ size: 0, writes: [] });
  });
});

describe('batches that are lent', () => {
  it('are used again, but never while something is in them', () => {
    const port = new KernelPort();
    const batch = Batch.take();
    batch.text(TEXT, 'a', undefined);
    expect([batch.giveBack(), Batch.take() === batch]).toEqual([false, false]);
    batch.flush(port);
    expect([batch.giveBack(), Batch.take() === batch]).toEqual([true, true]);
    expect(port.bytes.toString('hex')).toBe('810161');
  });

  it('are kept up to a number', () => {
    const batches = Array.from({ length: 100 }, () => Batch.take());
    for (const batch of batches) expect(batch.giveBack()).toBe(true);
    const again = Array.from({ length: 100 }, () => Batch.take());
    expect(again.filter((batch) => batches.includes(batch))).toHaveLength(64);
  });
});
