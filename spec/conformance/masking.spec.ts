import { binary, close, type Frame, frame, ping, pong, text } from '../support/frames.js';
import { checkVector, roles, sees } from '../support/vectors.js';

describe('masking (RFC 6455 §5.1, §5.3)', () => {
  const kinds: [string, Frame][] = [
    ['a text frame', text('a')],
    ['an empty text frame', text()],
    ['a binary frame', binary('a')],
    ['a first fragment', text('a', { fin: false })],
    ['a ping', ping('a')],
    ['a pong', pong()],
    ['a close frame', close(1000)],
    ['a frame of 126 bytes', binary(Buffer.alloc(126))],
    ['a frame of 65 536 bytes', binary(Buffer.alloc(65_536))],
  ];

  it.each(kinds)('is required of a client: %s', (_, each) => {
    const fault = [sees.fail('MASK_REQUIRED')];
    checkVector('server', { sent: [{ ...each, masked: false }], seen: fault });
  });

  it.each(kinds)('is forbidden to a server: %s', (_, each) => {
    checkVector('client', { sent: [{ ...each, masked: true }], seen: [sees.fail('MASK_FORBIDDEN')] });
  });

  it.each(roles)('that is wrong is found with the second byte (as %s)', (role) => {
    const sent = [text('ok'), text('x'.repeat(200), { masked: role === 'client' })];
    checkVector(role, { sent, last: { bytes: 1 }, seen: [sees.message('ok')] });
    const fault = sees.fail(role === 'server' ? 'MASK_REQUIRED' : 'MASK_FORBIDDEN');
    checkVector(role, { sent, last: { bytes: 2 }, seen: [sees.message('ok'), fault] });
  });

  it.each([0, 1, 0x7f7f7f7f, 0x80808080, 0xffffffff, 0x00ff00ff])('works under the key %d', (key) => {
    const sent = [text('Hello', { key }), binary(Buffer.alloc(500, 0xfe), { key }), text('é'.repeat(100), { key })];
    const seen = [sees.message('Hello'), sees.message(Buffer.alloc(500, 0xfe)), sees.message('é'.repeat(100))];
    checkVector('server', { sent, seen });
  });

  it('works for lengths from 0 to 300, at whatever address the payload lies', () => {
    const lengths = Array.from({ length: 301 }, (_, length) => length);
    const payload = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + length) & 0xff));
    checkVector('server', {
      sent: lengths.map((length) => frame(2, payload(length), { key: (length + 1) * 0x1234567 })),
      seen: lengths.map((length) => sees.message(payload(length))),
    });
  });
});
