import { binary, close, continuation, type Frame, ping, pong, text } from '../support/frames.js';
import { itSees, sees } from '../support/vectors.js';

/** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
const combinations = [1, 2, 3, 4, 5, 6, 7];

describe('reserved bits that no extension uses (RFC 6455 §5.2)', () => {
  const kinds: [string, Frame][] = [
    ['text', text('Hello, world!')],
    ['empty text', text()],
    ['binary', binary(Buffer.alloc(8, 0xfe))],
    ['a first fragment', text('Hello', { fin: false })],
    ['close', close(1000)],
    ['ping', ping('Hello')],
    ['pong', pong('Hello')],
  ];
  for (const rsv of combinations) {
    const bits = rsv.toString(2).padStart(3, '0');
    for (const [title, each] of kinds) {
      itSees(`fail the connection: ${bits} on ${title}`, {
        sent: [text('ok'), { ...each, rsv }, ping()],
        seen: [sees.message('ok'), sees.fail('RESERVED_BIT')],
      });
    }
    itSees(`fail the connection: ${bits} on a continuation`, {
      sent: [text('Hel', { fin: false }), continuation('lo', { rsv })],
      seen: [sees.fail('RESERVED_BIT')],
    });
    itSees(`fail the connection with the first byte: ${bits}`, {
      sent: [text('Hello', { rsv })],
      last: { bytes: 1 },
      seen: [sees.fail('RESERVED_BIT')],
    });
  }
});
