import { toBinaryType } from '../../src/reactive/binary-type.js';

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
