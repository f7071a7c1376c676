import {
  binary,
  close,
  closeOf,
  continuation,
  type Frame,
  fragments,
  frame,
  ping,
  pong,
  text,
} from '../support/frames.js';
import { itSees, type Seen, sees } from '../support/vectors.js';

const more = { fin: false } as const;

describe('fragmented messages (RFC 6455 §5.4)', () => {
  itSees('text in two fragments', {
    sent: [text('fragment1', more), continuation('fragment2')],
    seen: [sees.message('fragment1fragment2')],
  });
  itSees('binary in three fragments', {
    sent: [binary('a', more), continuation('b', more), continuation('c')],
    seen: [sees.message(Buffer.from('abc'))],
  });
  itSees('text in fragments that are all empty', {
    sent: [text('', more), continuation('', more), continuation('')],
    seen: [sees.message('')],
  });
  itSees('binary in fragments that are all empty', {
    sent: [binary('', more), continuation('')],
    seen: [sees.message(Buffer.alloc(0))],
  });
  itSees('text whose first and last fragments are empty', {
    sent: [text('', more), continuation('middle', more), continuation('')],
    seen: [sees.message('middle')],
  });
  itSees('messages one after the other', {
    sent: [...fragments(1, 'first', 2), text('whole'), ...fragments(2, 'second', 3), ...fragments(1, 'third', 1)],
    seen: [sees.message('first'), sees.message('whole'), sees.message(Buffer.from('second')), sees.message('third')],
  });

  for (const count of [1, 2, 3, 5, 10]) {
    const pinged = pingedBetween('abcdefghij', count);
    itSees(`text in ${count} fragments with a ping between each`, pinged);
  }
  itSees('text in two fragments with a pong and pings between them', {
    sent: [text('fragment1', more), pong('x'), ping('y'), ping(), continuation('fragment2')],
    seen: [sees.pong('x'), sees.ping('y'), sees.ping(), sees.message('fragment1fragment2')],
  });
  itSees('of which only the beginning arrives', {
    sent: [text('fragment1', more), continuation('fragment2', more)],
    seen: [],
  });
});

describe('frames out of sequence (RFC 6455 §5.4)', () => {
  for (const fin of [true, false]) {
    const name = fin ? 'with FIN' : 'without FIN';
    itSees(`a continuation ${name} first`, {
      sent: [continuation('non-continuation payload', { fin }), text('Hello')],
      seen: [sees.fail('CONTINUATION_UNEXPECTED')],
    });
    itSees(`an empty continuation ${name} first`, {
      sent: [continuation('', { fin })],
      seen: [sees.fail('CONTINUATION_UNEXPECTED')],
    });
    itSees(`a continuation ${name} after a message in one frame`, {
      sent: [text('Hello'), continuation('late', { fin }), text('Hello')],
      seen: [sees.message('Hello'), sees.fail('CONTINUATION_UNEXPECTED')],
    });
    itSees(`a continuation ${name} after a message in two frames`, {
      sent: [text('fragment1', more), continuation('fragment2'), continuation('fragment3', { fin }), text('Hello')],
      seen: [sees.message('fragment1fragment2'), sees.fail('CONTINUATION_UNEXPECTED')],
    });
    for (const kind of [text, binary]) {
      itSees(`a ${kind === text ? 'text' : 'binary'} frame ${name} within a message`, {
        sent: [text('fragment1', more), kind('fragment2', { fin })],
        seen: [sees.fail('CONTINUATION_EXPECTED')],
      });
      itSees(`a ${kind === text ? 'text' : 'binary'} frame ${name} after a ping within a message`, {
        sent: [binary('', more), ping(), kind('', { fin })],
        seen: [sees.ping(), sees.fail('CONTINUATION_EXPECTED')],
      });
    }
  }
  itSees('a continuation first, with its first byte', {
    sent: [continuation('payload')],
    last: { bytes: 1 },
    seen: [sees.fail('CONTINUATION_UNEXPECTED')],
  });
  itSees('a text frame within a message, with its first byte', {
    sent: [text('a', more), text('b')],
    last: { bytes: 1 },
    seen: [sees.fail('CONTINUATION_EXPECTED')],
  });
});

describe('control frames (RFC 6455 §5.5)', () => {
  const kinds: [string, Frame][] = [
    ['ping', ping('fragment1', more)],
    ['pong', pong('fragment1', more)],
    ['close', closeOf('', more)],
  ];
  for (const [title, first] of kinds) {
    itSees(`must not be fragmented: ${title}`, {
      sent: [text('ok'), first, continuation('fragment2')],
      seen: [sees.message('ok'), sees.fail('CONTROL_FRAGMENTED')],
    });
    itSees(`must not be fragmented: ${title} within a message`, {
      sent: [text('ok', more), first, continuation('fragment2')],
      seen: [sees.fail('CONTROL_FRAGMENTED')],
    });
    itSees(`must not be fragmented, by the first byte: ${title}`, {
      sent: [first],
      last: { bytes: 1 },
      seen: [sees.fail('CONTROL_FRAGMENTED')],
    });
  }
  itSees('do not become part of the message: close drops it', {
    sent: [text('fragment1', more), close(1000), continuation('fragment2')],
    seen: [sees.close(1000)],
  });
  itSees('do not become part of the message: close drops a text that ends within a code point', {
    sent: [text(Buffer.from([0xe2, 0x82]), more), close(1000)],
    seen: [sees.close(1000)],
  });
});

function pingedBetween(payload: string, count: number): { sent: Frame[]; seen: Seen[] } {
  const parts = Array.from({ length: count }, (_, i) =>
    payload.slice((i * payload.length) / count, ((i + 1) * payload.length) / count),
  );
  return {
    sent: parts
      .flatMap((part, i) => [frame(i === 0 ? 1 : 0, part, { fin: i === count - 1 }), ping(`${i}`)])
      .slice(0, -1),
    seen: [...parts.slice(1).map((_, i) => sees.ping(`${i}`)), sees.message(parts.join(''))],
  };
}
