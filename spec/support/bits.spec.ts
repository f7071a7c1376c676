import { bits, hex } from './bits.js';

describe('bits', () => {
  it('reads a drawing of a header as bytes', () => {
    expect(bits('1 000 0001  0 0000101')).toEqual(Buffer.from([0x81, 0x05]));
    expect(bits('')).toEqual(Buffer.alloc(0));
  });

  it.each(['1 000 000', '1 000 0001  0 000010', '2 000 0001'])('refuses %s', (drawing) => {
    expect(() => bits(drawing)).toThrow(TypeError);
  });
});

describe('hex', () => {
  it('reads digits as bytes', () => {
    expect(hex('88 02 03E8')).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xe8]));
  });

  it.each(['8', '88 0', 'xy'])('refuses %s', (digits) => {
    expect(() => hex(digits)).toThrow(TypeError);
  });
});
