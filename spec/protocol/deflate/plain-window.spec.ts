import fc from 'fast-check';
import { PlainWindow } from '../../../src/protocol/deflate/plain-window.js';

describe('PlainWindow', () => {
  it('has nothing at first', () => {
    expect(new PlainWindow(8).bytes).toBeUndefined();
  });

  it('holds the last bytes of all that was added', () => {
    const texts = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 200, maxLength: 600 })),
    );
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 10 }), texts, (bits, parts) => {
        const window = new PlainWindow(bits);
        let all = Buffer.alloc(0);
        for (const part of parts) {
          window.add(part);
          all = Buffer.concat([all, part]);
          expect(Buffer.from(window.bytes ?? [])).toEqual(all.subarray(-(2 ** bits)));
        }
      }),
    );
  });

  it.each([255, 256, 257, 512])('holds the end of %d bytes at once', (size) => {
    const window = new PlainWindow(8);
    const text = Buffer.from(Array.from({ length: size }, (_, index) => index & 0xff));
    window.add(Buffer.from('before'));
    window.add(text);
    expect(window.bytes).toEqual(Buffer.concat([Buffer.from('before'), text]).subarray(-256));
  });

  it('has a copy, so that the text may change', () => {
    const window = new PlainWindow(8);
    const text = Buffer.from('abc');
    window.add(text);
    text.fill(0);
    expect(window.bytes).toEqual(Buffer.from('abc'));
  });

  it('takes no more memory than twice what it was given, or its size', () => {
    const window = new PlainWindow(15);
    window.add(Buffer.alloc(2048));
    expect(window.bytes!.buffer.byteLength).toBe(4096);
    for (let added = 0; added < 100; added++) window.add(Buffer.alloc(2048));
    expect(window.bytes!.buffer.byteLength).toBe(32_768);
    expect(window.bytes).toHaveLength(32_768);
  });

  it('forgets everything', () => {
    const window = new PlainWindow(15);
    window.add(Buffer.from('abc'));
    window.clear();
    expect(window.bytes).toBeUndefined();
    window.add(Buffer.from('d'));
    expect(window.bytes).toEqual(Buffer.from('d'));
  });
});
