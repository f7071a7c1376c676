import type { BinaryType } from './connection.js';

/** A binary message as the option `binaryType` asks for it. An `ArrayBuffer` is a copy of exactly the message. */
export function toBinaryType(data: Buffer, type: BinaryType): Buffer | ArrayBuffer | Blob {
  switch (type) {
    case 'nodebuffer':
      return data;
    case 'arraybuffer':
      return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
    case 'blob':
      return new Blob([data as Uint8Array<ArrayBuffer>]);
    default:
      return type satisfies never;
  }
}
