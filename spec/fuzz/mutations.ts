import * as fc from 'fast-check';
import { corpus } from './corpus.js';
import type { Target } from './targets.js';

/** One change of an input. Places and lengths are parts of the whole, so that they fit inputs of any size. */
type Mutation =
  | { readonly do: 'flip' | 'set'; readonly at: number; readonly value: number }
  | { readonly do: 'insert'; readonly at: number; readonly bytes: Buffer }
  | { readonly do: 'delete' | 'double' | 'keep'; readonly at: number; readonly length: number }
  | { readonly do: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly do: 'splice'; readonly at: number; readonly other: Buffer };

/** How inputs are made. */
export interface Mutating {
  /** How often a piece may be repeated: more makes longer inputs. */
  readonly times: number;
  /** The longest input, in bytes. */
  readonly longest: number;
}

/** Inputs for `target`: its seeds with a few changes, and bytes without any sense. */
export function inputs(
  target: Target,
  { times, longest }: Mutating = { times: 8, longest: 4_096 },
): fc.Arbitrary<Buffer> {
  const seeds = corpus(target.corpus).map(({ input }) => input);
  const words = target.dictionary.map((word) => Buffer.from(word, 'latin1'));
  const mutation = mutations(seeds, words, times);
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([seed, changes]) => changes.reduce((input, each) => mutated(input, each, longest), seed));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  const joined = fc.array(fc.constantFrom(...words, ...seeds), { maxLength: 12 }).map((parts) => Buffer.concat(parts));
  return fc.oneof({ weight: 8, arbitrary: changed }, { weight: 1, arbitrary: bytes }, { weight: 1, arbitrary: joined });
}

function mutations(seeds: readonly Buffer[], words: readonly Buffer[], times: number): fc.Arbitrary<Mutation> {
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const value = fc.oneof(fc.constantFrom(0, 1, 0x7e, 0x7f, 0x80, 0xfe, 0xff, 0x0d, 0x0a, 0x20), fc.nat(255));
  return fc.oneof(
    fc.record({ do: fc.constantFrom('flip' as const, 'set' as const), at: part, value }),
    fc.record({ do: fc.constant('insert' as const), at: part, bytes: fc.constantFrom(...words) }),
    fc.record({ do: fc.constantFrom('delete' as const, 'double' as const, 'keep' as const), at: part, length: part }),
    fc.record({
      do: fc.constant('repeat' as const),
      at: part,
      length: part,
      times: fc.integer({ min: 2, max: times }),
    }),
    fc.record({ do: fc.constant('splice' as const), at: part, other: fc.constantFrom(...seeds) }),
  );
}

function mutated(input: Buffer, mutation: Mutation, longest: number): Buffer {
  const at = Math.floor(mutation.at * input.length);
  const before = input.subarray(0, at);
  const after = input.subarray(at);
  switch (mutation.do) {
    case 'flip':
    case 'set': {
      const copy = Buffer.from(input);
      if (copy.length > 0) {
        const place = Math.min(at, copy.length - 1);
        copy[place] = mutation.do === 'set' ? mutation.value : copy[place]! ^ (1 << (mutation.value & 7));
      }
      return copy;
    }
    case 'insert':
      return Buffer.concat([before, mutation.bytes, after]);
    case 'splice':
      return Buffer.concat([before, mutation.other]);
    default: {
      const piece = after.subarray(0, Math.ceil(mutation.length * after.length));
      const rest = after.subarray(piece.length);
      if (mutation.do === 'delete') return Buffer.concat([before, rest]);
      if (mutation.do === 'keep') return Buffer.from(piece);
      const times = mutation.do === 'repeat' ? mutation.times : 2;
      const repeated = Buffer.alloc(Math.min(times * piece.length, longest), piece.length === 0 ? 0 : piece);
      return Buffer.concat([before, repeated, rest]).subarray(0, longest);
    }
  }
}
