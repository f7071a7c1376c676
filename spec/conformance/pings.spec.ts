import { hex } from '../support/bits.js';
import { type Frame, ping, pong, text } from '../support/frames.js';
import { itSees, sees } from '../support/vectors.js';

describe('pings (RFC 6455 §5.5.2)', () => {
  const payloads: [string, string | Buffer][] = [
    ['nothing', ''],
    ['text', 'Hello, world!'],
    ['bytes that are not UTF-8', hex('00 ff fe fd fc fb 00 ff')],
    ['125 bytes', Buffer.alloc(125, 0xfe)],
  ];
  for (const [title, payload] of payloads) {
    itSees(`with ${title}`, { sent: [ping(payload)], seen: [sees.ping(payload)] });
  }

  itSees('in order, ten of them', {
    sent: Array.from({ length: 10 }, (_, i) => ping(`payload-${i}`)),
    seen: Array.from({ length: 10 }, (_, i) => sees.ping(`payload-${i}`)),
  });
});

describe('pongs (RFC 6455 §5.5.3)', () => {
  itSees('that nobody asked for, without a payload', {
    sent: [pong(), text('a')],
    seen: [sees.pong(), sees.message('a')],
  });
  itSees('that nobody asked for, with a payload', { sent: [pong('unsolicited')], seen: [sees.pong('unsolicited')] });
  itSees('before a ping', {
    sent: [pong('unsolicited'), ping('ping')],
    seen: [sees.pong('unsolicited'), sees.ping('ping')],
  });
});

describe('control frames over 125 bytes (RFC 6455 §5.5)', () => {
  for (const opcode of [0x8, 0x9, 0xa]) {
    for (const length of [126, 127, 65_535, 65_536]) {
      itSees(`are refused: opcode ${opcode.toString(16)} of ${length} bytes`, {
        sent: [text('ok'), control(opcode, length)],
        seen: [sees.message('ok'), sees.fail('CONTROL_TOO_LONG')],
      });
    }
    itSees(`are refused with their second byte: opcode ${opcode.toString(16)}`, {
      sent: [control(opcode, 126)],
      last: { bytes: 2 },
      seen: [sees.fail('CONTROL_TOO_LONG')],
    });
  }
});

function control(opcode: number, length: number): Frame {
  return { opcode, payload: Buffer.alloc(length, 0xfe), fin: true, rsv: 0 };
}
