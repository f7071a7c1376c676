import { binary, fragments, text } from '../support/frames.js';
import { allOr } from '../support/long.js';
import { itSees, sees } from '../support/vectors.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const options = { maxPayload: 16 * MiB, maxFragments: 65_536 };

describe('a large message in one frame', () => {
  for (const size of allOr([64 * KiB, 256 * KiB, MiB, 4 * MiB, 8 * MiB, 16 * MiB], [64 * KiB, 16 * MiB])) {
    itSees(`text of ${size} bytes`, { sent: [text(letters(size))], seen: [sees.message(letters(size))], options });
    itSees(`binary of ${size} bytes`, { sent: [binary(bytes(size))], seen: [sees.message(bytes(size))], options });
  }
});

describe('a message of 4 MiB in fragments', () => {
  for (const size of allOr([64, 256, KiB, 4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB], [256, 64 * KiB])) {
    itSees(`text in fragments of ${size} bytes`, {
      sent: fragments(1, letters(4 * MiB), size),
      seen: [sees.message(letters(4 * MiB))],
      options,
    });
    itSees(`binary in fragments of ${size} bytes`, {
      sent: fragments(2, bytes(4 * MiB), size),
      seen: [sees.message(bytes(4 * MiB))],
      options,
    });
  }
});

describe('a message of 1 MiB in small chunks', () => {
  const chops = allOr([64, 128, 256, 512, 1024, 2048], [128]);
  itSees('text', { sent: [text(letters(MiB))], seen: [sees.message(letters(MiB))], options, chops });
  itSees('text that is not ASCII', {
    sent: [text('é'.repeat(MiB / 2))],
    seen: [sees.message('é'.repeat(MiB / 2))],
    options,
    chops,
  });
  itSees('binary', { sent: [binary(bytes(MiB))], seen: [sees.message(bytes(MiB))], options, chops });
});

describe('a thousand messages', () => {
  for (const size of allOr([0, 16, 64, 256, KiB, 4 * KiB], [0, 16, KiB])) {
    itSees(`text of ${size} bytes`, {
      sent: Array.from({ length: 1000 }, () => text(letters(size))),
      seen: Array.from({ length: 1000 }, () => sees.message(letters(size))),
    });
    itSees(`binary of ${size} bytes`, {
      sent: Array.from({ length: 1000 }, () => binary(bytes(size))),
      seen: Array.from({ length: 1000 }, () => sees.message(bytes(size))),
    });
  }
});

describe('a message of 65 536 bytes', () => {
  itSees('in fragments of 1300, as a sender that cuts by itself makes them', {
    sent: fragments(1, letters(65_536), 1300),
    seen: [sees.message(letters(65_536))],
  });
});

function letters(size: number): string {
  return 'abcdefghijklmnopqrstuvwxyz'.repeat(Math.ceil(size / 26)).slice(0, size);
}

function bytes(size: number): Buffer {
  const data = Buffer.alloc(size);
  for (let i = 0; i < size; i++) data[i] = i * 7 + (i >> 8);
  return data;
}
