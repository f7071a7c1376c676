import { SharedFrame } from '../../src/protocol/shared-frame.js';
import { shareMessage } from '../../src/protocol/shared-message.js';
import { classify, fragments, message, sharedFramesOf } from '../../src/reactive/outgoing.js';
import { SharedFrames } from '../../src/reactive/shared-frames.js';

describe('the frames of a message for several connections', () => {
  it('are made once: as it is', () => {
    const frames = new SharedFrames(3, undefined);
    const payload = jest.fn(() => Buffer.from('abc'));
    expect(frames.plain).toBeUndefined();
    expect(frames.asGiven(0x81, payload)).toBe(frames.asGiven(0x81, payload));
    expect(frames.plain!.size).toBe(5);
    expect(payload).toHaveBeenCalledTimes(1);
  });

  it('are made once: for each group of those who compress alike', () => {
    const frames = new SharedFrames(3, undefined);
    const frame = new SharedFrame(0xc1, Buffer.from('x'));
    frames.addDeflated('15', frame);
    expect([frames.deflated('15'), frames.deflated('11')]).toEqual([frame, undefined]);
  });

  it('may be plain below a size, unless the message is to be compressed in any case', () => {
    expect(new SharedFrames(3, undefined).deflateSize).toBe(3);
    expect(new SharedFrames(3, false).deflateSize).toBe(3);
    expect(new SharedFrames(3, true).deflateSize).toBe(Number.POSITIVE_INFINITY);
  });

  it('are kept with the message, whose value is looked at once', () => {
    const shared = shareMessage(message('text', { compress: true }));
    expect(sharedFramesOf(shared)).toBeUndefined();
    const item = classify(shared);
    expect(item).toMatchObject({ kind: 'text', text: 'text', shared: { size: 4 } });
    expect(classify(shared)).toBe(item);
    expect(sharedFramesOf(shared)?.deflateSize).toBe(Number.POSITIVE_INFINITY);
  });

  it('are none of messages that come later', () => {
    for (const value of [new Blob(['a']), fragments(['a'])]) {
      const shared = shareMessage(value);
      classify(shared);
      expect(sharedFramesOf(shared)).toBeUndefined();
    }
  });
});
