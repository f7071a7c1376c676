import { readFileSync } from 'node:fs';
import openWabt from 'wabt';
import type * as VectorMask from '../../../src/protocol/frame/read-memory.js';

/** The types of Node do not know it. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Module: (bytes: Uint8Array) => void; readonly Instance: () => void };
};

afterEach(() => jest.restoreAllMocks());

describe('the vector instructions that unmask', () => {
  it('are what unmask.wat compiles to', async () => {
    const wabt = await openWabt();
    const text = wabt.parseWat('unmask.wat', readFileSync('src/protocol/frame/unmask.wat', 'utf8'), { simd: true });
    const module = Buffer.from(text.toBinary({}).buffer);
    const compile = jest.spyOn(WebAssembly, 'Module');
    load();
    expect(Buffer.from(compile.mock.calls[0]![0])).toEqual(module);
  });

  it('are at hand here, over 64 KiB of memory', () => {
    const { readMemory, unmaskVectors } = load();
    expect(readMemory).toHaveLength(65_536);
    expect(unmaskVectors).toBeInstanceOf(Function);
  });

  it('change the bytes that they are told to, up to the last of the memory, and no others', () => {
    const { readMemory, unmaskVectors } = load();
    readMemory.fill(0);
    expect(unmaskVectors?.(1, 65_536, 0x04030201)).toBe(0);
    expect([...readMemory.subarray(0, 6)]).toEqual([0, 1, 2, 3, 4, 1]);
    expect(readMemory.every((byte, i) => byte === (i === 0 ? 0 : ((i - 1) & 3) + 1))).toBe(true);
  });

  it('cannot leave the memory', () => {
    const { unmaskVectors } = load();
    expect(() => unmaskVectors?.(65_500, 65_600, 1)).toThrow('out of bounds');
  });

  it('are done without where WebAssembly cannot be used', () => {
    jest.spyOn(WebAssembly, 'Instance').mockImplementation(() => {
      throw new RangeError('could not allocate memory');
    });
    const { readMemory, unmaskVectors } = load();
    expect(readMemory).toHaveLength(65_536);
    expect(unmaskVectors).toBeUndefined();
  });
});

function load(): typeof VectorMask {
  let loaded: typeof VectorMask | undefined;
  jest.isolateModules(() => {
    loaded = jest.requireActual('../../../src/protocol/frame/read-memory.js');
  });
  return loaded!;
}
