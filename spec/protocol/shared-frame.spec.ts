import { SharedFrame } from '../../src/protocol/shared-frame.js';
import { readFrames } from '../support/read-frames.js';

const frameOf = (text: string): SharedFrame => new SharedFrame(0x81, Buffer.from(text));
const textsOf = (pieces: readonly Uint8Array[]): string[] =>
  readFrames(Buffer.concat(pieces)).map(({ payload }) => payload.toString());

describe('a shared frame', () => {
  it.each([0, 125, 126, 4096, 4097, 65_536])('has its header and its payload: %i bytes', (size) => {
    const payload = Buffer.alloc(size, 'a');
    const { pieces, size: total } = new SharedFrame(0x82, payload);
    expect(readFrames(Buffer.concat(pieces))).toEqual([
      expect.objectContaining({ fin: true, opcode: 2, masked: false, payload }),
    ]);
    expect(Buffer.concat(pieces)).toHaveLength(total);
  });

  it('copies a short payload, and leaves a long one where it is', () => {
    const [short, long] = [Buffer.alloc(4096), Buffer.alloc(4097)];
    expect(new SharedFrame(0x82, short).pieces).toHaveLength(1);
    expect(new SharedFrame(0x82, long).pieces[1]).toBe(long);
  });
});

describe('a run of shared frames', () => {
  it('has the bytes of all of them, in one piece', () => {
    const run = ['b', 'c', 'd'].map(frameOf).reduce((before, frame) => before.and(frame), frameOf('a').run);
    expect(run.pieces).toHaveLength(1);
    expect(textsOf(run.pieces)).toEqual(['a', 'b', 'c', 'd']);
    expect(run.size).toBe(12);
  });

  it('is the same for all who add the same, and joined once for them', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(frameOf) as [SharedFrame, SharedFrame, SharedFrame];
    const run = a.run.and(b);
    expect(a.run.and(b)).toBe(run);
    expect(a.run.and(b).pieces).toBe(run.pieces);
    expect(textsOf(a.run.and(c).pieces)).toEqual(['a', 'c']);
    expect(textsOf(run.and(c).pieces)).toEqual(['a', 'b', 'c']);
    expect(textsOf(run.pieces)).toEqual(['a', 'b']);
  });

  it('is not joined when it is long', () => {
    const frames = Array.from({ length: 5 }, () => new SharedFrame(0x82, Buffer.alloc(4000)));
    const run = frames.slice(1).reduce((before, frame) => before.and(frame), frames[0]!.run);
    expect(run.pieces).toEqual(frames.flatMap(({ pieces }) => pieces));
  });
});
