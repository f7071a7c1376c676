import { encodeFrame, writeFrame } from '../../../src/protocol/frame/frame-writer.js';
import { Opcode } from '../../../src/protocol/frame/opcode.js';
import { bits, hex } from '../../support/bits.js';
import { binary, wire } from '../../support/frames.js';

describe('encodeFrame (RFC 6455 §5.7)', () => {
  it('writes a single-frame unmasked text message', () => {
    expect(encodeFrame(Opcode.text, Buffer.from('Hello'))).toEqual(hex('81 05 48 65 6c 6c 6f'));
  });

  it('writes a single-frame masked text message', () => {
    expect(encodeFrame(Opcode.text, Buffer.from('Hello'), { maskKey: 0x37fa213d })).toEqual(
      hex('81 85 37 fa 21 3d 7f 9f 4d 51 58'),
    );
  });

  it('writes a fragmented unmasked text message', () => {
    expect(encodeFrame(Opcode.text, Buffer.from('Hel'), { fin: false })).toEqual(hex('01 03 48 65 6c'));
    expect(encodeFrame(Opcode.continuation, Buffer.from('lo'), { fin: true })).toEqual(hex('80 02 6c 6f'));
  });

  it('masks under the key 0 too', () => {
    expect(encodeFrame(Opcode.ping, Buffer.from('a'), { maskKey: 0 })).toEqual(
      Buffer.concat([bits('1 000 1001  1 0000001'), hex('00000000 61')]),
    );
  });

  it.each([0, 125, 126, 127, 65535, 65536])('frames %d bytes in as many as needed, without changing them', (length) => {
    const payload = new Uint8Array(length).fill(0xfe);
    expect(encodeFrame(Opcode.binary, payload).equals(wire('client', [binary(payload)]))).toBe(true);
    expect(encodeFrame(Opcode.binary, payload, { maskKey: 0x01020304 })).toEqual(
      wire('server', [binary(payload, { key: 0x01020304 })]),
    );
    expect(payload.every((byte) => byte === 0xfe)).toBe(true);
  });
});

describe('writeFrame', () => {
  it('writes at its offset, and says where the frame ends', () => {
    const target = Buffer.alloc(12, 0xaa);
    expect(writeFrame(target, 2, 0x81, Buffer.from('Hello'))).toBe(9);
    expect(target).toEqual(hex('aaaa 8105 48656c6c6f aaaaaa'));
  });

  it('masks a copy', () => {
    const payload = Buffer.from('Hello');
    const target = Buffer.alloc(12, 0xaa);
    expect(writeFrame(target, 0, 0x81, payload, 0x37fa213d)).toBe(11);
    expect(target).toEqual(hex('8185 37fa213d 7f9f4d5158 aa'));
    expect(payload.toString()).toBe('Hello');
  });
});
