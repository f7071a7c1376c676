import { controlPayload } from '../../src/connection/control-payload.js';

describe('the payload of a ping or pong (RFC 6455 §5.5)', () => {
  const bytes = Buffer.from('xabcx').subarray(1, 4);

  it.each([
    ['a string, as UTF-8', 'é', Buffer.from('é')],
    ['a Buffer', bytes, Buffer.from('abc')],
    ['a view', new DataView(new Uint8Array([0, 1, 2, 3]).buffer, 1, 2), Buffer.from([1, 2])],
    ['an ArrayBuffer', new Uint8Array([1, 2]).buffer, Buffer.from([1, 2])],
    ['nothing', '', Buffer.alloc(0)],
    ['125 bytes', 'x'.repeat(125), Buffer.alloc(125, 'x')],
  ])('may be %s', (_, data, expected) => {
    expect(Buffer.from(controlPayload(data))).toEqual(expected);
  });

  it('is a copy', () => {
    const given = Buffer.from('abc');
    const payload = controlPayload(given);
    given.fill('x');
    expect(Buffer.from(payload).toString()).toBe('abc');
  });

  it.each([
    [126, 'x'.repeat(126)],
    [126, Buffer.alloc(126)],
    [126, 'é'.repeat(63)],
  ])('is not %i bytes', (size, data) => {
    expect(() => controlPayload(data)).toThrow(new RangeError(`data must be at most 125 bytes, got ${size}`));
  });

  it.each([50, null, {}, [1], true, Symbol('s')])('is not %p', (data) => {
    expect(() => controlPayload(data as never)).toThrow(TypeError);
    expect(() => controlPayload(data as never)).toThrow('data must be a string, an ArrayBuffer or a view of one');
  });
});
