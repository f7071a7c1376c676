import type { PortEvents } from '../../src/channel/byte-port.js';

/** Delivers `bytes` as ports may: at the beginning of memory that is used for something else afterwards. */
export function lend(bytes: Buffer, events: Pick<PortEvents, 'bytes'>): void {
  const memory = Buffer.concat([bytes, Buffer.alloc(8, 0x82)]);
  events.bytes(memory, bytes.length);
  memory.fill(0x55);
}
