import { constants, inflateRawSync } from 'node:zlib';
import { readReservedFrames } from '../support/read-frames.js';
import { compressedFragments, contextBomb, zeros } from './bomb.js';

const MiB = 1_048_576;
const tail = Buffer.from([0, 0, 0xff, 0xff]);

function inflated(payload: Buffer, dictionary?: Buffer): Buffer {
  const options = { finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary && { dictionary }) };
  return inflateRawSync(Buffer.concat([payload, tail]), options);
}

describe('zeros', () => {
  it.each([1, 1000, MiB, 3 * MiB + 17])('are %d zeros when inflated', (size) => {
    expect(inflated(zeros(size)).equals(Buffer.alloc(size))).toBe(true);
  });

  it('are small on the wire', () => {
    expect(zeros(1000 * MiB).length).toBeLessThan(MiB);
  });
});

describe('compressedFragments', () => {
  it('say only in the first frame that they are compressed', () => {
    const payload = zeros(MiB);
    const frames = compressedFragments(payload, 10);
    expect(frames.map(({ rsv }) => rsv)).toEqual([4, ...Array(9).fill(0)]);
    expect(frames.map(({ fin }) => fin)).toEqual([...Array(9).fill(false), true]);
    expect(Buffer.concat(frames.map((each) => each.payload)).equals(payload)).toBe(true);
  });
});

describe('contextBomb', () => {
  it('needs the first message to inflate the second', async () => {
    const [first, second] = readReservedFrames(await contextBomb(MiB)).map(({ payload }) => payload);
    const known = inflated(first!);
    const whole = inflated(second!, known);
    expect(known).toHaveLength(1024);
    expect(whole.subarray(0, 1024)).toEqual(known);
    expect(whole).toHaveLength(1024 + MiB);
    expect(() => inflated(second!)).toThrow();
  });
});
