/** Frame types. RFC 6455 §5.2, §11.8. */
export const Opcode = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Whether `opcode` is that of a control frame, with the high bit set. RFC 6455 §5.5. */
export function isControl(opcode: number): boolean {
  return (opcode & 0x8) !== 0;
}

/** Whether `opcode` (0 to 15) is one of 3-7 and B-F, which are reserved for further frames. RFC 6455 §5.2. */
export function isReserved(opcode: number): boolean {
  return (opcode & 0x7) > 2;
}

/** An end of the connection. Clients mask, servers do not. RFC 6455 §5.1. */
export type Role = 'server' | 'client';
