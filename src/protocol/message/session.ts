import type { Buffer } from 'node:buffer';
import { InternalError, ProtocolError } from '../errors.js';
import { Opcode } from '../frame/opcode.js';
import { readClosePayload } from './close-payload.js';
import type { Message, More } from './message-reader.js';
import { type Parser, type ParserOptions, ParserPool } from './parser.js';

/** Options of a {@link Session}, without defaults. Sessions with the same options object share parsers. */
export type SessionOptions = ParserOptions;

/** A state of a session. `over`: the peer has sent its Close frame or ended the transport. `failed`: the peer broke the protocol. */
export type SessionState = 'parsing' | 'over' | 'failed';

/** An event parsed from the peer's bytes, for the caller to act on. */
export type Output =
  | Message
  /** No output yet: call `next()` again, now or after other connections, because parsing has taken or will take long. */
  | More
  /** §5.5.2: "an endpoint MUST send a Pong frame in response", unless it has received a Close frame. At most 125 bytes. */
  | { readonly type: 'ping'; readonly data: Buffer }
  /** §5.5.3. At most 125 bytes. */
  | { readonly type: 'pong'; readonly data: Buffer }
  /** The peer's Close frame, to be answered unless ours has been sent. §5.5.1. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  /** The transport has ended, and all its bytes are parsed. Emitted once, as the last output. */
  | { readonly type: 'end' }
  /** _Fail the WebSocket Connection_ (§7.1.7) with `error.closeCode`. Emitted once, as the last output. */
  | { readonly type: 'fail'; readonly error: ProtocolError | InternalError };

/** An output that requires an action. */
export type Outcome = Exclude<Output, More>;

const END: Output = { type: 'end' };

/**
 * The receiving end of a connection after its handshake. It parses bytes into outputs, one at a time, so that the caller can decide
 * before each output whether it has room. Does no I/O and sends nothing.
 */
export class Session {
  readonly #parsers: ParserPool;
  /** The parser, while there are unparsed bytes or a message is in progress. */
  #parser: Parser | undefined;
  #state: SessionState = 'parsing';
  #finished = false;
  /** The last output, once parsing is over. */
  #last: Output | undefined;
  /** The number of complete messages, and of control frames between messages. */
  #completed = 0;

  constructor(options: SessionOptions) {
    this.#parsers = ParserPool.of(options);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Pushed bytes that are not parsed yet; 0 after `next()` has returned `undefined`. */
  get unparsed(): number {
    return this.#parser?.frames.unread ?? 0;
  }

  /**
   * The ordinal (1, 2, ...) of the message in progress, of which some bytes are parsed, but not all. A control frame counts
   * as a message of its own unless it is within a message. 0 if no message is in progress.
   */
  get partialMessage(): number {
    const frames = this.#parser?.frames;
    return frames !== undefined && (frames.inMessage || frames.inFrame) ? this.#completed + 1 : 0;
  }

  /** Parsed wire bytes of the message in progress, without control frames within it. */
  get partialBytes(): number {
    return this.#parser?.frames.partialBytes ?? 0;
  }

  /** Bytes inflated so far by all sessions that share this inflater. */
  get inflated(): number {
    return this.#parsers.options.inflater?.inflated ?? 0;
  }

  /**
   * Whether the available bytes may belong to a compressed message. Then the next output can cost far more than their number suggests, as
   * much as inflating `maxPayload` bytes.
   */
  get mayInflate(): boolean {
    return this.#parser?.mayInflate ?? false;
  }

  /**
   * Adds the first `length` bytes of `chunk` without parsing them. The session owns the memory until {@link keep} is called, and unmasks
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

  /** Copies the pushed bytes that are not parsed yet, so that the caller owns their memory again. Never throws. */
  keep(): void {
    try {
      this.#parser?.frames.keep();
    } catch (error) {
      this.fail(new InternalError(error));
    }
  }

  /** Signals that the transport has ended, and no more bytes follow. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#state === 'over') this.#last = END;
  }

  /**
   * Parses one output.
   *
   * @returns `undefined` if more bytes are needed. After the peer's Close frame the only output is `end`, after `end` or `fail` there is
   *   none. Never throws: a fault of the peer is an output, and so is any other error.
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

  /** Fails the connection because of a fault that the caller detected, such as a missed deadline. No effect after the peer's Close frame. */
  fail(error: ProtocolError | InternalError): void {
    if (this.#state !== 'parsing') return;
    this.#stop('failed');
    this.#last = { type: 'fail', error };
  }

  /** Drops all bytes, also those pushed later: `next()` returns `undefined` from now on. */
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
    // §1.4, §5.5.1: after a Close frame the peer must not send any more data, and any data is discarded
    this.#stop('over');
    if (this.#finished) this.#last = END;
    return { type: 'close', code, reason };
  }

  #takeLast(): Output | undefined {
    const output = this.#last;
    this.#last = undefined;
    return output;
  }

  /** Ends parsing and releases all memory. */
  #stop(state: SessionState): void {
    this.#state = state;
    this.#parser = undefined;
    this.#parsers.options.inflater?.clear();
  }
}
