import { withoutPongs } from '../../src/testing/pong-filter.js';
import { hex } from '../support/bits.js';

describe('frames without their pongs', () => {
  it.each([
    ['nothing but pongs', '8a00 8a0161', ''],
    ['none', '810161 8900 8800', '810161 8900 8800'],
    ['some between others, masked or not', '810161 8a8100000000 61 8a00 8900', '810161 8900'],
  ])('%s', (_, bytes, kept) => {
    expect(withoutPongs(hex(bytes))).toEqual(hex(kept));
  });
});
