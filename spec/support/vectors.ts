/** Vectors: what a peer sends, and all that a session must make of it, however the bytes are cut. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ProtocolErrorCode } from '../../src/protocol/errors.js';
import { type Output, type Role, Session, type SessionOptions } from '../../src/protocol/session.js';
import { type Frame, wire } from './frames.js';

/** An {@link Output} with the error of a `fail` reduced to its codes. */
export type Seen =
  | Exclude<Output, { type: 'fail' }>
  | { readonly type: 'fail'; readonly code: ProtocolErrorCode; readonly closeCode: number };

/** What the peer sends, and what must be seen of it. `end` is not named: it must follow all but `fail`. */
export interface Vector {
  readonly sent: readonly Frame[];
  readonly seen: readonly Seen[];
  /** How many bytes at the end of `sent` never arrive. */
  readonly missing?: number;
  readonly options?: Partial<SessionOptions>;
  /** Sizes of pieces in which it must be cut too. */
  readonly chops?: readonly number[];
}

/** Constructors of {@link Seen}. */
export const sees = {
  /** A message: text for a string, binary for bytes. */
  message: (data: string | Buffer): Seen => ({ type: 'message', data, size: Buffer.byteLength(data) }),
  ping: (data: string | Buffer = ''): Seen => ({ type: 'ping', data: Buffer.from(data as string) }),
  pong: (data: string | Buffer = ''): Seen => ({ type: 'pong', data: Buffer.from(data as string) }),
  /** A Close frame that is answered with its own code. */
  close: (code: number, reason = ''): Seen => ({ type: 'close', code, reason, reply: codeBytes(code) }),
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
  const { sent, seen, missing = 0, options = {} } = vector;
  const complete = wire(role, sent);
  const bytes = complete.subarray(0, complete.length - missing);
  const expected: Seen[] = seen.at(-1)?.type === 'fail' ? [...seen] : [...seen, { type: 'end' }];
  for (const pieces of cuttings(role, bytes, vector)) {
    for (const pull of ['each', 'end'] as const) {
      const found = replay(role, pieces, options, pull);
      // the matcher is for its message, it takes too long to be asked each time
      if (pieces.length > 1 && isDeepStrictEqual(found, expected)) continue;
      const cut = { pull, pieces: pieces.slice(0, 4).map((piece) => piece.length) };
      expect({ ...cut, seen: found.map(abbreviate) }).toStrictEqual({ ...cut, seen: expected.map(abbreviate) });
    }
  }
}

/**
 * What a session sees of `pieces` and the end of the transport. It is asked after each piece or only at the end; when it is
 * done it is given another message, of which it must see nothing.
 */
export function replay(
  role: Role,
  pieces: readonly Buffer[],
  options: Partial<SessionOptions> = {},
  pull: 'each' | 'end' = 'each',
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

/** A session that allows 1 MiB in 4096 frames, unless `options` say otherwise. */
export function newSession(role: Role, options: Partial<SessionOptions> = {}): Session {
  return new Session({ role, maxPayload: 1_048_576, maxFragments: 4096, skipUTF8Validation: false, ...options });
}

/** Everything that the session has to say for now. */
export function drain(session: Session): Seen[] {
  const seen: Seen[] = [];
  for (let output = session.next(); output !== undefined; output = session.next()) seen.push(reduce(output));
  return seen;
}

function reduce(output: Output): Seen {
  if (output.type !== 'fail') return output;
  return { type: 'fail', code: output.error.code, closeCode: output.error.closeCode };
}

/** The session unmasks in place: it gets bytes that nobody else reads. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function* cuttings(role: Role, bytes: Buffer, { sent, chops = [] }: Vector): Generator<Buffer[]> {
  yield [bytes];
  for (const position of cutPositions(role, bytes, sent)) {
    yield [bytes.subarray(0, position), bytes.subarray(position)];
  }
  for (const size of bytes.length <= DRIP ? [1, ...chops] : [997, 65_536, ...chops]) yield slices(bytes, size);
}

function cutPositions(role: Role, bytes: Buffer, frames: readonly Frame[]): number[] {
  if (bytes.length <= CUT_EVERYWHERE) return [...bytes.keys()].slice(1);
  const middle = bytes.length >> 1;
  if (bytes.length > LARGE) return [1, 2, 9, 14, 15, middle, middle + 1];
  const ends = frames.length > 8 ? [...frames.slice(0, 4), ...frames.slice(-4)] : frames;
  const positions = new Set([middle, middle + 1, middle + 2, middle + 3]);
  let start = 0;
  ends.forEach((each, index) => {
    if (ends.length < frames.length && index === 4) start = bytes.length - wire(role, ends.slice(4)).length;
    for (let near = start - 3; near <= start + 20; near++) positions.add(near);
    start += wire(role, [each]).length;
  });
  return [...positions].filter((position) => position > 0 && position < bytes.length);
}

/** `bytes` in pieces of `size`; the last may be shorter. */
export function slices(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** For the message of a failure: long data as its length and digest. */
function abbreviate(seen: Seen): unknown {
  if (!('data' in seen) || seen.data.length <= 200) return seen;
  const digest = createHash('sha1').update(seen.data).digest('hex');
  return { ...seen, data: `${typeof seen.data} of ${seen.data.length}, sha1 ${digest}` };
}

function codeBytes(code: number): Buffer {
  return code === 1005 ? Buffer.alloc(0) : Buffer.from([code >> 8, code & 0xff]);
}
