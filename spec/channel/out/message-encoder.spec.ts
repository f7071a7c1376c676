import { classify, payloadSizeOf } from '../../../src/channel/out/classify.js';
import { Compressor, SYNCHRONOUS_DEFLATE } from '../../../src/channel/out/deflating.js';
import { type Encoded, encodeMessage } from '../../../src/channel/out/message-encoder.js';
import { fragments, message } from '../../../src/connection/outgoing.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { jsonText, noise } from '../../support/compressible.js';

function compressor(keepsContext: boolean): Compressor {
  const parameters = {
    serverNoContextTakeover: !keepsContext,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  return new Compressor(
    new MessageDeflater(parameters, 'server', { threshold: 100, level: 6, memLevel: 8 }),
    (data) => typeof data !== 'string' || !data.startsWith('!'),
  );
}

function encode(value: unknown, keepsContext: boolean | undefined, isDirect = true): Encoded {
  const item = classify(value);
  const size = payloadSizeOf(item);
  const each = keepsContext === undefined ? undefined : compressor(keepsContext);
  return encodeMessage(item, { settings: { compressor: each, maskKey: undefined }, size, isDirect: () => isDirect });
}

const text = jsonText(500);

describe('how a message goes on', () => {
  it('is as it is without compression', () => {
    expect(encode(text, undefined)).toMatchObject({ kind: 'text', text });
    expect(encode(Buffer.from(text), undefined)).toMatchObject({ kind: 'frame', firstByte: 0x82 });
    expect(encode(message(Buffer.from(text), { binary: false }), undefined)).toMatchObject({ firstByte: 0x81 });
  });

  it('is as it is when it is short, or the application does not want it compressed', () => {
    expect(encode('short', false)).toMatchObject({ kind: 'text' });
    expect(encode(`!${text}`, false)).toMatchObject({ kind: 'text' });
    expect(encode(message(text, { compress: false }), false)).toMatchObject({ kind: 'text' });
  });

  it('is compressed, with RSV1, when it becomes smaller', () => {
    expect(encode(text, false)).toMatchObject({ kind: 'frame', firstByte: 0xc1 });
    expect(encode(message('aaaaaaaaaaaaaaaaaaaaaaaa', { compress: true }), false)).toMatchObject({ firstByte: 0xc1 });
    expect(encode(Buffer.from(text), false)).toMatchObject({ kind: 'frame', firstByte: 0xc2 });
    const random = noise(500);
    expect(encode(random, false)).toEqual({ kind: 'frame', firstByte: 0x82, payload: random });
  });

  it('waits for its turn when others are before it that it may refer to', () => {
    expect(encode(text, true, true)).toMatchObject({ kind: 'frame', firstByte: 0xc1 });
    expect(encode(text, true, false)).toMatchObject({ kind: 'deflate', firstByte: 0x81 });
    expect(encode(text, false, false)).toMatchObject({ kind: 'frame', firstByte: 0xc1 });
    expect(encode('short', true, false)).toMatchObject({ kind: 'text' });
  });

  it('waits for its turn when it is large', () => {
    expect(encode(Buffer.alloc(SYNCHRONOUS_DEFLATE), false)).toMatchObject({ kind: 'frame' });
    expect(encode(Buffer.alloc(SYNCHRONOUS_DEFLATE + 1), false)).toMatchObject({ kind: 'deflate', firstByte: 0x82 });
  });

  it('is decided later for Blobs and parts', () => {
    expect(encode(new Blob([text]), false)).toMatchObject({ kind: 'blob' });
    expect(encode(fragments([text]), true)).toMatchObject({ kind: 'fragments' });
  });

  it('is shared among connections only where the message was made for that', () => {
    const large = Buffer.alloc(SYNCHRONOUS_DEFLATE + 1);
    const made = message(large);
    expect(encode(made, false)).toMatchObject({ shared: made });
    expect(encode(large, false)).toMatchObject({ shared: undefined });
  });
});
