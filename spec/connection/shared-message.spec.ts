import { classify, sharedFramesOf } from '../../src/channel/out/classify.js';
import { fragments, message } from '../../src/connection/outgoing.js';
import { outgoingSymbol, shareMessage } from '../../src/connection/shared-message.js';

describe('a message for many', () => {
  it('is marked for all builds, and nobody has looked at it yet', () => {
    const value = { any: 'value' };
    const shared = shareMessage(value);
    expect(outgoingSymbol).toBe(Symbol.for('sluice.outgoing'));
    expect(shared).toEqual({ [outgoingSymbol]: 'shared', value, item: undefined });
    expect(shared.value).toBe(value);
  });

  it('has the mark of other messages with options, and another name', () => {
    expect(message('a')[outgoingSymbol]).toBe('message');
    expect(fragments([])[outgoingSymbol]).toBe('fragments');
  });

  it.each([
    ['text', 'a\u20ac', 4],
    ['bytes', Buffer.from('abc'), 3],
    ['a message with options', message(Buffer.from('abcd'), { binary: false }), 4],
  ])('is classified once for all connections, with one place for its frames: %s', (_, value, size) => {
    const shared = shareMessage(value);
    expect(sharedFramesOf(shared)).toBeUndefined();
    const item = classify(shared);
    expect(shared.item).toBe(item);
    expect(classify(shared)).toBe(item);
    const frames = sharedFramesOf(shared);
    expect(frames!.size).toBe(size);
    expect(item).toMatchObject({ shared: frames });
  });

  it('has no frames in common with another one of the same value', () => {
    const [one, other] = [shareMessage('a'), shareMessage('a')];
    classify(one);
    classify(other);
    expect(sharedFramesOf(one)).toBeDefined();
    expect(sharedFramesOf(one)).not.toBe(sharedFramesOf(other));
  });

  it('has no frames where they are made anew for each connection', () => {
    for (const value of [new Blob(['a']), fragments(['a'])]) {
      const shared = shareMessage(value);
      classify(shared);
      expect(sharedFramesOf(shared)).toBeUndefined();
    }
  });

  it('is refused like its value, each time', () => {
    const shared = shareMessage(42);
    for (const _ of [1, 2]) expect(() => classify(shared)).toThrow('cannot send 42');
    expect(shared.item).toBeUndefined();
  });
});
