import type { SchedulerLike, Subscription } from 'rxjs';
import { describe } from '../../base/describe.js';
import { Puller, type PullPace } from '../../base/puller.js';
import { describeThrown } from '../../base/thrown.js';
import {
  type Fragment,
  type FragmentedMessage,
  type MessageOptions,
  PARTS,
  toBytes,
  unsendable,
} from '../../connection/outgoing.js';
import type { PartsDeflater } from '../../protocol/deflate/message-deflater.js';
import { UsageError } from '../../protocol/errors.js';
import { Opcode } from '../../protocol/frame/opcode.js';
import { Utf8Validator } from '../../protocol/frame/utf8.js';
import { type Compressor, type FrameSink, RSV1, SYNCHRONOUS_DEFLATE } from './deflating.js';

const FIN = 0x80;
const NO_BYTES = new Uint8Array(0);

/** A Blob up to this size is read whole and sent as one frame, in bytes. A larger one is sent in parts as it is read. */
const WHOLE_BLOB = 65_536;

/** A message that cannot be encoded immediately, because its bytes arrive later or in pieces. */
export type PartedMessage =
  | { readonly kind: 'fragments'; readonly message: FragmentedMessage }
  | { readonly kind: 'blob'; readonly blob: Blob; readonly binary: boolean; readonly options: MessageOptions };

/** Whether such a message is known to end: one from an Observable, an iterator or a promise may never end. */
export function hasKnownEnd(later: PartedMessage): boolean {
  return later.kind === 'blob' || Array.isArray(later.message.chunks);
}

/** A sink for the frames of such a message. */
export interface PartsSink extends FrameSink, PullPace {
  /** The message cannot be completed. No more calls follow. */
  failed(error: UsageError): void;
}

/** Settings of a connection that a {@link PartsSender} needs. */
export interface PartsSettings {
  /** For the `timeout` of `fragments`. */
  readonly scheduler: SchedulerLike;
  /** Compresses messages; undefined if permessage-deflate was not negotiated. */
  readonly compressor: Compressor | undefined;
}

/** Sends one message in parts. Unsubscribing stops the source. RFC 6455 §5.4. */
export class PartsSender {
  readonly #sink: PartsSink;
  readonly #scheduler: SchedulerLike;
  readonly #later: PartedMessage;
  readonly #timeout: number | undefined;
  #source: Puller<Fragment | ArrayBuffer> | undefined;
  #timer: Subscription | undefined;
  #opcode: Opcode | undefined;
  #partType: 'text' | 'bytes' | undefined;
  #validator: Utf8Validator | undefined;
  /** Bytes still to be read from a Blob. */
  #left: number | undefined;
  /** The first half of a surrogate pair at the end of a string. The next string begins with the other half. */
  #surrogate = '';
  readonly #compressor: Compressor | undefined;
  #deflater: PartsDeflater | undefined;
  #ended = false;
  /** Whether its last frame was sent, or is being sent. */
  hasSentAll = false;

  constructor(later: PartedMessage, sink: PartsSink, { scheduler, compressor }: PartsSettings) {
    this.#later = later;
    this.#sink = sink;
    this.#scheduler = scheduler;
    this.#compressor = compressor;
    if (later.kind === 'fragments') this.#timeout = later.message.timeout;
    else this.#left = later.blob.size;
  }

  get hasKnownEnd(): boolean {
    return hasKnownEnd(this.#later);
  }

  /** Whether a frame of it was sent. */
  get hasBegun(): boolean {
    return this.#opcode !== undefined;
  }

  /** Subscribes to the source. Frames may be sent before this returns. */
  start(): void {
    this.#armTimer();
    const source = sourceOf(this.#later);
    const pace: PullPace = {
      isReady: () => this.#isReady(),
      isTurnOver: (now) => this.#sink.isTurnOver(now),
      defer: (task) => this.#sink.defer(task),
    };
    const puller = new Puller<Fragment | ArrayBuffer>(source, pace, {
      next: (part) => this.#part(part),
      error: (error) => this.#fail(this.#sourceError(error)),
      complete: () => this.#finish(),
    });
    this.#source = puller;
    puller.start();
  }

  /** The peer is reading again. */
  resume(): void {
    this.#source?.resume();
  }

  unsubscribe(): void {
    this.#ended = true;
    this.#stopSource();
  }

  #stopSource(): void {
    this.#timer?.unsubscribe();
    this.#source?.unsubscribe();
  }

  #part(part: Fragment): void {
    if (this.#ended) return;
    this.#armTimer();
    try {
      const payload = this.#encode(part);
      if (payload === undefined) return;
      if (this.#left !== undefined) this.#left -= payload.length;
      if (this.#left === 0) this.#end(payload);
      else this.#frame(payload, 0);
    } catch (error) {
      this.#fail(unsendable(error));
    }
  }

  #finish(): void {
    if (this.#ended) return;
    this.#end(this.#surrogate === '' ? NO_BYTES : Buffer.from(this.#surrogate));
  }

  /** Sends the last frame. */
  #end(payload: Uint8Array): void {
    if (this.#validator?.complete === false) {
      this.#fail(new UsageError('UTF8_INVALID', 'the parts of a text message end in the middle of a character'));
      return;
    }
    this.#stopSource();
    try {
      this.#frame(payload, FIN);
    } catch (error) {
      this.#fail(unsendable(error));
    }
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.done();
  }

  /** @throws UsageError when the application's predicate throws. */
  #frame(payload: Uint8Array, fin: number): void {
    if (this.#opcode === undefined) this.#chooseCompression(payload);
    if (this.#deflater === undefined) this.#send(fin, payload);
    else this.#compress(this.#deflater, fin, payload);
  }

  /** Splits long parts, so that no call compresses for long. */
  #compress(deflater: PartsDeflater, fin: number, payload: Uint8Array): void {
    let at = 0;
    for (; payload.length - at > SYNCHRONOUS_DEFLATE; at += SYNCHRONOUS_DEFLATE) {
      this.#send(0, deflater.part(payload.subarray(at, at + SYNCHRONOUS_DEFLATE), false));
    }
    this.#send(fin, deflater.part(payload.subarray(at), fin !== 0));
  }

  #send(fin: number, payload: Uint8Array): void {
    // The application's predicate or the previous frame may have ended the connection.
    if (this.#ended) return;
    this.hasSentAll = fin !== 0;
    if (this.#opcode !== undefined) {
      this.#sink.frame(fin | Opcode.continuation, payload);
      return;
    }
    // §5.4: the first frame has the opcode of the message, all others are continuations. RFC 7692 §6: only the first frame has RSV1.
    this.#opcode = this.#firstOpcode();
    this.#sink.frame(fin | this.#opcode | (this.#deflater === undefined ? 0 : RSV1), payload);
  }

  /** Decides by the first part whether the message is compressed. */
  #chooseCompression(payload: Uint8Array): void {
    const options = this.#later.kind === 'blob' ? this.#later.options : this.#later.message;
    const compressor = this.#compressor;
    if (compressor?.wants(payload, payload.length, options) === true) this.#deflater = compressor.deflater.beginParts();
  }

  #firstOpcode(): Opcode {
    const binary = this.#later.kind === 'blob' ? this.#later.binary : this.#later.message.binary;
    return (binary ?? this.#partType === 'bytes') ? Opcode.binary : Opcode.text;
  }

  /** Encodes a part. @returns undefined for a part that is only half a character. */
  #encode(part: Fragment): Uint8Array | undefined {
    const type = typeof part === 'string' ? 'text' : 'bytes';
    this.#partType ??= type;
    if (type !== this.#partType) {
      const found = typeof part === 'string' ? 'a string' : describe(part);
      throw new UsageError(
        'FRAGMENT_TYPE',
        `all parts of a message must have the same type: got ${found} after ${this.#partType}`,
      );
    }
    if (typeof part !== 'string') return this.#checked(toBytes(part, PARTS));
    const text = this.#surrogate + part;
    this.#surrogate = endsInHighSurrogate(text) ? text.slice(-1) : '';
    const whole = this.#surrogate === '' ? text : text.slice(0, -1);
    return whole === '' && part !== '' ? undefined : Buffer.from(whole);
  }

  /** Checks that bytes sent as text are UTF-8: RFC 6455 §5.6. */
  #checked(bytes: Uint8Array): Uint8Array {
    if (this.#firstOpcode() === Opcode.binary) return bytes;
    this.#validator ??= new Utf8Validator();
    if (this.#validator.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)) return bytes;
    throw new UsageError('UTF8_INVALID', 'binary: false requires bytes of valid UTF-8');
  }

  #sourceError(cause: unknown): UsageError {
    const what = describeThrown(cause);
    return this.#later.kind === 'blob'
      ? new UsageError('BLOB_FAILED', `the Blob could not be read: ${what}`, { cause })
      : new UsageError('FRAGMENTS_FAILED', `the source of a message in parts failed: ${what}`, { cause });
  }

  #fail(error: UsageError): void {
    if (this.#ended) return;
    this.unsubscribe();
    this.#sink.failed(error);
  }

  /** Stops the timeout while no part is requested. */
  #isReady(): boolean {
    const isReady = this.#sink.isReady();
    if (!isReady) this.#timer?.unsubscribe();
    else if (this.#timer?.closed === true) this.#armTimer();
    return isReady;
  }

  #armTimer(): void {
    const timeout = this.#timeout;
    if (timeout === undefined || this.#ended) return;
    this.#timer?.unsubscribe();
    this.#timer = this.#scheduler.schedule(() => {
      this.#fail(new UsageError('FRAGMENTS_TIMEOUT', `no part of a message arrived for ${timeout} ms`));
    }, timeout);
  }
}

function sourceOf(later: PartedMessage): FragmentedMessage['chunks'] {
  if (later.kind === 'fragments') return later.message.chunks;
  const { blob } = later;
  return blob.size <= WHOLE_BLOB ? blob.arrayBuffer() : (blob.stream() as unknown as AsyncIterable<Uint8Array>);
}

function endsInHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
