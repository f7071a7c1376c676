import { receivedAs, toBinaryType } from '../../../src/channel/in/binary-type.js';
import { InternalError } from '../../../src/protocol/errors.js';

describe('the type of binary messages', () => {
  const pooled = Buffer.from('xxhelloxx').subarray(2, 7);

  it('is by default the Buffer that came', () => {
    expect(toBinaryType(pooled, 'nodebuffer')).toBe(pooled);
  });

  it('is an ArrayBuffer of exactly the message, and none of the memory around it', () => {
    const message = toBinaryType(pooled, 'arraybuffer') as ArrayBuffer;
    expect(Object.prototype.toString.call(message)).toBe('[object ArrayBuffer]');
    expect(Buffer.from(message).toString()).toBe('hello');
  });

  it('is a Blob with the bytes of the message', async () => {
    const message = toBinaryType(pooled, 'blob') as Blob;
    expect(message.size).toBe(5);
    expect(await message.text()).toBe('hello');
  });
});

describe('a message that came', () => {
  const failed: unknown[] = [];
  const session = { fail: (error: unknown) => void failed.push(error) };
  beforeEach(() => {
    failed.length = 0;
  });

  it('is a string, whatever binary ones are, or what binary ones are', () => {
    expect(receivedAs('text', 'arraybuffer', session)).toBe('text');
    const bytes = Buffer.from('bytes');
    expect(receivedAs(bytes, 'nodebuffer', session)).toBe(bytes);
    expect(receivedAs(bytes, 'arraybuffer', session)).toBeInstanceOf(ArrayBuffer);
    expect(failed).toEqual([]);
  });

  it('fails the session when there is no memory for a copy', () => {
    const bytes = new Proxy(Buffer.alloc(1), {
      get: () => {
        throw new RangeError('Array buffer allocation failed');
      },
    });
    expect(receivedAs(bytes, 'arraybuffer', session)).toBeUndefined();
    expect(failed).toEqual([expect.any(InternalError)]);
  });
});
