import type { Buffer } from 'node:buffer';
import type { MessageInflater } from '../deflate/message-inflater.js';
import { FrameReader } from '../frame/frame-reader.js';
import { unmask } from '../frame/mask.js';
import { copyOf } from '../frame/memory.js';
import { isControl, type Opcode, type Role } from '../frame/opcode.js';
import { type Message, type MessageLimits, MessageReader, MORE, type More } from './message-reader.js';
import { PayloadBuffer } from './payload-buffer.js';

/** Options of a {@link Parser}. */
export interface ParserOptions extends MessageLimits {
  readonly role: Role;
  /** Inflates compressed messages; undefined if permessage-deflate was not agreed on. RFC 7692. */
  readonly inflater?: MessageInflater | undefined;
}

/** A complete control frame. RFC 6455 §5.5. */
export interface ControlFrame {
  readonly type: 'control';
  readonly opcode: Opcode;
  /** At most 125 bytes. */
  readonly data: Buffer;
}

/**
 * The most frames that one call of `next` reads: one read may contain thousands of frames without completing a message. This many take
 * little time, and few messages have more.
 */
const FRAMES_PER_CALL = 128;

/** Parses bytes into messages and control frames, one at a time. */
export class Parser {
  readonly frames: FrameReader;
  readonly #messages: MessageReader;
  readonly #control = new PayloadBuffer();
  readonly #inflates: boolean;

  constructor(options: ParserOptions) {
    this.#inflates = options.inflater !== undefined;
    this.frames = new FrameReader(options.role === 'server', options.inflater !== undefined);
    this.#messages = new MessageReader(options, options.inflater);
  }

  /** Whether it has no state: no byte is unread, and no frame or message is in progress. */
  get isAtRest(): boolean {
    return this.frames.unread === 0 && !this.frames.inMessage && !this.frames.inFrame;
  }

  /** Whether the available bytes may belong to a compressed message. */
  get mayInflate(): boolean {
    const { frames } = this;
    if (!this.#inflates || frames.unread === 0) return false;
    return frames.inMessage || !frames.last ? this.#messages.isCompressed : frames.mayHaveRsv1;
  }

  /**
   * Parses one message or control frame.
   *
   * @returns `undefined` if more bytes are needed; {@link MORE} after many frames that do not complete a message, and before a long text
   *   is decoded.
   * @throws ProtocolError if the peer broke the protocol. The parser must not be used afterwards.
   */
  next(): Message | ControlFrame | More | undefined {
    const { frames } = this;
    if (this.#messages.isDue) return this.#messages.complete();
    for (let left = FRAMES_PER_CALL; frames.read(); ) {
      const parsed = isControl(frames.header.opcode) ? this.#acceptControl(frames) : this.#messages.accept(frames);
      if (parsed !== undefined) return parsed;
      if (--left === 0) return MORE;
    }
    return undefined;
  }

  #acceptControl({ header, bytes, start, end, before, first, last }: FrameReader): ControlFrame | undefined {
    const { opcode } = header;
    if (header.masked) unmask(bytes, start, end, header.maskKey, before);
    if (first && last) return { type: 'control', opcode, data: copyOf(bytes, start, end) };
    this.#control.expect(header.length, true);
    this.#control.append(bytes, start, end);
    return last ? { type: 'control', opcode, data: this.#control.take() } : undefined;
  }
}

/** How many idle parsers are kept. Only one is in use at a time, except for those with incomplete messages. */
const MAX_IDLE = 16;

/**
 * A pool of parsers for all sessions with the same options. A session only has a parser while it has unparsed bytes or a message in
 * progress, because otherwise every idle session would pay for one (see `bench: idle, 5 000 connections`).
 */
export class ParserPool {
  static readonly #pools = new WeakMap<ParserOptions, ParserPool>();

  readonly options: ParserOptions;
  readonly #idle: Parser[] = [];

  /** Returns the pool for `options`: there is one for each object. */
  static of(options: ParserOptions): ParserPool {
    let pool = ParserPool.#pools.get(options);
    if (pool === undefined) {
      pool = new ParserPool(options);
      ParserPool.#pools.set(options, pool);
    }
    return pool;
  }

  private constructor(options: ParserOptions) {
    this.options = options;
  }

  /** Lends a parser that is at rest. */
  take(): Parser {
    return this.#idle.pop() ?? new Parser(this.options);
  }

  /** Takes back a parser that is at rest. */
  give(parser: Parser): void {
    if (this.#idle.length < MAX_IDLE) this.#idle.push(parser);
  }
}
