/** Vectors: what a peer sends, and all that a session must make of it, however the bytes are cut. */
import { createHash } from 'node:crypto';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { InternalError, ProtocolErrorCode } from '../../src/protocol/errors.js';
import type { Role } from '../../src/protocol/frame/opcode.js';
import type { More } from '../../src/protocol/message/message-reader.js';
import { type Output, Session, type SessionOptions } from '../../src/protocol/message/session.js';
import { type Frame, wire } from './frames.js';
import { allOr, isLong } from './long.js';

/** An {@link Output} with the error of a `fail` reduced to its codes. */
export type Seen =
  | Exclude<Output, { type: 'fail' | 'more' }>
  | { readonly type: 'fail'; readonly code: ProtocolErrorCode | InternalError['code']; readonly closeCode: number };

/** What the peer sends, and what must be seen of it. `end` is not named: it must follow all but `fail`. */
export interface Vector {
  readonly sent: readonly Frame[];
  readonly seen: readonly Seen[];
  /** How much of the last frame arrives: so many bytes, or its header and so many bytes of its payload. All when left out. */
  readonly last?: { readonly bytes: number } | { readonly payload: number };
  readonly options?: Partial<SessionOptions>;
  /** Sizes of pieces in which it must be cut too. */
  readonly chops?: readonly number[];
}

/** When a session is asked: after each piece, or only at the end. */
export type Pull = 'each' | 'end';

/** Constructors of {@link Seen}. */
export const sees = {
  /** A message: text for a string, binary for bytes. */
  message: (data: string | Buffer): Seen => ({ type: 'message', data, size: Buffer.byteLength(data) }),
  ping: (data: string | Buffer = ''): Seen => ({ type: 'ping', data: Buffer.from(data as string) }),
  pong: (data: string | Buffer = ''): Seen => ({ type: 'pong', data: Buffer.from(data as string) }),
  /** A Close frame that is answered with its own code. */
  close: (code: number, reason = ''): Seen => ({ type: 'close', code, reason }),
  fail: (code: ProtocolErrorCode, closeCode = 1002): Seen => ({ type: 'fail', code, closeCode }),
} as const;

/** Both ends of a connection. */
export const roles: readonly Role[] = ['server', 'client'];

/** Wires up to this length are cut at every position, longer ones near the ends of frames and here and there. In bytes. */
const CUT_EVERYWHERE = 512;
/** Wires over this length are cut at few positions. In bytes. */
const LARGE = 300_000;
/** Wires up to this length also come one byte at a time, longer ones in pieces of a few sizes. In bytes. */
const DRIP = 140_000;

/** Two tests, one for each role: the session sees just what `vector` says, however the wire is cut. */
export function itSees(behaviour: string, vector: Vector): void {
  it.each(roles)(`${behaviour} (as %s)`, (role) => checkVector(role, vector));
}

/** Fails unless a session in `role` sees what `vector` says, in one chunk and in every other cutting. */
export function checkVector(role: Role, vector: Vector): void {
  const { seen, options = {} } = vector;
  const bytes = arriving(role, vector);
  const expected: Seen[] = seen.at(-1)?.type === 'fail' ? [...seen] : [...seen, { type: 'end' }];
  for (const { pieces, pull } of cuttings(role, bytes, vector)) {
    const found = replay(role, pieces, options, pull);
    if (isDeepStrictEqual(found, expected)) continue;
    const sizes = pieces.slice(0, 4).map((piece) => piece.length);
    throw new Error(`cut as ${sizes}, asked ${pull}: ${difference(found, expected)}`);
  }
}

/** `expect(found).toEqual(expected)`, but quick with long data. */
export function expectSeen(found: readonly Seen[], expected: readonly Seen[]): void {
  expect(difference(found, expected)).toBe('');
}

/**
 * What a session sees of `pieces` and the end of the transport. When it is done it is given another message, of which it
 * must see nothing.
 */
export function replay(
  role: Role,
  pieces: readonly Buffer[],
  options: Partial<SessionOptions> = {},
  pull: Pull = 'each',
): Seen[] {
  const session = newSession(role, options);
  const seen: Seen[] = [];
  for (const piece of pieces) {
    session.push(ownCopy(piece));
    if (pull === 'each') seen.push(...drain(session));
  }
  seen.push(...drain(session));
  session.finish();
  seen.push(...drain(session));
  session.push(wire(role, [{ opcode: 1, payload: Buffer.from('late'), fin: true, rsv: 0 }]));
  session.finish();
  return [...seen, ...drain(session)];
}

/** A session that allows 1 MiB in 16 384 frames, unless `options` say otherwise. */
export function newSession(role: Role, options: Partial<SessionOptions> = {}): Session {
  return new Session({ role, maxPayload: 1_048_576, maxFragments: 16_384, skipUTF8Validation: false, ...options });
}

/** Everything that the session has to say for now. */
export function drain(session: Session): Seen[] {
  const seen: Seen[] = [];
  for (let output = session.next(); output !== undefined; output = session.next()) {
    if (output.type !== 'more') seen.push(reduce(output));
  }
  return seen;
}

function reduce(output: Exclude<Output, More>): Seen {
  if (output.type !== 'fail') return output;
  return { type: 'fail', code: output.error.code, closeCode: output.error.closeCode };
}

/** The session unmasks in place: it gets bytes that nobody else reads. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function arriving(role: Role, { sent, last }: Vector): Buffer {
  const bytes = wire(role, sent);
  const final = sent.at(-1);
  if (last === undefined || final === undefined) return bytes;
  const size = wire(role, [final]).length;
  const arrived = 'bytes' in last ? last.bytes : size - final.payload.length + last.payload;
  return bytes.subarray(0, bytes.length - size + arrived);
}

function* cuttings(
  role: Role,
  bytes: Buffer,
  { sent, chops = [] }: Vector,
): Generator<{ pieces: Buffer[]; pull: Pull }> {
  yield { pieces: [bytes], pull: 'each' };
  for (const position of cutPositions(role, bytes, sent)) {
    const pieces = [bytes.subarray(0, position), bytes.subarray(position)];
    yield { pieces, pull: 'each' };
    if (bytes.length <= LARGE) yield { pieces, pull: 'end' };
  }
  for (const size of bytes.length <= DRIP ? [1, ...chops] : [997, 65_536, ...chops]) {
    const pieces = slices(bytes, size);
    yield { pieces, pull: 'each' };
    if (bytes.length <= LARGE || isLong) yield { pieces, pull: 'end' };
  }
}

function cutPositions(role: Role, bytes: Buffer, frames: readonly Frame[]): number[] {
  if (bytes.length <= CUT_EVERYWHERE) return [...bytes.keys()].slice(1);
  const middle = bytes.length >> 1;
  if (bytes.length > LARGE) return [...allOr([1, 2, 9, 14, 15, middle, middle + 1], [2, 14, middle])];
  const ends = frames.length > 4 ? [...frames.slice(0, 2), ...frames.slice(-2)] : frames;
  const positions = new Set([middle, middle + 1, middle + 2, middle + 3]);
  let start = 0;
  ends.forEach((each, index) => {
    if (ends.length < frames.length && index === 2) start = bytes.length - wire(role, ends.slice(2)).length;
    for (let near = start - 3; near <= start + 17; near++) positions.add(near);
    start += wire(role, [each]).length;
  });
  return [...positions].filter((position) => position > 0 && position < bytes.length);
}

/** `bytes` in pieces of `size`; the last may be shorter. */
export function slices(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** What differs, in words; empty when nothing does. Matchers compare bytes one by one, which takes seconds for megabytes. */
function difference(found: readonly Seen[], expected: readonly Seen[]): string {
  if (isDeepStrictEqual(found, expected)) return '';
  const at = expected.findIndex((each, i) => !isDeepStrictEqual(found[i], each));
  const index = at < 0 ? expected.length : at;
  return `output ${index} is ${describeSeen(found[index])}, must be ${describeSeen(expected[index])}`;
}

function describeSeen(seen: Seen | undefined): string {
  if (seen === undefined || !('data' in seen) || seen.data.length <= 200) return inspect(seen);
  const digest = createHash('sha1').update(seen.data).digest('hex');
  return `${seen.type} with ${typeof seen.data} of ${seen.data.length}, sha1 ${digest}`;
}
