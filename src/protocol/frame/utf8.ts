import { Buffer, isUtf8 } from 'node:buffer';

/** What `toString` and `write` of a Buffer call, once they have looked at their arguments. The types of Node leave them out. */
interface TextMethods {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
  utf8Write(text: string, at: number): number;
}

/**
 * Called directly, and looked up once, because V8 looks up a method of a Buffer at each call (see
 * `bench: 32 B text, 16 in flight`).
 */
const { latin1Slice, utf8Slice, latin1Write, utf8Write } = Buffer.prototype as unknown as TextMethods;

/** Whether all of the bytes are valid UTF-8. RFC 3629. */
export const isValidUtf8: (bytes: Uint8Array) => boolean = isUtf8;

/** From this length on, the native validator is worth its call. In bytes. */
const NATIVE_PAYS = 32;

/**
 * Validates UTF-8 as it arrives (RFC 3629, RFC 6455 §8.1). Fails with the first byte after which no continuation would be
 * valid: overlong forms, surrogates and code points over U+10FFFF fail at their second byte.
 */
export class Utf8Validator {
  /** Continuation bytes that the code point still lacks. */
  #missing = 0;
  /** The bounds of the next continuation byte. */
  #low = 0x80;
  #high = 0xbf;

  /** Whether no code point is incomplete. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /**
   * Takes the next bytes of the text.
   *
   * @returns false when they cannot be valid, whatever follows. The validator is of no use then until `reset()`.
   */
  push(bytes: Buffer, start: number, end: number): boolean {
    if (end - start < NATIVE_PAYS) return this.#pushBytes(bytes, start, end);
    let head = start;
    while (this.#missing > 0) if (!this.#pushByte(bytes[head++]!)) return false;
    const tail = wholeCodePointsEnd(bytes, end);
    return isValidUtf8(bytes.subarray(head, tail)) && this.#pushBytes(bytes, tail, end);
  }

  /** Starts again with a new text. */
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

  /** RFC 3629 §4: the lead byte says how many follow, and narrows the first of them. */
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

/** The text of valid UTF-8, byte order mark included. `ascii` says that all of the bytes are below 0x80. */
export function decodeText(bytes: Buffer, start: number, end: number, ascii: boolean): string {
  return ascii ? latin1Slice.call(bytes, start, end) : utf8Slice.call(bytes, start, end);
}

/** Writes `text` as UTF-8 to `target`, that has room for it; a lone surrogate becomes U+FFFD. Returns its size in bytes. */
export function writeText(target: Buffer, text: string, at: number): number {
  return utf8Write.call(target, text, at);
}

/**
 * The same for a text whose size is known. One that has as many bytes as UTF-16 units is ASCII, and copied as it is, which is faster (see
 * `bench: 64 KiB text, 4 in flight`).
 */
export function writeSizedText(target: Buffer, text: string, at: number, size: number): number {
  return size === text.length ? latin1Write.call(target, text, at) : utf8Write.call(target, text, at);
}

/** Bytes of the sequence that `lead` (C0 to FF) begins. */
function sequenceLength(lead: number): number {
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** Where the sequence begins that `end` cuts, or `end` when it cuts none. Looks at three bytes: `end` is at least 3. */
function wholeCodePointsEnd(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[end - back]!;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? end - back : end;
  }
  return end;
}
