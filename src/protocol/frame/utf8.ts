import { Buffer, isUtf8 } from 'node:buffer';

/** The methods that `toString` and `write` of a Buffer call after checking their arguments. Node's types omit them. */
interface TextMethods {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
  utf8Write(text: string, at: number): number;
}

/**
 * The methods, looked up once and called directly, because V8 looks up a method of a Buffer on each call (see
 * `bench: 32 B text, 16 in flight`).
 */
const { latin1Slice, utf8Slice, latin1Write, utf8Write } = Buffer.prototype as unknown as TextMethods;

/** Whether all bytes are valid UTF-8. RFC 3629. */
export const isValidUtf8: (bytes: Uint8Array) => boolean = isUtf8;

/** The length from which the native validator pays for its call. In bytes. */
const NATIVE_PAYS = 32;

/**
 * Validates UTF-8 incrementally (RFC 3629, RFC 6455 §8.1). Fails at the first byte after which no continuation would be
 * valid: overlong forms, surrogates and code points over U+10FFFF fail at their second byte.
 */
export class Utf8Validator {
  /** How many continuation bytes the code point still lacks. */
  #missing = 0;
  /** The bounds of the next continuation byte. */
  #low = 0x80;
  #high = 0xbf;

  /** Whether no code point is incomplete. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /**
   * Validates the next bytes of the text.
   *
   * @returns false if they cannot be valid, whatever follows. The validator must not be used again before `reset()`.
   */
  push(bytes: Buffer, start: number, end: number): boolean {
    if (end - start < NATIVE_PAYS) return this.#pushBytes(bytes, start, end);
    let head = start;
    while (this.#missing > 0) if (!this.#pushByte(bytes[head++]!)) return false;
    const tail = wholeCodePointsEnd(bytes, end);
    return isValidUtf8(bytes.subarray(head, tail)) && this.#pushBytes(bytes, tail, end);
  }

  /** Starts a new text. */
  reset(): void {
    this.#missing = 0;
    this.#low = 0x80;
    this.#high = 0xbf;
  }

  #pushBytes(bytes: Buffer, start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (!this.#pushByte(bytes[i]!)) return false;
    return true;
  }

  #pushByte(byte: number): boolean {
    if (this.#missing === 0) return byte < 0x80 || this.#startCodePoint(byte);
    if (byte < this.#low || byte > this.#high) return false;
    this.#missing--;
    this.#low = 0x80;
    this.#high = 0xbf;
    return true;
  }

  /** RFC 3629 §4: the lead byte determines how many bytes follow, and narrows the range of the first of them. */
  #startCodePoint(lead: number): boolean {
    if (lead < 0xc2 || lead > 0xf4) return false;
    this.#missing = sequenceLength(lead) - 1;
    if (lead === 0xe0) this.#low = 0xa0;
    else if (lead === 0xed) this.#high = 0x9f;
    else if (lead === 0xf0) this.#low = 0x90;
    else if (lead === 0xf4) this.#high = 0x8f;
    return true;
  }
}

/** Decodes valid UTF-8, including a byte order mark. `ascii` says that all bytes are below 0x80. */
export function decodeText(bytes: Buffer, start: number, end: number, ascii: boolean): string {
  return ascii ? latin1Slice.call(bytes, start, end) : utf8Slice.call(bytes, start, end);
}

/** Writes `text` as UTF-8 to `target`, which must have room for it. A lone surrogate becomes U+FFFD. Returns the size in bytes. */
export function writeText(target: Buffer, text: string, at: number): number {
  return utf8Write.call(target, text, at);
}

/**
 * Like {@link writeText}, for a text of known size. A text with as many bytes as UTF-16 units is ASCII, and is copied unchanged, which is
 * faster (see `bench: 64 KiB text, 4 in flight`).
 */
export function writeSizedText(target: Buffer, text: string, at: number, size: number): number {
  return size === text.length ? latin1Write.call(target, text, at) : utf8Write.call(target, text, at);
}

/** Returns the length of the sequence that `lead` (C0 to FF) starts, in bytes. */
function sequenceLength(lead: number): number {
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Returns the start of the sequence that `end` cuts, or `end` if it cuts none. Reads three bytes, so `end` must be at least 3. */
function wholeCodePointsEnd(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[end - back]!;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? end - back : end;
  }
  return end;
}
