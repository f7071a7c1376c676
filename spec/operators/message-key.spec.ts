import { message } from 'sluice';
import { messageKey } from '../../src/operators/message-key.js';

describe('the key of a message', () => {
  it.each([
    ['text', 'a', 'a'],
    ['bytes', Buffer.from('ab'), new Uint8Array([97, 98])],
    ['bytes of a part of a buffer', new Uint8Array([1, 2, 3]).subarray(1), new Uint8Array([2, 3]).buffer],
    ['views', new DataView(new Uint8Array([1]).buffer), new Uint8Array([1])],
    ['objects', { sub: 'a', of: [1] }, { sub: 'a', of: [1] }],
    ['lists', [1, { a: 2 }], [1, { a: 2 }]],
  ])('is the same for equal %s', (_, one, other) => {
    expect(messageKey(one)).toBe(messageKey(other));
  });

  it.each([
    ['texts', 'a', 'b'],
    ['text and its bytes', 'a', Buffer.from('a')],
    ['text and JSON', '{"a":1}', { a: 1 }],
    ['bytes', Buffer.from([1, 23]), Buffer.from([12, 3])],
    ['objects', { a: 1 }, { a: 2 }],
    ['numbers and texts', 1, '1'],
  ])('differs for different %s', (_, one, other) => {
    expect(messageKey(one)).not.toBe(messageKey(other));
  });

  it('is the message itself where nothing shows what is in it', () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    for (const opaque of [new Blob(['a']), message('a'), new Map([[1, 2]]), loop, null, undefined, 5n])
      expect(messageKey(opaque)).toBe(opaque);
  });
});
