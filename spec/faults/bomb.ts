/** Compressed messages that are small on the wire and huge when inflated. */
import { randomBytes } from 'node:crypto';
import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { type Frame, fragments, frame, wire } from '../support/frames.js';

const MiB = 1_048_576;
const RSV1 = 4;

/** `size` zeros, compressed (RFC 7692 §7.2.1). Blocks that know nothing of each other are all alike, so one is made and repeated. */
export function zeros(size: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(MiB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const whole = Array.from({ length: Math.floor(size / MiB) }, () => block);
  const rest = deflateRawSync(Buffer.alloc(size % MiB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...whole, rest]).subarray(0, -4);
}

/** The frame of one compressed binary message. */
export function compressed(payload: Uint8Array): Frame {
  return frame(0x2, payload, { rsv: RSV1, key: 0 });
}

/** One compressed message in about `count` frames. Only the first says that it is compressed (RFC 7692 §6). */
export function compressedFragments(payload: Uint8Array, count: number): Frame[] {
  const frames = fragments(0x2, payload, Math.ceil(payload.length / count));
  return frames.map((each, index) => ({ ...each, rsv: index === 0 ? RSV1 : 0, key: 0 }));
}

/** Two messages, the second of which begins with what the first one was and is a bomb behind that. Needs context takeover. */
export async function contextBomb(size: number): Promise<Buffer> {
  const known = randomBytes(1024);
  const stream = createDeflateRaw({ level: 9 });
  const output: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => output.push(chunk));
  const flushed = async (data: Uint8Array): Promise<Buffer> => {
    stream.write(data);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    return Buffer.concat(output.splice(0));
  };
  const first = await flushed(known);
  const second = await flushed(known);
  stream.destroy();
  return wire('server', [compressed(first.subarray(0, -4)), compressed(Buffer.concat([second, zeros(size)]))]);
}
