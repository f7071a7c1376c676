import { inflateRawSync } from 'node:zlib';
import { broadcastTo } from 'sluice/operators';
import { classify, payloadSizeOf, sharedFramesOf } from '../../../src/channel/out/classify.js';
import { Compressor } from '../../../src/channel/out/deflating.js';
import { type Encoded, encodeMessage } from '../../../src/channel/out/message-encoder.js';
import { type MessageOptions, message } from '../../../src/connection/outgoing.js';
import { shareMessage } from '../../../src/connection/shared-message.js';
import { MessageDeflater } from '../../../src/protocol/deflate/message-deflater.js';
import { SharedFrame, SharedFrames } from '../../../src/protocol/frame/shared-frame.js';
import { jsonText, noise } from '../../support/compressible.js';
import { memoryConnection } from '../../support/memory-connection.js';
import { readReservedFrames } from '../../support/read-frames.js';

const TEXT = 0x81;
const text = jsonText(2000);

interface CompressorOptions {
  readonly keepsContext?: boolean;
  readonly windowBits?: number;
}

/** The compressor of one connection of a server. */
function compressorOf({ keepsContext = false, windowBits = 15 }: CompressorOptions = {}): Compressor {
  const parameters = {
    serverNoContextTakeover: !keepsContext,
    clientNoContextTakeover: true,
    serverMaxWindowBits: windowBits,
    clientMaxWindowBits: 15,
  };
  return new Compressor(
    new MessageDeflater(parameters, 'server', { threshold: 100, level: 6, memLevel: 8 }),
    undefined,
  );
}

/** What each of the connections makes of `value`. `masked` is the connection of a client. */
function encoded(value: unknown, ...connections: (Compressor | 'plain' | 'masked')[]): Encoded[] {
  const shared = shareMessage(value);
  return connections.map((each) => {
    const item = classify(shared);
    const settings = {
      compressor: each instanceof Compressor ? each : undefined,
      maskKey: each === 'masked' ? () => 1 : undefined,
    };
    return encodeMessage(item, { settings, size: payloadSizeOf(item), isDirect: () => true });
  });
}

function read(frame: Encoded): { rsv: number; opcode: number; payload: string } {
  if (!(frame instanceof SharedFrame)) throw new TypeError(`a shared frame was expected, found ${frame.kind}`);
  const [{ rsv, opcode, payload } = { rsv: 0, opcode: 0, payload: Buffer.alloc(0) }, ...others] = readReservedFrames(
    Buffer.concat(frame.pieces),
  );
  expect(others).toEqual([]);
  return { rsv, opcode, payload: (rsv === 4 ? inflated(payload) : payload).toString() };
}

/** RFC 7692 §7.2.2: the four bytes that the sender took away come back. */
function inflated(payload: Buffer): Buffer {
  return inflateRawSync(Buffer.concat([payload, Buffer.from('0000ffff', 'hex')]), { finishFlush: 2 });
}

describe('the frames of a message for many', () => {
  it('are made when they are needed, once', () => {
    const frames = new SharedFrames(1, undefined);
    const payload = jest.fn(() => Buffer.from('a'));
    expect(frames.plain).toBeUndefined();
    const frame = frames.asGiven(TEXT, payload);
    expect(frames.asGiven(TEXT, payload)).toBe(frame);
    expect(frames.plain).toBe(frame);
    expect(payload).toHaveBeenCalledTimes(1);
    expect(Buffer.concat(frame.pieces).toString('hex')).toBe('810161');
  });

  it('are kept apart by the parameters of the compression', () => {
    const frames = new SharedFrames(1, undefined);
    const [one, other] = [new SharedFrame(0xc1, Buffer.from('1')), new SharedFrame(0xc1, Buffer.from('2'))];
    expect(frames.deflated('one')).toBeUndefined();
    expect(frames.addDeflated('one', one)).toBe(one);
    expect(frames.deflated('other')).toBeUndefined();
    frames.addDeflated('other', other);
    expect([frames.deflated('one'), frames.deflated('other')]).toEqual([one, other]);
    expect(frames.plain).toBeUndefined();
  });

  const sizes: [MessageOptions['compress'], number][] = [
    [undefined, 10],
    [false, 10],
    [true, Number.POSITIVE_INFINITY],
  ];

  it.each(sizes)('have the size that compression goes by: with compress %s, 10 bytes are like %d', (compress, size) => {
    expect(new SharedFrames(10, compress)).toMatchObject({ size: 10, deflateSize: size });
    const shared = shareMessage(message('0123456789', compress === undefined ? {} : { compress }));
    classify(shared);
    expect(sharedFramesOf(shared)!.deflateSize).toBe(size);
  });
});

describe('what connections make of a message for many', () => {
  it.each([0, 125, 126, 65_535, 65_536])('is one frame for all that do not compress: %i bytes', (length) => {
    const value = 'a'.repeat(length);
    const [first, ...others] = encoded(value, 'plain', 'plain', 'plain');
    for (const other of others) expect(other).toBe(first);
    expect(read(first!)).toEqual({ rsv: 0, opcode: 1, payload: value });
  });

  it('is not one frame for those that mask (RFC 6455 §5.3)', () => {
    const [masked, plain, bytes] = [...encoded(text, 'masked', 'plain'), ...encoded(Buffer.from(text), 'masked')];
    expect([masked!.kind, plain!.kind, bytes!.kind]).toEqual(['text', 'shared', 'frame']);
  });

  it('is compressed once for all of the same parameters that keep no context (RFC 7692 §7.1.1)', () => {
    const compressors = [15, 15, 10, 15, 10].map((windowBits) => compressorOf({ windowBits }));
    const runs = compressors.map(({ deflater }) => jest.spyOn(deflater, 'compress'));
    const frames = encoded(text, ...compressors);
    expect(runs.map(({ mock }) => mock.calls.length)).toEqual([1, 0, 1, 0, 0]);
    expect([frames[1], frames[3]].every((frame) => frame === frames[0])).toBe(true);
    expect(frames[4]).toBe(frames[2]);
    expect(frames[2]).not.toBe(frames[0]);
    for (const frame of frames) expect(read(frame)).toEqual({ rsv: 4, opcode: 1, payload: text });
  });

  it('is compressed by each that keeps its context', () => {
    const frames = encoded(text, compressorOf({ keepsContext: true }), compressorOf({ keepsContext: true }));
    expect(frames.map(({ kind }) => kind)).toEqual(['frame', 'frame']);
  });

  it('is another frame for those that compress than for those that do not', () => {
    const [plain, deflated, plainToo] = encoded(text, 'plain', compressorOf(), 'plain');
    expect(plainToo).toBe(plain);
    expect(read(plain!)).toEqual({ rsv: 0, opcode: 1, payload: text });
    expect(read(deflated!)).toEqual({ rsv: 4, opcode: 1, payload: text });
  });

  it('is the frame as it was given where compression would make it larger, tried once', () => {
    const compressors = [compressorOf(), compressorOf()];
    const runs = compressors.map(({ deflater }) => jest.spyOn(deflater, 'compress'));
    const [plain, ...deflated] = encoded(noise(500), 'plain', ...compressors);
    expect(deflated[0]).toBe(plain);
    expect(deflated[1]).toBe(plain);
    expect(runs.map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
  });

  it('is as it was given for those that compress, when it is short or is not to be compressed', () => {
    for (const value of ['short', message(text, { compress: false })]) {
      const [plain, other] = encoded(value, 'plain', compressorOf());
      expect(other).toBe(plain);
    }
  });
});

describe('connections that a message is broadcast to', () => {
  const deflate = {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };

  it('get the same bytes, whatever was sent to them before', async () => {
    const all = [
      memoryConnection(),
      memoryConnection({ deflate, perMessageDeflate: { threshold: 100 } }),
      memoryConnection({ deflate, perMessageDeflate: { threshold: 100 } }),
    ];
    const connections = all.map(({ connection }) => connection);
    for (const value of ['one', text, 'two']) {
      expect(broadcastTo(connections, value).sent).toBe(3);
      connections[1]!.send.next('to this one only');
    }
    await new Promise(setImmediate);
    const received = all.map(({ port }) =>
      readReservedFrames(Buffer.concat(port.writes)).map(({ rsv, payload }) =>
        (rsv === 4 ? inflated(payload) : payload).toString(),
      ),
    );
    const own = 'to this one only';
    expect(received).toEqual([
      ['one', text, 'two'],
      ['one', own, text, own, 'two', own],
      ['one', text, 'two'],
    ]);
    const compressed = all.map(({ port }) => readReservedFrames(Buffer.concat(port.writes)).map(({ rsv }) => rsv));
    expect(compressed).toEqual([
      [0, 0, 0],
      [0, 0, 4, 0, 0, 0],
      [0, 4, 0],
    ]);
    for (const { connection } of all) connection.terminate();
  });
});
