import { isControl, isReserved, Opcode } from '../../../src/protocol/frame/opcode.js';

describe('opcodes (RFC 6455 §5.2)', () => {
  it('have the numbers of the registry', () => {
    expect(Opcode).toEqual({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 });
  });

  it('are of control frames when the high bit is set', () => {
    expect(opcodes().filter(isControl)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  it('are reserved from 3 to 7 and from B to F', () => {
    expect(opcodes().filter(isReserved)).toEqual([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]);
  });
});

function opcodes(): number[] {
  return Array.from({ length: 16 }, (_, opcode) => opcode);
}
