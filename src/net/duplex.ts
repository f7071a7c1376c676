import { Duplex, type DuplexOptions } from 'node:stream';

/** A stream of Node's, for the layers above, that know its types only. */
export function createDuplex(options: DuplexOptions): Duplex {
  return new Duplex(options);
}
