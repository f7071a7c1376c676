/** Members of a broadcast over memory: what each was sent, and whether it is ready. */
import { type MemoryConnection, memoryConnection } from './memory-connection.js';

/** Connections that are not ready above 50 bytes. */
export function membersOf(count: number, options: Parameters<typeof memoryConnection>[0] = {}): MemoryConnection[] {
  return Array.from({ length: count }, () => memoryConnection({ highWaterMark: 50, ...options }));
}

/** The peer does not read: `member` is not ready from now on. */
export function stall({ port, connection }: MemoryConnection): void {
  port.block();
  connection.send.next('.'.repeat(100));
}

/** The texts that left, and `close` with its code. What {@link stall} sends is left out. */
export function readBy({ port }: MemoryConnection): string[] {
  return port.frames
    .map(({ opcode, payload }) => (opcode === 8 ? `close ${payload.readUInt16BE(0)}` : payload.toString()))
    .filter((text) => !text.startsWith('....'));
}
