import * as fc from 'fast-check';

const codePoint = fc.oneof(
  fc.nat(0x7f),
  fc.nat(0xff),
  fc.nat(0xd7ff),
  fc.integer({ min: 0xe000, max: 0xffff }),
  fc.integer({ min: 0x10000, max: 0x10ffff }),
);

/** Text of any code points: as `fc.string({ unit: 'binary' })`, which takes seconds to make. `maxLength` counts code points. */
export function anyText(constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.array(codePoint, constraints).map((codes) => String.fromCodePoint(...codes));
}
