import { Compressor } from '../../../src/channel/out/compressor.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { UsageError } from '../../../src/protocol/errors.js';

const parameters = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const compressor = (predicate?: (data: string | Uint8Array) => boolean): Compressor =>
  new Compressor(new MessageDeflater(parameters, 'server', { threshold: 10, level: 6, memLevel: 8 }), predicate);

describe('whether a message is compressed', () => {
  it('depends on its size, first of all', () => {
    expect(compressor().wants('a', 9, {})).toBe(false);
    expect(compressor().wants('a', 10, {})).toBe(true);
  });

  it('is asked of the predicate for those that are long enough', () => {
    const asked: unknown[] = [];
    const each = compressor((data) => {
      asked.push(data);
      return data !== 'no';
    });
    expect([each.wants('short', 9, {}), each.wants('yes', 10, {}), each.wants('no', 10, {})]).toEqual([
      false,
      true,
      false,
    ]);
    expect(asked).toEqual(['yes', 'no']);
  });

  it.each([true, false])('is what the message says, without asking: %s', (compress) => {
    const each = compressor(() => {
      throw new Error('asked');
    });
    expect(each.wants('a', 1, { compress })).toBe(compress);
    expect(each.wants('a', 100, { compress })).toBe(compress);
  });

  it('is a UsageError when the predicate throws', () => {
    const cause = new Error('broken');
    const each = compressor(() => {
      throw cause;
    });
    const ask = () => each.wants('a', 100, {});
    expect(ask).toThrow(UsageError);
    expect(ask).toThrow(expect.objectContaining({ code: 'COMPRESS_FAILED', cause }));
    expect(ask).toThrow('perMessageDeflate.compress threw: broken');
  });
});
