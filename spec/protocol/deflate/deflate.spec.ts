import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import {
  type DeflateSettings,
  deflate,
  deflateLater,
  inflate as inflateMessage,
} from '../../../src/protocol/deflate/deflate.js';
import type { ProtocolError } from '../../../src/protocol/errors.js';
import { jsonText, noise } from '../../support/compressible.js';
import { runs } from '../../support/long.js';

const MiB = 1_048_576;
const settings: DeflateSettings = { windowBits: 15, level: 6, memLevel: 8 };
const hello = Buffer.from('Hello');
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const inflate = (body: Buffer, window: Buffer | undefined, limit: number, expected = 0): Buffer =>
  inflateMessage(body, { window, limit, expected });
/** A stream that says that it ends. */
const final = (text: string | Buffer): Buffer => deflateRawSync(Buffer.from(text as Buffer));

function failure(body: Buffer, limit = MiB, window?: Buffer): { code: string; closeCode: number } {
  try {
    inflate(body, window, limit);
  } catch (error) {
    const { code, closeCode } = error as ProtocolError;
    return { code, closeCode };
  }
  throw new Error(`was inflated: ${body.toString('hex')}`);
}

const INVALID = { code: 'COMPRESSION_INVALID', closeCode: 1007 };
const TOO_LONG = { code: 'MESSAGE_TOO_LONG', closeCode: 1009 };

describe('the examples of RFC 7692 §7.2.3', () => {
  it.each([
    ['one block (§7.2.3.1)', 'f2 48 cd c9 c9 07 00'],
    ['a block without compression (§7.2.3.3)', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
    ['a block with BFINAL (§7.2.3.4)', 'f3 48 cd c9 c9 07 00 00'],
    ['two blocks (§7.2.3.5)', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
  ])('inflates %s', (_, body) => {
    expect(inflate(hex(body), undefined, MiB)).toEqual(hello);
  });

  it('inflates a message that refers to the one before it (§7.2.3.2)', () => {
    expect(inflate(hex('f2 00 11 00 00'), hello, MiB)).toEqual(hello);
    expect(failure(hex('f2 00 11 00 00'))).toEqual(INVALID);
  });

  it('compresses the same as the examples', () => {
    expect(deflate(hello, settings, undefined, true)).toEqual(hex('f2 48 cd c9 c9 07 00'));
    expect(deflate(hello, settings, hello, true)).toEqual(hex('f2 00 11 00 00'));
  });

  it('takes one zero byte for nothing, and gives it (§7.2.3.6)', () => {
    expect(inflate(hex('00'), undefined, MiB)).toHaveLength(0);
    expect(inflate(hex('02 00'), undefined, MiB)).toHaveLength(0);
    expect(deflate(Buffer.alloc(0), settings, undefined, true)).toEqual(hex('00'));
    expect(deflate(Buffer.alloc(0), settings, undefined, false)).toHaveLength(0);
  });
});

describe('a block that ends its stream (RFC 7692 §7.2.3.4)', () => {
  it('may end the message', () => {
    expect(inflate(final('Hello'), undefined, MiB)).toEqual(hello);
  });

  it('may be followed by others, that refer to it', () => {
    const text = jsonText(3000);
    const rest = deflateRawSync(Buffer.from(text), {
      dictionary: Buffer.from(text),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    const body = Buffer.concat([final(text), rest.subarray(0, -4)]);
    expect(body.length).toBeLessThan(final(text).length + 100);
    expect(inflate(body, undefined, MiB).toString()).toBe(text + text);
  });

  it('keeps the window from before', () => {
    const text = Buffer.from(jsonText(500));
    const first = deflateRawSync(text, { dictionary: text });
    const second = deflateRawSync(text, { dictionary: Buffer.concat([text, text]) });
    expect(inflate(Buffer.concat([first, second]), text, MiB)).toEqual(Buffer.concat([text, text]));
  });

  it.each([16, 1])('may come %d times', (streams) => {
    const body = Buffer.concat(Array.from({ length: streams }, () => final('ab')));
    expect(inflate(body, undefined, MiB).toString()).toBe('ab'.repeat(streams));
  });

  it('may not come more than 16 times', () => {
    const body = Buffer.concat(Array.from({ length: 17 }, () => final('ab')));
    expect(failure(body)).toEqual({ code: 'TOO_MANY_STREAMS', closeCode: 1008 });
    expect(failure(Buffer.concat(Array.from({ length: 100_000 }, () => hex('03 00'))))).toMatchObject({
      closeCode: 1008,
    });
  });
});

describe('data that is not valid', () => {
  it.each([
    ['reserved block types', 'ff ff'],
    ['a payload without a byte', ''],
    ['a length that does not agree with its complement', '00 05 00 00 00 48'],
    ['a reference to before the beginning', 'f2 00 11 00 00'],
    ['a tail that was not left out', 'f2 48 cd c9 c9 07 00 00 00 ff ff'],
    ['bytes behind the end of a stream', 'f3 48 cd c9 c9 07 00 de ad be ef'],
  ])('is refused: %s', (_, body) => {
    expect(failure(hex(body))).toEqual(INVALID);
  });

  const whole: [string, Buffer][] = [
    ['JSON', Buffer.from(jsonText(2000))],
    ['one letter', Buffer.from('a')],
    ['noise, in blocks without compression', noise(700)],
    ['zeros', Buffer.alloc(5000)],
  ];
  describe.each(whole)('%s', (_, data) => {
    const body = deflate(data, settings, undefined, true);
    const cuts = Array.from({ length: body.length - 1 }, (_, index) => body.subarray(0, index + 1));

    it('is refused when it is cut off at any byte', () => {
      // One zero byte is a message by itself: §7.2.3.6.
      for (const cut of cuts.filter((each) => !each.equals(hex('00')))) expect(failure(cut)).toEqual(INVALID);
    });

    it('is refused when it is cut off at any byte behind a stream that ended', () => {
      const beginning = final('begin');
      for (const cut of cuts.filter((each) => !each.equals(hex('00')))) {
        expect(failure(Buffer.concat([beginning, cut]))).toEqual(INVALID);
      }
    });

    it('is refused with a stream that is cut off at any byte', () => {
      const stream = final(data);
      for (let size = 1; size < stream.length; size++) {
        if (!stream.subarray(0, size).equals(hex('00'))) expect(failure(stream.subarray(0, size))).toEqual(INVALID);
      }
    });

    it('is refused with a byte behind it', () => {
      for (const extra of ['01', 'ff', '05']) expect(failure(Buffer.concat([body, hex(extra)]))).toEqual(INVALID);
    });
  });

  it('is told from text that ends like the block behind it', () => {
    for (const text of [hex('00 00 ff ff'), hex('aa 00 00 ff ff'), hex('00 00 ff ff 01 00 00 ff ff')]) {
      for (const level of [0, 6]) {
        const body = deflate(text, { ...settings, level }, undefined, true);
        expect(inflate(body, undefined, MiB)).toEqual(text);
        expect(inflate(deflateRawSync(text, { level }), undefined, MiB)).toEqual(text);
        expect(inflate(deflate(text, settings, text, true), text, MiB)).toEqual(text);
      }
    }
  });

  it('never makes anything but a ProtocolError, nor more than the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2000), (bytes, limit) => {
        try {
          expect(inflate(Buffer.from(bytes), undefined, limit).length).toBeLessThanOrEqual(limit);
        } catch (error) {
          expect([1007, 1008, 1009]).toContain((error as ProtocolError).closeCode);
        }
      }),
      runs(2000),
    );
  });
});

describe('the limit of what is inflated', () => {
  it('is not to blame for what zlib cannot do', () => {
    // What it says of its own: there is no memory, an option is wrong.
    const settings = { window: 'no window' as unknown as Buffer, limit: MiB, expected: 0 };
    expect(() => inflateMessage(final('Hello'), settings)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  it.each([0, 1, 1023, 1024, 65_536, 100_000])('allows %d bytes and not one more', (limit) => {
    const fits = deflate(Buffer.alloc(limit, 'a'), settings, undefined, true);
    expect(inflate(fits, undefined, limit)).toHaveLength(limit);
    expect(failure(deflate(Buffer.alloc(limit + 1, 'a'), settings, undefined, true), limit)).toEqual(TOO_LONG);
  });

  it('holds over all streams of a message', () => {
    const body = Buffer.concat([final('a'.repeat(600)), final('b'.repeat(400))]);
    expect(inflate(body, undefined, 1000)).toHaveLength(1000);
    expect(failure(body, 999)).toEqual(TOO_LONG);
    expect(failure(Buffer.concat([final('a'.repeat(1000)), final('b')]), 1000)).toEqual(TOO_LONG);
  });

  it.each([0, 7, 1000, 1024, 5000, 10_000_000])('holds whatever was expected: %d bytes', (expected) => {
    const body = deflate(Buffer.alloc(1000, 'a'), settings, undefined, true);
    expect(inflate(body, undefined, 1000, expected)).toEqual(Buffer.alloc(1000, 'a'));
    expect(() => inflate(body, undefined, 999, expected)).toThrow(expect.objectContaining(TOO_LONG));
  });

  it('names what was configured', () => {
    const bomb = deflateRawSync(Buffer.alloc(2 * MiB));
    expect(() => inflate(bomb, undefined, MiB)).toThrow(
      'message too long: more than 1048576 bytes when inflated, maxPayload allows 1048576',
    );
  });
});

describe('compressing', () => {
  const cases = [8, 9, 11, 13, 15].flatMap((windowBits) =>
    [0, 1, 6, 9].map((level) => ({ windowBits, level, memLevel: level === 0 ? 1 : level })),
  );
  const texts = [1, 2, 255, 300, 5000, 40_000].map((size) => Buffer.from(jsonText(size, size)));
  const random = noise(3000);

  it.each(cases)('can be inflated with the window that was agreed to: %j', (options) => {
    for (const text of [...texts, random]) {
      const body = deflate(text, options, undefined, true);
      expect(inflate(body, undefined, MiB)).toEqual(text);
      // What inflates here is a decoder that keeps a window of this size and nothing else.
      const tail = Buffer.concat([body, hex('00 00 ff ff')]);
      const peer = { windowBits: options.windowBits, chunkSize: 256, finishFlush: constants.Z_SYNC_FLUSH };
      expect(inflateRawSync(tail, peer)).toEqual(text);
    }
  });

  it.each(cases)('can be inflated with a window that it refers to: %j', (options) => {
    for (const text of texts) {
      const window = text.subarray(-(2 ** options.windowBits));
      const body = deflate(text, options, window, true);
      expect(inflate(body, window, MiB)).toEqual(text);
    }
  });

  it.each([1, 100, 70_000])('gives the same in the thread pool: %d bytes', async (size) => {
    const text = Buffer.from(jsonText(size));
    const later = await new Promise<Buffer>((resolve, reject) =>
      deflateLater(text, settings, undefined, (error, output) => (error === null ? resolve(output) : reject(error))),
    );
    expect(later).toEqual(deflate(text, settings, undefined, true));
  });

  it('keeps the end of each part but the last', () => {
    const parts = [deflate(hello, settings, undefined, false), deflate(hello, settings, hello, true)];
    expect(parts[0]!.subarray(-4)).toEqual(hex('00 00 ff ff'));
    expect(inflate(Buffer.concat(parts), undefined, MiB).toString()).toBe('HelloHello');
  });

  it('survives every length around the size of its buffers', () => {
    for (let size = 200; size < 600; size++) {
      const text = noise(size, size);
      expect(inflate(deflate(text, settings, undefined, true), undefined, size)).toEqual(text);
    }
  });
});

describe('the memory of what is inflated', () => {
  it.each([1, 500, 3000, 5000, 100_000])('is not much more than its %d bytes', (size) => {
    const output = inflate(deflate(Buffer.from(jsonText(size)), settings, undefined, true), undefined, MiB);
    const { byteLength } = output.buffer;
    // A small one lies among others in the pool of Node.
    expect(byteLength <= 2 * size || byteLength <= 8192).toBe(true);
  });

  it.each([5_000, 40_000])('shows nothing beside its %d bytes where it does not share the pool', (size) => {
    const output = inflate(deflate(Buffer.alloc(size, 'x'), settings, undefined, true), undefined, MiB);
    expect(Buffer.from(output.buffer).every((byte) => byte === 0 || byte === 0x78)).toBe(true);
  });
});
