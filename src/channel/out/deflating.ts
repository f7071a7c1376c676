import type { MessageDeflater } from '../../protocol/deflate/message-deflater.js';
import { takeDeflateTurn } from './deflate-turns.js';

/** Up to this size a message is compressed on the spot, in bytes: a hop to the thread pool costs more. */
export const SYNCHRONOUS_DEFLATE = 65_536;

/** RSV1: the message is compressed. RFC 7692 §6. */
export const RSV1 = 0x40;

/** A message that is compressed when its turn comes. */
export interface DeflateMessage {
  readonly kind: 'deflate';
  readonly firstByte: number;
  readonly bytes: Uint8Array;
  /** Of its connection. */
  readonly deflater: MessageDeflater;
  /** Stands for the message where it goes to several connections. */
  readonly shared: object | undefined;
}

/** Where the frame goes. */
export interface DeflateSink {
  frame(firstByte: number, payload: Uint8Array): void;
  done(): void;
}

/** Compresses one message and sends it as one frame; a large one in the thread pool. Unsubscribing forgets it. */
export class DeflateSender {
  readonly #message: DeflateMessage;
  readonly #sink: DeflateSink;
  #isOver = false;
  #leaveQueue = (): void => {};

  /** It is one frame, and has come to its end when that is sent. */
  readonly hasKnownEnd = true;
  readonly hasBegun = false;
  /** Whether its frame was given, or is being given. */
  hasSentAll = false;

  constructor(message: DeflateMessage, sink: DeflateSink) {
    this.#message = message;
    this.#sink = sink;
  }

  /** Begins. A small message is sent before this returns, and so is a long one of a deflater that is synchronous. */
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

  /** It does not wait for the peer. */
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
