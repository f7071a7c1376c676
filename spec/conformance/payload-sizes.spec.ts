import { hex } from '../support/bits.js';
import { binary, type Frame, text } from '../support/frames.js';
import { itSees, sees } from '../support/vectors.js';

/** Both sides of each step of the length field. RFC 6455 §5.2. */
const sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536];

describe('a message in one frame (RFC 6455 §5.2)', () => {
  for (const size of sizes) {
    itSees(`text of ${size} bytes`, { sent: [text('*'.repeat(size))], seen: [sees.message('*'.repeat(size))] });
    itSees(`binary of ${size} bytes`, {
      sent: [binary(Buffer.alloc(size, 0xfe))],
      seen: [sees.message(Buffer.alloc(size, 0xfe))],
    });
  }

  itSees('text of 65 536 bytes in pieces of 997', {
    sent: [text('*'.repeat(65_536))],
    seen: [sees.message('*'.repeat(65_536))],
    chops: [997],
  });
  itSees('binary of 65 536 bytes in pieces of 997', {
    sent: [binary(Buffer.alloc(65_536, 0xfe))],
    seen: [sees.message(Buffer.alloc(65_536, 0xfe))],
    chops: [997],
  });
  itSees('empty messages, in order', {
    sent: [text(), binary(), text('a'), binary(), text()],
    seen: [sees.message(''), sees.message(hex('')), sees.message('a'), sees.message(hex('')), sees.message('')],
  });
  itSees('text of every length over the first steps', {
    sent: Array.from({ length: 20 }, (_, i) => text('é'.repeat(i * 8))),
    seen: Array.from({ length: 20 }, (_, i) => sees.message('é'.repeat(i * 8))),
  });
});

describe('a length that is not in its shortest form (RFC 6455 §5.2)', () => {
  const wrong: [string, Frame['length']][] = [
    ['0 in 16 bits', { value: 0n, bits: 16 }],
    ['1 in 16 bits', { value: 1n, bits: 16 }],
    ['125 in 16 bits', { value: 125n, bits: 16 }],
    ['0 in 64 bits', { value: 0n, bits: 64 }],
    ['1 in 64 bits', { value: 1n, bits: 64 }],
    ['126 in 64 bits', { value: 126n, bits: 64 }],
    ['65535 in 64 bits', { value: 65_535n, bits: 64 }],
  ];
  for (const [title, length] of wrong) {
    for (const kind of [text, binary]) {
      const sent = [text('ok'), kind(Buffer.alloc(Number(length!.value)), { length: length! })];
      itSees(`is refused: ${title} (${kind === text ? 'text' : 'binary'})`, {
        sent,
        seen: [sees.message('ok'), sees.fail('LENGTH_NOT_MINIMAL')],
      });
    }
  }
});

describe('a length that is too large (RFC 6455 §5.2)', () => {
  const rows: [string, bigint, ReturnType<typeof sees.fail>][] = [
    ['the most significant bit', 2n ** 63n + 1n, sees.fail('LENGTH_TOO_LARGE', 1002)],
    ['all bits', 2n ** 64n - 1n, sees.fail('LENGTH_TOO_LARGE', 1002)],
    ['2^63 - 1', 2n ** 63n - 1n, sees.fail('LENGTH_TOO_LARGE', 1009)],
    ['2^53', 2n ** 53n, sees.fail('LENGTH_TOO_LARGE', 1009)],
    ['2^53 - 1', 2n ** 53n - 1n, sees.fail('MESSAGE_TOO_LONG', 1009)],
    ['2^56 + 5, whose low bits are a small number', 2n ** 56n + 5n, sees.fail('LENGTH_TOO_LARGE', 1009)],
    ['2^32, whose low bits are 0', 2n ** 32n, sees.fail('MESSAGE_TOO_LONG', 1009)],
    ['2^32 + 1', 2n ** 32n + 1n, sees.fail('MESSAGE_TOO_LONG', 1009)],
    ['2^31, which is negative as an int32', 2n ** 31n, sees.fail('MESSAGE_TOO_LONG', 1009)],
    ['2^24', 2n ** 24n, sees.fail('MESSAGE_TOO_LONG', 1009)],
  ];
  for (const [title, value, fault] of rows) {
    itSees(`is refused from its header: ${title}`, {
      sent: [binary('', { length: { value, bits: 64 } })],
      seen: [fault],
    });
  }

  itSees('is refused with its first byte of length, whatever comes with it', {
    sent: [binary(Buffer.alloc(100), { length: { value: 2n ** 63n, bits: 64 } })],
    last: { bytes: 3 },
    seen: [sees.fail('LENGTH_TOO_LARGE', 1002)],
  });
});
