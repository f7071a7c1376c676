import { frame, ping, text } from '../support/frames.js';
import { itSees, sees } from '../support/vectors.js';

describe('reserved opcodes (RFC 6455 §5.2)', () => {
  for (const opcode of [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf]) {
    const name = opcode.toString(16).toUpperCase();
    const fault = sees.fail('RESERVED_OPCODE');
    itSees(`fail the connection: ${name} without a payload`, { sent: [frame(opcode)], seen: [fault] });
    itSees(`fail the connection: ${name} with a payload`, {
      sent: [frame(opcode, 'reserved opcode payload')],
      seen: [fault],
    });
    itSees(`fail the connection: ${name} without FIN`, { sent: [frame(opcode, '', { fin: false })], seen: [fault] });
    itSees(`fail the connection: ${name} after a message and before a ping`, {
      sent: [text('Hello, world!'), frame(opcode, 'payload'), ping()],
      seen: [sees.message('Hello, world!'), fault],
    });
    itSees(`fail the connection: ${name} within a fragmented message`, {
      sent: [text('Hello', { fin: false }), frame(opcode)],
      seen: [fault],
    });
    itSees(`fail the connection with the first byte: ${name}`, {
      sent: [frame(opcode, 'payload')],
      last: { bytes: 1 },
      seen: [fault],
    });
  }
});
