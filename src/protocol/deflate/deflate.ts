import { Buffer } from 'node:buffer';
import { constants, deflateRaw, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { ProtocolError } from '../errors.js';
import { copyOf } from '../frame/memory.js';

/** Settings of {@link deflate}. */
export interface DeflateSettings {
  /** The window that the peer keeps, 8 to 15. A smaller one is used if it suffices for the message. */
  readonly windowBits: number;
  /** The zlib level, 0 (none) to 9 (best), or -1 for its default. */
  readonly level: number;
  /** The zlib memory level, 1 to 9: a higher one is faster and takes more memory while it runs. */
  readonly memLevel: number;
}

/** Settings of {@link inflate}. Sizes are in bytes. */
export interface InflateSettings {
  /** Plain text that the message may refer to. */
  readonly window: Buffer | undefined;
  /** The maximum inflated size. No more than that is inflated. */
  readonly limit: number;
  /** The name of the limit, for errors. @default 'maxPayload' */
  readonly limitName?: string;
  /** The probable inflated size, for which memory is allocated at first. */
  readonly expected: number;
}

/** The size of the empty uncompressed block that §7.2.1 removes and §7.2.2 restores. */
const TAIL_SIZE = 4;

/** That block without its first byte, and a block that ends the stream. It lets zlib distinguish truncated messages from complete ones. */
const TAIL_AND_END = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff]);

/** The bytes with which both blocks end. */
const TAIL = TAIL_AND_END.subarray(0, TAIL_SIZE);

/** The compressed form of an empty message: §7.2.3.6. */
const EMPTY_MESSAGE = Buffer.from([0x00]);

/** How many streams a message may consist of: §7.2.3.4 allows several, but no known peer uses more than one. */
const MAX_STREAMS = 16;

/** The memory in which small messages get their tail: a new buffer for each would cost more than copying. */
const scratch = Buffer.allocUnsafeSlow(16_384);

/** The zlib errors for invalid or truncated data. */
const DATA_ERRORS: ReadonlySet<string | undefined> = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT']);

const SMALLEST_CHUNK = 1024;
const LARGEST_CHUNK = 65_536;

/** How many bytes zlib needs in a window in addition to the distance that it refers back. */
const LOOKAHEAD = 262;

/**
 * Inflates one message. RFC 7692 §7.2.2.
 *
 * @param body the payload of all its frames.
 * @throws ProtocolError 1007 if the data is invalid, truncated, or continues after its end; 1009 above the limit; 1008 if it consists
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
 * @param isLast whether this is the end of the message, whose last four bytes are omitted.
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

/** Runs {@link deflate} on a whole message in the thread pool. `done` gets an error only if there is no memory. */
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

/** Returns `body` with its tail, valid until the next call. */
function withTail(body: Buffer): Buffer {
  const size = body.length + TAIL_AND_END.length;
  const input = size <= scratch.length ? scratch.subarray(0, size) : Buffer.allocUnsafeSlow(size);
  input.set(body);
  input.set(TAIL_AND_END, body.length);
  return input;
}

/** @param left the remainder of the limit of the whole message. */
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
    // zlib does not accept a limit of 0.
    if (buffer.length > left) throw tooLong(settings);
    return { output: buffer, used: engine.bytesWritten };
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(settings);
    // Other errors, such as a lack of memory, say nothing about the data.
    throw DATA_ERRORS.has(code) ? invalid(message) : error;
  }
}

interface Stream {
  readonly output: Buffer;
  /** How much of the input belonged to the stream, in bytes. */
  readonly used: number;
}

/** The result of `inflateRawSync` with `info`. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Checks that a stream ended with the body, or that the two blocks after it were used completely. */
function requireEnd(used: number, body: number, input: number): void {
  if (used !== body && used !== input) throw invalid('it is truncated');
}

/**
 * Refuses a truncated uncompressed block that took its missing bytes from the tail and happened to fit, so that the text ends with the tail.
 * Inflating the body without the tail shows whether all of the text comes from the body.
 */
function requireOwnText(output: Buffer, body: Buffer, window: Buffer | undefined): void {
  if (!output.subarray(-TAIL_SIZE).equals(TAIL)) return;
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: output.length };
  const own = inflateRawSync(body, window === undefined ? options : { ...options, dictionary: window });
  if (own.length < output.length) throw invalid('it is truncated');
}

/** Returns the window of a stream that follows others in a message. */
function windowAfter(window: Buffer | undefined, outputs: readonly Buffer[]): Buffer {
  const text = Buffer.concat(window === undefined ? outputs : [window, ...outputs]);
  return text.subarray(Math.max(0, text.length - 32_768));
}

/**
 * Copies or clears unused memory, because zlib's buffers are larger than their contents: keeping a message must not retain much more memory,
 * and its `buffer` must not reveal earlier contents.
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
    // zlib's window of 9 satisfies one of 8: it never refers back further than 2^9 - 262 bytes, fewer than 2^8.
    windowBits: Math.max(9, windowBits),
    memLevel: Math.min(settings.memLevel, Math.max(2, windowBits - 7)),
    level: settings.level,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: Math.min(LARGEST_CHUNK, Math.max(256, size)),
    ...(window !== undefined && { dictionary: window }),
  };
}

/** Returns the smallest window that holds a whole message: the peer can inflate it with any larger one. §7.1.2 */
function bitsFor(size: number, most: number): number {
  return Math.min(most, Math.max(11, 32 - Math.clz32(size + LOOKAHEAD - 1)));
}

function invalid(why: string): ProtocolError {
  return new ProtocolError('COMPRESSION_INVALID', 1007, `invalid compressed message: ${why}`);
}

function tooLong({ limit, limitName = 'maxPayload' }: InflateSettings): ProtocolError {
  const message = `message too long: more than ${limit} bytes when inflated, ${limitName} allows ${limit}`;
  return new ProtocolError('MESSAGE_TOO_LONG', 1009, message);
}

function tooManyStreams(): ProtocolError {
  const message = `a compressed message must have at most ${MAX_STREAMS} DEFLATE streams, got more`;
  return new ProtocolError('TOO_MANY_STREAMS', 1008, message);
}
