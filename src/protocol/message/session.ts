import type { Buffer } from 'node:buffer';
import { InternalError, ProtocolError } from '../errors.js';
import { Opcode } from '../frame/opcode.js';
import { readClosePayload } from './close-payload.js';
import type { Message, More } from './message-reader.js';
import { type Parser, type ParserOptions, ParserPool } from './parser.js';

/** What a {@link Session} accepts. The defaults belong to the layer above. Sessions that are given the same object share parsers. */
export type SessionOptions = ParserOptions;

/** Whether bytes are parsed. `over`: the peer's Close frame or its end has come. `failed`: the peer broke the protocol. */
export type SessionState = 'parsing' | 'over' | 'failed';

/** What the bytes of the peer mean, for the shell to act on. */
export type Output =
  | Message
  /** Nothing yet: call `next()` again, now or, since it has taken or will take long, after other connections. */
  | More
  /** §5.5.2: "an endpoint MUST send a Pong frame in response", unless it has received a Close frame. At most 125 bytes. */
  | { readonly type: 'ping'; readonly data: Buffer }
  /** §5.5.3. At most 125 bytes. */
  | { readonly type: 'pong'; readonly data: Buffer }
  /** The peer's Close frame, to be answered unless ours is sent. §5.5.1. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  /** The transport has ended and all of its bytes are parsed. Once, and the last. */
  | { readonly type: 'end' }
  /** _Fail the WebSocket Connection_ (§7.1.7) with `error.closeCode`. Once, and the last. */
  | { readonly type: 'fail'; readonly error: ProtocolError | InternalError };

/** An output that is to be acted on. */
export type Outcome = Exclude<Output, More>;

const END: Output = { type: 'end' };

/**
 * The receiving end of a connection after its handshake: bytes in, outputs out, one at a time, so that the caller decides
 * before each of them whether it has room. Does no I/O and sends nothing.
 */
export class Session {
  readonly #parsers: ParserPool;
  /** While bytes are at hand or a message is in progress. */
  #parser: Parser | undefined;
  #state: SessionState = 'parsing';
  #finished = false;
  /** What ends the outputs, once parsing is over. */
  #last: Output | undefined;
  /** Messages, and control frames between messages, that are complete. */
  #completed = 0;

  constructor(options: SessionOptions) {
    this.#parsers = ParserPool.of(options);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Bytes that were pushed and are not parsed yet; 0 when `next()` has returned `undefined`. */
  get unparsed(): number {
    return this.#parser?.frames.unread ?? 0;
  }

  /**
   * The ordinal (1, 2, ...) of the message in progress: one of which a byte is parsed, but not all. A control frame counts
   * as a message of its own unless it comes within one. 0 when none is in progress.
   */
  get partialMessage(): number {
    const frames = this.#parser?.frames;
    return frames !== undefined && (frames.inMessage || frames.inFrame) ? this.#completed + 1 : 0;
  }

  /** Wire bytes of the message in progress that are parsed, without those of control frames within it. */
  get partialBytes(): number {
    return this.#parser?.frames.partialBytes ?? 0;
  }

  /** Bytes inflated so far by all sessions that share this inflater. */
  get inflated(): number {
    return this.#parsers.options.inflater?.inflated ?? 0;
  }

  /**
   * Whether the bytes at hand may belong to a compressed message: then the next output can cost far more than they are, as much as
   * `maxPayload` takes to inflate.
   */
  get mayInflate(): boolean {
    return this.#parser?.mayInflate ?? false;
  }

  /**
   * Adds the first `length` bytes of `chunk`, and parses nothing. The memory is the session's until {@link keep} is called: it unmasks
   * in place.
   */
  push(chunk: Buffer, length: number = chunk.length): void {
    if (this.#state !== 'parsing') return;
    this.#parser ??= this.#parsers.take();
    try {
      this.#parser.frames.push(chunk, length);
    } catch (error) {
      this.fail(new InternalError(error));
    }
  }

  /** Copies what is not parsed yet of what was pushed: that memory is the caller's again. Never throws. */
  keep(): void {
    try {
      this.#parser?.frames.keep();
    } catch (error) {
      this.fail(new InternalError(error));
    }
  }

  /** Says that the transport has ended: no more bytes will come. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#state === 'over') this.#last = END;
  }

  /**
   * Parses one output.
   *
   * @returns `undefined` when more bytes are needed. After the peer's Close frame there is only `end`, after `end` and `fail`
   *   nothing. Never throws: a fault of the peer is an output, and so is whatever else goes wrong.
   */
  next(): Output | undefined {
    if (this.#state !== 'parsing') return this.#takeLast();
    try {
      const output = this.#parse();
      if (output !== undefined || !this.#finished) return output;
      this.#stop('over');
      return END;
    } catch (error) {
      this.#stop('failed');
      return { type: 'fail', error: error instanceof ProtocolError ? error : new InternalError(error) };
    }
  }

  /** Fails the connection for a fault that the caller found, such as a missed deadline. No effect after the peer's Close frame. */
  fail(error: ProtocolError | InternalError): void {
    if (this.#state !== 'parsing') return;
    this.#stop('failed');
    this.#last = { type: 'fail', error };
  }

  /** Drops everything, now and later pushed: `next()` returns `undefined` from now on. */
  discard(): void {
    this.#stop(this.#state === 'failed' ? 'failed' : 'over');
    this.#finished = true;
    this.#last = undefined;
  }

  #parse(): Output | undefined {
    const parser = this.#parser;
    if (parser === undefined) return undefined;
    const parsed = parser.next();
    if (parsed === undefined) {
      if (parser.isAtRest) this.#giveBack(parser);
      return undefined;
    }
    if (parsed.type === 'more') return parsed;
    if (!parser.frames.inMessage) this.#completed++;
    return parsed.type === 'message' ? parsed : this.#controlOutput(parsed.opcode, parsed.data);
  }

  #giveBack(parser: Parser): void {
    this.#parser = undefined;
    this.#parsers.give(parser);
  }

  #controlOutput(opcode: Opcode, data: Buffer): Output {
    if (opcode === Opcode.ping) return { type: 'ping', data };
    return opcode === Opcode.pong ? { type: 'pong', data } : this.#peerClosed(data);
  }

  #peerClosed(payload: Buffer): Output {
    const { code, reason } = readClosePayload(payload);
    // §1.4, §5.5.1: after a Close frame the peer must not send any more data, and what it sends is discarded
    this.#stop('over');
    if (this.#finished) this.#last = END;
    return { type: 'close', code, reason };
  }

  #takeLast(): Output | undefined {
    const output = this.#last;
    this.#last = undefined;
    return output;
  }

  /** Ends parsing and lets go of all memory. */
  #stop(state: SessionState): void {
    this.#state = state;
    this.#parser = undefined;
    this.#parsers.options.inflater?.clear();
  }
}
