import { Buffer } from 'node:buffer';
import { constants, deflateRaw, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { ProtocolError } from '../errors.js';
import { copyOf } from '../frame/memory.js';

/** How {@link deflate} compresses. */
export interface DeflateSettings {
  /** The window that the peer keeps, 8 to 15. A smaller one is used where the message does not need it. */
  readonly windowBits: number;
  /** 0 (none) to 9 (best) of zlib, -1 its default. */
  readonly level: number;
  /** 1 to 9 of zlib: more is faster and takes more memory while it runs. */
  readonly memLevel: number;
}

/** What {@link inflate} needs to know. Sizes in bytes. */
export interface InflateSettings {
  /** Plain text that the message may refer to. */
  readonly window: Buffer | undefined;
  /** The most it may inflate to. No more than that is inflated. */
  readonly limit: number;
  /** What allows no more, for errors. @default 'maxPayload' */
  readonly limitName?: string;
  /** How large it probably is: memory for as much is taken at first. */
  readonly expected: number;
}

/** What §7.2.1 lets us leave out, and §7.2.2 puts back: an empty block without compression. */
const TAIL_SIZE = 4;

/** That block without its first byte, and one that ends the stream: with it zlib tells a message that is cut off from a complete one. */
const TAIL_AND_END = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff]);

/** What both of them end with. */
const TAIL = TAIL_AND_END.subarray(0, TAIL_SIZE);

/** The compressed form of nothing: §7.2.3.6. */
const EMPTY_MESSAGE = Buffer.from([0x00]);

/** How often a message may end its stream and begin another one: §7.2.3.4 allows it, but no known peer does it. */
const MAX_STREAMS = 16;

/** Where small messages get their tail: a buffer for each would cost more than copying them. */
const scratch = Buffer.allocUnsafeSlow(16_384);

/** What zlib says of data that is not valid, or cut off. */
const DATA_ERRORS: ReadonlySet<string | undefined> = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT']);

const SMALLEST_CHUNK = 1024;
const LARGEST_CHUNK = 65_536;

/** zlib needs this many bytes more in a window than it refers back. */
const LOOKAHEAD = 262;

/**
 * Inflates one message. RFC 7692 §7.2.2.
 *
 * @param body the payload of all its frames.
 * @throws ProtocolError 1007 when the data is invalid, cut off, or continues after its end; 1009 above the limit; 1008 when it consists
 *   of more than {@link MAX_STREAMS} streams.
 */
export function inflate(body: Buffer, settings: InflateSettings): Buffer {
  const { window, limit } = settings;
  const input = withTail(body);
  const first = inflateStream(input, settings, limit);
  if (first.used >= body.length) {
    requireEnd(first.used, body.length, input.length);
    requireOwnText(first.output, body, window);
    return ownMemory(first.output);
  }
  const outputs = [first.output];
  let size = first.output.length;
  let at = first.used;
  // §7.2.3.4: a block with BFINAL set ends a stream, not the message
  for (let streams = 1; at < body.length; streams++) {
    if (streams === MAX_STREAMS) throw tooManyStreams();
    const dictionary = windowAfter(window, outputs);
    const next = inflateStream(input.subarray(at), { ...settings, window: dictionary }, limit - size);
    if (at + next.used > body.length) requireOwnText(next.output, body.subarray(at), dictionary);
    outputs.push(next.output);
    size += next.output.length;
    at += next.used;
  }
  requireEnd(at, body.length, input.length);
  return ownMemory(Buffer.concat(outputs, size));
}

/**
 * Compresses one message, or one part of it. RFC 7692 §7.2.1.
 *
 * @param window plain text that the peer still has.
 * @param isLast whether the message ends with it: its last four bytes are left out then.
 */
export function deflate(
  data: Uint8Array,
  settings: DeflateSettings,
  window: Buffer | undefined,
  isLast: boolean,
): Buffer {
  if (data.length === 0) return isLast ? EMPTY_MESSAGE : Buffer.alloc(0);
  const output = deflateRawSync(data, deflateOptions(data.length, settings, window));
  return isLast ? output.subarray(0, output.length - TAIL_SIZE) : output;
}

/** {@link deflate} of a whole message in the thread pool. `done` gets an error only when there is no memory. */
export function deflateLater(
  data: Uint8Array,
  settings: DeflateSettings,
  window: Buffer | undefined,
  done: (error: Error | null, output: Buffer) => void,
): void {
  deflateRaw(data, deflateOptions(data.length, settings, window), (error, output) => {
    done(error, error === null ? output.subarray(0, output.length - TAIL_SIZE) : output);
  });
}

/** `body` with its tail, valid until the next call. */
function withTail(body: Buffer): Buffer {
  const size = body.length + TAIL_AND_END.length;
  const input = size <= scratch.length ? scratch.subarray(0, size) : Buffer.allocUnsafeSlow(size);
  input.set(body);
  input.set(TAIL_AND_END, body.length);
  return input;
}

/** @param left what is left of the limit of the whole message. */
function inflateStream(input: Buffer, settings: InflateSettings, left: number): Stream {
  const { window, expected } = settings;
  // zlib needs room after the last byte, or asks for another chunk.
  const likely = Math.max(input.length * 4, expected + (expected >> 3));
  const options = {
    finishFlush: constants.Z_FINISH,
    info: true,
    maxOutputLength: Math.max(1, left),
    chunkSize: Math.min(LARGEST_CHUNK, Math.max(SMALLEST_CHUNK, likely)),
    ...(window !== undefined && { dictionary: window }),
  };
  try {
    const { buffer, engine } = inflateRawSync(input, options) as unknown as Inflated;
    // zlib takes no limit of 0.
    if (buffer.length > left) throw tooLong(settings);
    return { output: buffer, used: engine.bytesWritten };
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(settings);
    // All else says nothing about the data: there is no memory for it, for example.
    throw DATA_ERRORS.has(code) ? invalid(message) : error;
  }
}

interface Stream {
  readonly output: Buffer;
  /** How much of the input belonged to it, in bytes. */
  readonly used: number;
}

/** What `inflateRawSync` returns with `info`. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Either a stream ended with the body, or the two blocks after it were used completely. */
function requireEnd(used: number, body: number, input: number): void {
  if (used !== body && used !== input) throw invalid('the message is cut off');
}

/**
 * A block without compression that is cut off takes the missing bytes from after the body, and may fit by chance: then the text ends
 * like that. Whether all of it comes from the body is seen without what follows.
 */
function requireOwnText(output: Buffer, body: Buffer, window: Buffer | undefined): void {
  if (!output.subarray(-TAIL_SIZE).equals(TAIL)) return;
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: output.length };
  const own = inflateRawSync(body, window === undefined ? options : { ...options, dictionary: window });
  if (own.length < output.length) throw invalid('the message is cut off');
}

/** What a stream may refer to that follows others in a message. */
function windowAfter(window: Buffer | undefined, outputs: readonly Buffer[]): Buffer {
  const text = Buffer.concat(window === undefined ? outputs : [window, ...outputs]);
  return text.subarray(Math.max(0, text.length - 32_768));
}

/**
 * zlib's buffers are larger than what is in them: keeping a message must not keep much more, and a reader of its `buffer` sees
 * nothing that was there before.
 */
function ownMemory(output: Buffer): Buffer {
  const { buffer, byteOffset, length } = output;
  if (length * 2 < buffer.byteLength) return copyOf(output, 0, length);
  new Uint8Array(buffer, byteOffset + length).fill(0);
  return output;
}

function deflateOptions(size: number, settings: DeflateSettings, window: Buffer | undefined): ZlibOptions {
  const windowBits = window === undefined ? bitsFor(size, settings.windowBits) : settings.windowBits;
  return {
    // A window of 8 is kept by zlib's 9: it never refers back further than 2^9 - 262 bytes, fewer than 2^8.
    windowBits: Math.max(9, windowBits),
    memLevel: Math.min(settings.memLevel, Math.max(2, windowBits - 7)),
    level: settings.level,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: Math.min(LARGEST_CHUNK, Math.max(256, size)),
    ...(window !== undefined && { dictionary: window }),
  };
}

/** The smallest window that holds all of a message: the peer can inflate it with any larger one. §7.1.2 */
function bitsFor(size: number, most: number): number {
  return Math.min(most, Math.max(11, 32 - Math.clz32(size + LOOKAHEAD - 1)));
}

function invalid(why: string): ProtocolError {
  return new ProtocolError('COMPRESSION_INVALID', 1007, `compressed message that is not valid: ${why}`);
}

function tooLong({ limit, limitName = 'maxPayload' }: InflateSettings): ProtocolError {
  const message = `message of more than ${limit} bytes when inflated, ${limitName} allows ${limit}`;
  return new ProtocolError('MESSAGE_TOO_LONG', 1009, message);
}

function tooManyStreams(): ProtocolError {
  const message = `compressed message of more than ${MAX_STREAMS} deflate streams`;
  return new ProtocolError('TOO_MANY_STREAMS', 1008, message);
}
