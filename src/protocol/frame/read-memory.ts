import { Buffer } from 'node:buffer';

/** `unmask.wat`, compiled. */
const MODULE: string =
  'AGFzbQEAAAABCAFgA39/fwF/AwIBAAUEAQEBAQcTAgZtZW1vcnkCAAZ1bm1hc2sAAAqTAgGQAgIDewJ/IAL9ESEDAkADQCABIABrQcAASQ0BIAD9AAQAIAP9' +
  'USEFIAAgBf0LBAAgBCAF/VAhBCAA/QAEECAD/VEhBSAAIAX9CwQQIAQgBf1QIQQgAP0ABCAgA/1RIQUgACAF/QsEICAEIAX9UCEEIAD9AAQwIAP9USEFIAAg' +
  'Bf0LBDAgBCAF/VAhBCAAQcAAaiEADAALCwJAA0AgASAAa0EQSQ0BIAD9AAQAIAP9USEFIAAgBf0LBAAgBCAF/VAhBCAAQRBqIQAMAAsLAkADQCAAIAFPDQEg' +
  'AC0AACACQf8BcXMhByAAIAc6AAAgBiAHciEGIAJBCHghAiAAQQFqIQAMAAsLIAT9ZCAGQYABcXIL';

/** The most bytes that one read of a socket may deliver. */
const READ_SIZE = 65_536;

/** The exports of the module. Node's types do not include WebAssembly. */
interface Vectors {
  readonly memory: { readonly buffer: ArrayBuffer };
  unmask(start: number, end: number, key: number): number;
}

interface WebAssemblyHere {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
}

const vectors = loadVectors();

/**
 * The memory that sockets read into. All connections of this thread share it: its contents are copied or decoded before the next read.
 * It is WebAssembly memory, if this process may allocate some.
 */
export const readMemory: Buffer =
  vectors === undefined ? Buffer.allocUnsafeSlow(READ_SIZE) : Buffer.from(vectors.memory.buffer);

/**
 * Unmasks bytes in {@link readMemory} with vector instructions (see `bench: 1 KiB binary, 16 in flight`). RFC 6455 §5.3. Returns
 * 0 if all unmasked bytes are ASCII.
 *
 * `undefined` if there is no WebAssembly.
 */
export const unmaskVectors: ((start: number, end: number, littleEndianKey: number) => number) | undefined =
  vectors?.unmask;

/** Returns undefined if WebAssembly is disabled, or the address space is too small for what V8 reserves for it. */
function loadVectors(): Vectors | undefined {
  try {
    const { WebAssembly } = globalThis as unknown as WebAssemblyHere;
    return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64'))).exports as Vectors;
  } catch {
    return undefined;
  }
}
