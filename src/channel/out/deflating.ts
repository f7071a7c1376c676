import { describeThrown } from '../../base/thrown.js';
import type { MessageOptions } from '../../connection/outgoing.js';
import type { MessageDeflater } from '../../protocol/deflate/message-deflater.js';
import { UsageError } from '../../protocol/errors.js';

/** Messages up to this size are compressed synchronously, in bytes: using the thread pool would cost more. */
export const SYNCHRONOUS_DEFLATE = 65_536;

/** How many messages of all connections are compressed in the thread pool at a time: file access and DNS need it too. */
const AT_A_TIME = 2;

/** RSV1: the message is compressed. RFC 7692 §6. */
export const RSV1 = 0x40;

/** Decides which messages of a connection are compressed. */
export class Compressor {
  readonly deflater: MessageDeflater;
  readonly #predicate: ((data: string | Uint8Array) => boolean) | undefined;

  /** @param predicate the option `perMessageDeflate.compress`. */
  constructor(deflater: MessageDeflater, predicate: ((data: string | Uint8Array) => boolean) | undefined) {
    this.deflater = deflater;
    this.#predicate = predicate;
  }

  /**
   * Whether to compress `data`.
   *
   * @param size size of `data` in bytes.
   * @throws UsageError COMPRESS_FAILED when the application's predicate throws.
   */
  wants(data: string | Uint8Array, size: number, { compress }: MessageOptions): boolean {
    if (compress !== undefined) return compress;
    if (size < this.deflater.threshold) return false;
    try {
      return this.#predicate?.(data) !== false;
    } catch (cause) {
      throw new UsageError('COMPRESS_FAILED', `perMessageDeflate.compress threw: ${describeThrown(cause)}`, { cause });
    }
  }
}

/** A message that is compressed when its turn comes. */
export interface DeflateMessage {
  readonly kind: 'deflate';
  readonly firstByte: number;
  readonly bytes: Uint8Array;
  /** The deflater of its connection. */
  readonly deflater: MessageDeflater;
  /** Identifies the message if it goes to several connections. */
  readonly shared: object | undefined;
}

/** A sink for the frames of a message. */
export interface FrameSink {
  frame(firstByte: number, payload: Uint8Array): void;
  done(): void;
}

/** Compresses one message, a large one in the thread pool, and sends it as one frame. Unsubscribing cancels it. */
export class DeflateSender {
  readonly #message: DeflateMessage;
  readonly #sink: FrameSink;
  #isOver = false;
  #leaveQueue = (): void => {};

  /** The message is one frame, so it ends when that is sent. */
  readonly hasKnownEnd = true;
  readonly hasBegun = false;
  /** Whether its frame was sent, or is being sent. */
  hasSentAll = false;

  constructor(message: DeflateMessage, sink: FrameSink) {
    this.#message = message;
    this.#sink = sink;
  }

  /** Begins. A small message is sent before this returns, and with a synchronous deflater so is a large one. */
  start(): void {
    const { bytes, deflater, shared } = this.#message;
    if (bytes.length <= SYNCHRONOUS_DEFLATE || deflater.isSynchronous) {
      this.#send(deflater.compress(bytes, shared));
      return;
    }
    this.#leaveQueue = takeDeflateTurn((done) => {
      const compressed = (output: Uint8Array | undefined): void => {
        done();
        this.#send(output);
      };
      deflater.compressLater(bytes, compressed, shared);
    });
  }

  /** Does nothing: compression does not wait for the peer. */
  resume(): void {}

  unsubscribe(): void {
    this.#isOver = true;
    this.#leaveQueue();
  }

  #send(output: Uint8Array | undefined): void {
    if (this.#isOver) return;
    this.hasSentAll = true;
    const { firstByte, bytes } = this.#message;
    if (output === undefined) this.#sink.frame(firstByte, bytes);
    else this.#sink.frame(firstByte | RSV1, output);
    this.#sink.done();
  }
}

type Task = (done: () => void) => void;

const waiting = new Set<Task>();
let running = 0;
let isStarting = false;

/**
 * Runs `task` when its turn comes, first come, first served. Each connection has at most one message in this queue, so that none
 * crowds out the others. The task calls `done` once, when the next one may begin.
 *
 * @returns a function that leaves the queue. It has no effect once the task has begun.
 */
export function takeDeflateTurn(task: Task): () => void {
  const own: Task = (done) => task(done);
  waiting.add(own);
  startNext();
  return () => waiting.delete(own);
}

/** Starts waiting tasks. A task may be done before it returns: then the running loop continues with the next one. */
function startNext(): void {
  if (isStarting) return;
  isStarting = true;
  for (const task of waiting) {
    if (running === AT_A_TIME) break;
    waiting.delete(task);
    running++;
    task(() => {
      running--;
      startNext();
    });
  }
  isStarting = false;
}
