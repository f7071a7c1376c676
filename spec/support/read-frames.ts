/** One frame as it was on the wire, unmasked. */
export interface ReadFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A frame with its reserved bits as a number: 4 is RSV1, 2 is RSV2, 1 is RSV3. */
export interface ReservedFrame extends ReadFrame {
  readonly rsv: number;
}

/** {@link readReservedFrames} without the reserved bits. */
export function readFrames(bytes: Buffer): ReadFrame[] {
  return readReservedFrames(bytes).map(({ rsv: _, ...frame }) => frame);
}

/**
 * The frames that `bytes` are. Written apart from the codec under test.
 *
 * @throws RangeError when the last one is not complete.
 */
export function readReservedFrames(bytes: Buffer): ReservedFrame[] {
  const frames: ReservedFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes.readUInt8(at);
    const second = bytes.readUInt8(at + 1);
    const masked = second >= 0x80;
    const short = second & 0x7f;
    at += 2;
    let length = short;
    if (short === 126) length = bytes.readUInt16BE(at);
    if (short === 127) length = Number(bytes.readBigUInt64BE(at));
    at += short === 126 ? 2 : short === 127 ? 8 : 0;
    const key = masked ? bytes.readUInt32BE(at) : 0;
    at += masked ? 4 : 0;
    if (at + length > bytes.length) throw new RangeError(`frame of ${length} bytes, ${bytes.length - at} are there`);
    const payload = Buffer.from(bytes.subarray(at, at + length));
    payload.forEach((byte, i) => {
      payload[i] = byte ^ ((key >>> (8 * (3 - (i % 4)))) & 0xff);
    });
    frames.push({ rsv: (first >> 4) & 7, fin: first >= 0x80, opcode: first & 0xf, masked, payload });
    at += length;
  }
  return frames;
}
