/** Frames as a peer may send them, right or wrong. Written apart from the codec under test, and as plainly as possible. */
import type { Role } from '../../src/protocol/frame/opcode.js';

/** One frame and everything about it that can be wrong. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly fin: boolean;
  /** RSV1 to RSV3 as a number: 4 is RSV1, 2 is RSV2, 1 is RSV3. */
  readonly rsv: number;
  /** The length that the header claims, and in how many bits. The true one in the fewest bits when left out. */
  readonly length?: { readonly value: bigint; readonly bits: 7 | 16 | 64 };
  /** Whether it is masked. As the sender has to when left out. */
  readonly masked?: boolean;
  /** The key, four bytes in network order. One that differs from frame to frame when left out. */
  readonly key?: number;
}

/** What a frame of {@link frame} may have unlike an ordinary one. */
export type FrameFault = Partial<Omit<Frame, 'opcode' | 'payload'>>;

/** A frame: FIN set, no reserved bits, unless `fault` says otherwise. A string is sent as UTF-8. */
export function frame(opcode: number, payload: string | Uint8Array = '', fault: FrameFault = {}): Frame {
  return { fin: true, rsv: 0, ...fault, opcode, payload: Buffer.from(payload as Uint8Array) };
}

/** A text frame. */
export const text = (payload?: string | Uint8Array, fault?: FrameFault): Frame => frame(0x1, payload, fault);
/** A binary frame. */
export const binary = (payload?: string | Uint8Array, fault?: FrameFault): Frame => frame(0x2, payload, fault);
/** A continuation frame. */
export const continuation = (payload?: string | Uint8Array, fault?: FrameFault): Frame => frame(0x0, payload, fault);
/** A Ping frame. */
export const ping = (payload?: string | Uint8Array, fault?: FrameFault): Frame => frame(0x9, payload, fault);
/** A Pong frame. */
export const pong = (payload?: string | Uint8Array, fault?: FrameFault): Frame => frame(0xa, payload, fault);
/** A Close frame with these bytes. */
export const closeOf = (payload?: string | Uint8Array, fault?: FrameFault): Frame => frame(0x8, payload, fault);
/** A Close frame with a code and a reason. */
export const close = (code: number, reason: string | Uint8Array = ''): Frame =>
  closeOf(Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason as Uint8Array)]));

/** A message in frames of at most `size` bytes. */
export function fragments(opcode: number, payload: string | Uint8Array, size: number): Frame[] {
  const bytes = Buffer.from(payload as Uint8Array);
  const frames: Frame[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    const fin = at + size >= bytes.length;
    frames.push(frame(at === 0 ? opcode : 0, bytes.subarray(at, at + size), { fin }));
  }
  return frames;
}

/** The bytes of `frames` as the peer of an endpoint in `role` sends them. */
export function wire(role: Role, frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.flatMap((each, index) => encode(role, each, index)));
}

function encode(role: Role, each: Frame, index: number): [Buffer, Buffer] {
  const { fin, rsv, opcode, payload, masked = role === 'server' } = each;
  const { value, bits } = each.length ?? shortest(payload.length);
  const key = each.key ?? 0x37fa213d + index * 0x01234567;
  const keyBytes = [key >>> 24, (key >>> 16) & 0xff, (key >>> 8) & 0xff, key & 0xff];
  const short = bits === 7 ? Number(value) : bits === 16 ? 126 : 127;
  const header = [(fin ? 0x80 : 0) | (rsv << 4) | opcode, (masked ? 0x80 : 0) | short];
  for (let shift = bits === 7 ? 0 : bits; shift > 0; shift -= 8)
    header.push(Number((value >> BigInt(shift - 8)) & 0xffn));
  if (!masked) return [Buffer.from(header), payload];
  const body = Buffer.from(payload);
  for (let i = 0; i < body.length; i++) body[i]! ^= keyBytes[i % 4]!;
  return [Buffer.from([...header, ...keyBytes]), body];
}

function shortest(length: number): NonNullable<Frame['length']> {
  return { value: BigInt(length), bits: length < 126 ? 7 : length < 65536 ? 16 : 64 };
}
