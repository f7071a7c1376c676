import type { Buffer } from 'node:buffer';
import type { MessageInflater } from '../deflate/message-inflater.js';
import { ProtocolError } from '../errors.js';
import type { FrameHeader } from '../frame/frame-header.js';
import type { FrameReader } from '../frame/frame-reader.js';
import { isAsciiRange, unmask } from '../frame/mask.js';
import { copyOf } from '../frame/memory.js';
import { Opcode } from '../frame/opcode.js';
import { type SizeLimit, sizeLimit, wireLimit } from '../frame/size-limit.js';
import { decodeText, isValidUtf8, Utf8Validator } from '../frame/utf8.js';
import { PayloadBuffer } from './payload-buffer.js';

/** The limits of a message. */
export interface MessageLimits {
  /** The maximum size of a message over all its frames, in bytes. */
  readonly maxPayload: number;
  /** The maximum number of frames of a message, including empty ones. */
  readonly maxFragments: number;
  /** Whether text is accepted without validation, with U+FFFD in place of invalid UTF-8. */
  readonly skipUTF8Validation: boolean;
}

/** A complete message. */
export interface Message {
  readonly type: 'message';
  /** A string if it was sent as text, a Buffer if it was sent as binary. RFC 6455 §5.6. */
  readonly data: string | Buffer;
  /** The size of the payload, in bytes. */
  readonly size: number;
}

/** No message yet, but more to parse. The caller may process other connections before it calls again. */
export interface More {
  readonly type: 'more';
}

export const MORE: More = { type: 'more' };

/** The size from which a text takes long to decode, especially if it is not ASCII. In bytes. */
const LONG_TEXT = 16_384;

/** Assembles messages from the parts of data frames. RFC 6455 §5.4, §5.6, §8.1. */
export class MessageReader {
  readonly #limits: MessageLimits;
  readonly #utf8 = new Utf8Validator();
  readonly #collected = new PayloadBuffer();
  readonly #inflater: MessageInflater | undefined;
  readonly #textLimit: SizeLimit;
  readonly #binaryLimit: SizeLimit;
  /** The maximum wire size of the message in progress, in bytes. */
  #limit = 0;
  #text = false;
  #ascii = true;
  #compressed = false;
  /** Whether a text has arrived completely, and {@link complete} must be called. */
  isDue = false;
  #frames = 0;
  #size = 0;

  constructor(limits: MessageLimits, inflater?: MessageInflater) {
    this.#limits = limits;
    this.#inflater = inflater;
    this.#textLimit = sizeLimit(limits.maxPayload, true);
    this.#binaryLimit = sizeLimit(limits.maxPayload, false);
  }

  /** Whether the message in progress, or otherwise the last one, is compressed. */
  get isCompressed(): boolean {
    return this.#compressed;
  }

  /**
   * Accepts the current part of a data frame from `frame`.
   *
   * @returns the message if the part completes it; {@link MORE} if {@link complete} must be called for it, because decoding takes long, and
   *   after a long part of a text that is not ASCII, because checking it took long.
   * @throws ProtocolError 1009 or 1008 if the headers show that the message exceeds a limit; 1007 as soon as a text is not
   *   valid UTF-8 (§8.1), for compressed text when it is complete.
   */
  accept(frame: FrameReader): Message | More | undefined {
    const { header } = frame;
    if (frame.first) this.#beginFrame(header);
    const ascii = this.#reveal(frame, header);
    if (this.#text && !this.#compressed && !this.#limits.skipUTF8Validation) this.#validate(frame, ascii);
    const ends = frame.last && header.fin;
    if (ends && frame.first && header.opcode !== Opcode.continuation) return this.#whole(frame, ascii);
    this.#ascii &&= ascii;
    this.#collected.append(frame.bytes, frame.start, frame.end);
    if (ends) return this.#joined();
    return this.#text && !ascii && frame.end - frame.start >= LONG_TEXT ? MORE : undefined;
  }

  /** Returns the message that `accept` announced. */
  complete(): Message {
    this.isDue = false;
    return this.#collected.lend((bytes, size) => this.#decoded(bytes, 0, size, this.#ascii));
  }

  #beginFrame(header: FrameHeader): void {
    if (header.opcode !== Opcode.continuation) this.#beginMessage(header);
    this.#frames++;
    this.#size += header.length;
    if (this.#size > this.#limit) throw this.#tooLong();
    const { maxFragments } = this.#limits;
    if (this.#frames > maxFragments) {
      const message = `message has too many frames: ${this.#frames}, maxFragments allows ${maxFragments}`;
      throw new ProtocolError('TOO_MANY_FRAGMENTS', 1008, message);
    }
    this.#collected.expect(this.#size, header.fin, this.#text || this.#compressed);
  }

  /** The limit of the message in progress, uncompressed. */
  get #sizeLimit(): SizeLimit {
    return this.#text ? this.#textLimit : this.#binaryLimit;
  }

  #tooLong(): ProtocolError {
    const { bytes, name } = this.#sizeLimit;
    const found = `${this.#compressed ? 'compressed ' : ''}message too long: ${this.#size} bytes`;
    const allowed = `${name}${this.#compressed ? ` of ${bytes}` : ''} allows ${this.#limit}`;
    return new ProtocolError('MESSAGE_TOO_LONG', 1009, `${found}, ${allowed}`);
  }

  #beginMessage({ opcode, rsv1 }: FrameHeader): void {
    this.#text = opcode === Opcode.text;
    // RFC 7692 §6: "the 'Per-Message Compressed' bit"
    this.#compressed = rsv1;
    this.#limit = rsv1 ? wireLimit(this.#sizeLimit) : this.#sizeLimit.bytes;
    this.#ascii = true;
    this.#frames = 0;
    this.#size = 0;
  }

  /** Unmasks the part. Returns whether it is ASCII text. */
  #reveal({ bytes, start, end, before }: FrameReader, header: FrameHeader): boolean {
    if (header.masked) return unmask(bytes, start, end, header.maskKey, before);
    return this.#text && !this.#compressed && isAsciiRange(bytes, start, end);
  }

  /** §8.1: "the endpoint MUST _Fail the WebSocket Connection_", without waiting for the end of the frame or message. */
  #validate(frame: FrameReader, ascii: boolean): void {
    const ends = frame.last && frame.header.fin;
    if (ascii && this.#utf8.complete) return;
    if (!this.#utf8.push(frame.bytes, frame.start, frame.end) || (ends && !this.#utf8.complete)) {
      throw new ProtocolError('UTF8_INVALID', 1007, 'a text message must be valid UTF-8');
    }
  }

  /** Returns a message that is one frame in one chunk. */
  #whole({ bytes, start, end }: FrameReader, ascii: boolean): Message {
    if (this.#compressed) return this.#inflated(bytes.subarray(start, end));
    if (this.#text) return this.#decoded(bytes, start, end, ascii);
    return { type: 'message', data: copyOf(bytes, start, end), size: end - start };
  }

  #decoded(bytes: Buffer, start: number, end: number, ascii: boolean): Message {
    return { type: 'message', data: decodeText(bytes, start, end, ascii), size: end - start };
  }

  #joined(): Message | More {
    if (this.#compressed) return this.#collected.lend((bytes, size) => this.#inflated(bytes.subarray(0, size)));
    if (this.#text) {
      if (this.#collected.length < LONG_TEXT) return this.complete();
      this.isDue = true;
      return MORE;
    }
    const data = this.#collected.take();
    return { type: 'message', data, size: data.length };
  }

  #inflated(body: Buffer): Message {
    const data = this.#inflater!.inflate(body, this.#sizeLimit);
    const size = data.length;
    if (!this.#text) return { type: 'message', data, size };
    // §8.1 for compressed text, whose bytes are only known now
    const ascii = isAsciiRange(data, 0, size);
    if (!ascii && !this.#limits.skipUTF8Validation && !isValidUtf8(data)) {
      throw new ProtocolError('UTF8_INVALID', 1007, 'a text message must be valid UTF-8');
    }
    return this.#decoded(data, 0, size, ascii);
  }
}
