import { FrameReader } from '../../../src/protocol/frame/frame-reader.js';
import { type Message, type MessageLimits, MessageReader } from '../../../src/protocol/message/message-reader.js';
import { binary, continuation, type Frame, text, wire } from '../../support/frames.js';

describe('MessageReader', () => {
  it('gives text as a string and binary as bytes', () => {
    expect(messages([text('é'), binary('é')])).toEqual([
      { type: 'message', data: 'é', size: 2 },
      { type: 'message', data: Buffer.from('é'), size: 2 },
    ]);
  });

  it('joins frames', () => {
    const frames = [text('Hel', { fin: false }), continuation('', { fin: false }), continuation('lo')];
    expect(messages(frames)).toEqual([{ type: 'message', data: 'Hello', size: 5 }]);
  });

  it('decodes a fragmented text that is not all ASCII', () => {
    expect(messages([text('Hé', { fin: false }), continuation('llo')])).toMatchObject([{ data: 'Héllo' }]);
    expect(messages([text('He', { fin: false }), continuation('lló')])).toMatchObject([{ data: 'Helló' }]);
  });

  it('takes U+FFFD for what is not UTF-8 when it is told not to validate', () => {
    expect(messages([text(Buffer.from([0x61, 0xff]))], { skipUTF8Validation: true })).toMatchObject([
      { data: 'a\ufffd' },
    ]);
    const split = [text(Buffer.from([0xc3]), { fin: false }), continuation('')];
    expect(messages(split, { skipUTF8Validation: true })).toMatchObject([{ data: '\ufffd' }]);
  });

  it('names limit, configured and observed', () => {
    expect(() => messages([binary(Buffer.alloc(11))], { maxPayload: 10 })).toThrow(
      expect.objectContaining({
        code: 'MESSAGE_TOO_LONG',
        closeCode: 1009,
        message: 'message too long: 11 bytes, maxPayload allows 10',
      }),
    );
    const three = [text('', { fin: false }), continuation('', { fin: false }), continuation()];
    expect(() => messages(three, { maxFragments: 2 })).toThrow(
      expect.objectContaining({
        code: 'TOO_MANY_FRAGMENTS',
        closeCode: 1008,
        message: 'message has too many frames: 3, maxFragments allows 2',
      }),
    );
  });
});

describe('the memory of a binary message', () => {
  it.each([1, 64, 4095, 4096, 50_000])('is not the chunk when it has %d bytes, and no more than it needs', (size) => {
    const chunk = Buffer.allocUnsafeSlow(65_536);
    const frame = wire('client', [binary(Buffer.alloc(size, 0xfe))]);
    frame.copy(chunk);
    const { data } = only(chunk.subarray(0, frame.length));
    expect((data as Buffer).buffer).not.toBe(chunk.buffer);
    expect((data as Buffer).buffer.byteLength).toBe(size < 4096 ? Buffer.poolSize : size);
    chunk.fill(0);
    expect(data).toEqual(Buffer.alloc(size, 0xfe));
  });
});

function messages(frames: readonly Frame[], limits: Partial<MessageLimits> = {}): Message[] {
  const reader = new FrameReader(true);
  const assembled = new MessageReader({ maxPayload: 1000, maxFragments: 100, skipUTF8Validation: false, ...limits });
  reader.push(wire('server', frames));
  const found: Message[] = [];
  while (reader.read()) {
    const message = assembled.accept(reader);
    if (message !== undefined) found.push(message as Message);
  }
  return found;
}

function only(chunk: Buffer): Message {
  const reader = new FrameReader(false);
  reader.push(chunk);
  reader.read();
  return new MessageReader({ maxPayload: 65_536, maxFragments: 1, skipUTF8Validation: false }).accept(
    reader,
  ) as Message;
}
