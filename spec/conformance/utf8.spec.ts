import { hex } from '../support/bits.js';
import { continuation, fragments, text } from '../support/frames.js';
import { itSees, sees } from '../support/vectors.js';

const kosme = 'ceba e1bdb9 cf83 cebc ceb5';
const invalid = sees.fail('UTF8_INVALID', 1007);
const more = { fin: false } as const;

describe('text that is valid UTF-8 (RFC 6455 §5.6, RFC 3629)', () => {
  const rows: [string, string][] = [
    ['one byte a code point', '68656c6c6f 24 776f726c64'],
    ['two bytes', '68656c6c6f c2a2 776f726c64'],
    ['three bytes', '68656c6c6f e282ac 776f726c64'],
    ['four bytes', '68656c6c6f f0a4ada2 776f726c64'],
    ['Greek', kosme],
    ['Latin', Buffer.from('Hello-µ@ßöäüàá-UTF-8!!').toString('hex')],
    ['the first code points of each length', '00 c280 e0a080 f0908080'],
    ['the last code points of each length', '7f dfbf efbfbf f48fbfbf'],
    ['the neighbours of the surrogates', 'ed9fbf ee8080'],
    ['U+FFFD', 'efbfbd'],
    ['the last code point', 'f48fbfbf'],
    ['specials', 'efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf'],
    ['a byte order mark, which is kept', 'efbbbf 61'],
    ['NUL', '61 00 62'],
  ];
  for (const [title, digits] of rows) {
    const bytes = hex(digits);
    const seen = [sees.message(bytes.toString())];
    itSees(`in one frame: ${title}`, { sent: [text(bytes)], seen });
    itSees(`in fragments of one byte: ${title}`, { sent: fragments(1, bytes, 1), seen });
  }

  for (let plane = 0; plane <= 16; plane++) {
    const characters = [0xfffe, 0xffff].map((low) => String.fromCodePoint(plane * 0x10000 + low)).join('');
    itSees(`the noncharacters of plane ${plane}`, { sent: [text(characters)], seen: [sees.message(characters)] });
  }

  itSees('in two fragments, cut between code points', {
    sent: [text('Hello-µ@ßöä', more), continuation('üàá-UTF-8!!')],
    seen: [sees.message('Hello-µ@ßöäüàá-UTF-8!!')],
  });

  for (const cut of [1, 2, 3]) {
    const bytes = Buffer.from('a😀b');
    itSees(`in two fragments, cut after byte ${cut} of a code point of four`, {
      sent: [text(bytes.subarray(0, 1 + cut), more), continuation(bytes.subarray(1 + cut))],
      seen: [sees.message('a😀b')],
    });
    itSees(`in three fragments, cut after byte ${cut}, with an empty one in the cut`, {
      sent: [text(bytes.subarray(0, 1 + cut), more), continuation('', more), continuation(bytes.subarray(1 + cut))],
      seen: [sees.message('a😀b')],
    });
  }

  itSees('long enough to be cut within code points at many places', {
    sent: [text('κόσμε😀'.repeat(2000))],
    seen: [sees.message('κόσμε😀'.repeat(2000))],
    chops: [7, 37, 1001],
  });
});

describe('text that is not valid UTF-8 (RFC 6455 §8.1)', () => {
  const sequences: [string, string[]][] = [
    ['a surrogate after valid text', [`${kosme} eda080 656469746564`]],
    ['the first sequence of five or six bytes', ['f888808080', 'fc8480808080']],
    ['the last sequence of four, five or six bytes', ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf']],
    ['a code point over U+10FFFF', ['f4908080', 'f5808080']],
    [
      'continuation bytes alone',
      ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', run(0x80, 0xbf)],
    ],
    [
      'lead bytes alone',
      [spaced(0xc0, 0xdf), spaced(0xe0, 0xef), spaced(0xf0, 0xf7), spaced(0xf8, 0xfb), spaced(0xfc, 0xfd)],
    ],
    [
      'a sequence that lacks its last byte',
      ['c0', 'e080', 'f08080', 'f8808080', 'fc80808080', 'df', 'efbf', 'f7bfbf', 'fbbfbfbf', 'fdbfbfbfbf'],
    ],
    ['incomplete sequences together', ['c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf']],
    ['a sequence cut by ASCII', ['c341', 'e28241', 'f09f9841']],
    ['impossible bytes', ['fe', 'ff', 'fefeffff']],
    ['an overlong slash', ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af']],
    ['the largest overlong sequence', ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf']],
    ['an overlong NUL', ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080']],
    ['a surrogate', ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf']],
    [
      'a pair of surrogates',
      ['eda080', 'edadbf', 'edae80', 'edafbf'].flatMap((high) => ['edb080', 'edbfbf'].map((low) => high + low)),
    ],
  ];
  for (const [title, rows] of sequences) {
    for (const digits of rows) {
      const bytes = hex(digits);
      itSees(`in one frame: ${title}, ${digits}`, {
        sent: [text('ok'), text(bytes)],
        seen: [sees.message('ok'), invalid],
      });
      itSees(`in fragments of one byte: ${title}, ${digits}`, { sent: fragments(1, bytes, 1), seen: [invalid] });
      itSees(`at the end of a long text: ${title}, ${digits}`, {
        sent: [text(Buffer.concat([Buffer.alloc(1000, 'é'), bytes]))],
        seen: [invalid],
      });
    }
  }

  const boundaries = new Set([0, 2, 5, 7, 9, 11]);
  for (let end = 0; end <= 11; end++) {
    const bytes = hex(kosme).subarray(0, end);
    itSees(`a text that ends after byte ${end} of 11`, {
      sent: [text(bytes)],
      seen: boundaries.has(end) ? [sees.message(bytes.toString())] : [invalid],
    });
    itSees(`a fragmented text that ends after byte ${end} of 11, in an empty frame`, {
      sent: [text(bytes, more), continuation()],
      seen: boundaries.has(end) ? [sees.message(bytes.toString())] : [invalid],
    });
  }
});

describe('text that becomes invalid fails at once (RFC 6455 §8.1)', () => {
  /** The bytes up to the one that can no longer be valid. */
  const prefixes = ['ff', 'c0', '80', 'e080', 'e09f', 'eda0', 'f08f', 'f490', 'c341', 'e282c3', 'f09f9841', 'f8'];
  for (const digits of prefixes) {
    const bytes = Buffer.concat([hex(kosme), hex(digits)]);
    itSees(`before the frame ends: ${digits}`, {
      sent: [text(Buffer.concat([bytes, Buffer.alloc(500, 'x')]))],
      last: { payload: bytes.length },
      seen: [invalid],
    });
    itSees(`but not a byte sooner: ${digits}`, {
      sent: [text(Buffer.concat([bytes, Buffer.alloc(500, 'x')]))],
      last: { payload: bytes.length - 1 },
      seen: [],
    });
    itSees(`before FIN: ${digits}`, { sent: [text(bytes, more)], seen: [invalid] });
    itSees(`in a continuation, before FIN: ${digits}`, {
      sent: [text(kosme, more), continuation(hex(digits), more), continuation('edited')],
      seen: [invalid],
    });
    itSees(`in the middle of a continuation: ${digits}`, {
      sent: [text(kosme, more), continuation(Buffer.concat([bytes, Buffer.alloc(90)]))],
      last: { payload: bytes.length },
      seen: [invalid],
    });
  }

  itSees('after the fragment that could have been valid', {
    sent: [text(hex(`${kosme} f4`), more), continuation(hex('90'), more)],
    seen: [invalid],
  });
  itSees('unless it is binary', {
    sent: [fragments(2, hex('ff fe c0 80'), 1)].flat(),
    seen: [sees.message(hex('ff fe c0 80'))],
  });
  itSees('unless it is not to be validated', {
    sent: [text(hex('61 ff')), ...fragments(1, hex('c3 28 62'), 1)],
    seen: [
      { type: 'message', data: 'a\ufffd', size: 2 },
      { type: 'message', data: '\ufffd(b', size: 3 },
    ],
    options: { skipUTF8Validation: true },
  });
  itSees('and the fault is not carried into another message', {
    sent: [text('é'), text('ok'), ...fragments(1, 'é', 1), text('ok')],
    seen: [sees.message('é'), sees.message('ok'), sees.message('é'), sees.message('ok')],
  });
});

function run(first: number, last: number): string {
  return Buffer.from(Array.from({ length: last - first + 1 }, (_, i) => first + i)).toString('hex');
}

/** Each byte with a space behind it. */
function spaced(first: number, last: number): string {
  return run(first, last).replace(/../g, '$&20');
}
