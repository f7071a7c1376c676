import type { Observable, SchedulerLike } from 'rxjs';
import { BackpressureError, type UsageError } from '../protocol/errors.js';
import { headerLength, MAX_HEADER_SIZE } from '../protocol/frame-header.js';
import { Opcode } from '../protocol/opcode.js';
import { Batch } from '../transport/batch.js';
import type { BytePort, Flushable } from '../transport/byte-port.js';
import { ControlLane } from './control-lane.js';
import { enqueueFrame, FrameQueue } from './frame-queue.js';
import { type Classified, classify } from './outgoing.js';
import { type LaterMessage, PartsSender } from './parts-sender.js';
import { ReadySignal } from './ready-signal.js';

/** What became of an item: see `Connection.trySend`. */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed';

/** What happens above `maxBufferedAmount`. */
export type Overflow = 'close' | 'drop-newest' | 'drop-oldest';

/** How much may wait, and what else an outbox needs. Sizes in bytes. */
export interface OutboxSettings {
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly overflow: Overflow;
  readonly scheduler: SchedulerLike;
  /** Gives the masking keys of a client; a server does not mask. RFC 6455 §5.3. */
  readonly maskKey: (() => number) | undefined;
}

/** Whom an outbox tells what it cannot do. */
export interface OutboxOwner {
  /** The overflow policy says to give up. */
  overflowed(error: BackpressureError): void;
  /** A message that was accepted cannot be finished. */
  failed(error: UsageError): void;
}

const FIN = 0x80;

/** Pongs that may be in the batch before it is written early, in bytes. */
const PONG_BATCH = 4096;

/** A write takes about as much from the queue, in bytes: what is not written yet can still be dropped. */
const WRITE_SIZE = 262_144;

/**
 * The way out of one connection: order, backpressure, and the joining of frames to writes. What is sent while the transport takes
 * everything goes straight into the batch of this tick; otherwise it waits in a queue, and one write is outstanding at a time.
 */
export class Outbox implements Flushable {
  messagesSent = 0;
  messagesDropped = 0;
  bytesSent = 0;
  readonly #port: BytePort;
  readonly #settings: OutboxSettings;
  readonly #owner: OutboxOwner;
  readonly #signal: ReadySignal;
  readonly #batch = new Batch();
  readonly #control = new ControlLane();
  /** What waits in order. */
  readonly #queue = new FrameQueue<LaterMessage>();
  /** Frames of the message in parts whose turn it is. They go before the queue. */
  readonly #front = new FrameQueue();
  #active: PartsSender | undefined;
  #activeSize = 0;
  /** To be called when the batch, and what the transport has, is handed over. */
  #marks: (() => void)[] = [];
  #pongBytes = 0;
  /** Whether nothing waits before what is sent next, except the batch. */
  #direct = true;
  #blocked = false;
  #scheduled = false;
  #advancing = false;
  #stopped = false;

  constructor(port: BytePort, settings: OutboxSettings, owner: OutboxOwner) {
    this.#port = port;
    this.#settings = settings;
    this.#owner = owner;
    this.#signal = new ReadySignal(settings.highWaterMark);
  }

  get ready$(): Observable<boolean> {
    return this.#signal.ready$;
  }

  get isReady(): boolean {
    return this.#signal.isReady;
  }

  /** Bytes that were sent and are not handed to the operating system yet. */
  get bufferedAmount(): number {
    return (
      this.#batch.size +
      this.#control.size +
      this.#front.size +
      this.#activeSize +
      this.#queue.size +
      this.#port.pending
    );
  }

  /**
   * Sends `value`.
   *
   * @param onHanded called when it is handed to the operating system.
   * @throws UsageError when it is nothing that can be sent.
   */
  send(value: unknown, onHanded?: () => void): SendResult {
    if (this.#stopped) return 'closed';
    const isFastText = typeof value === 'string' && this.#direct && this.#hasRoom(value.length * 3 + MAX_HEADER_SIZE);
    if (!isFastText) return this.#sendItem(classify(value), onHanded);
    this.messagesSent++;
    this.#batch.text(FIN | Opcode.text, value, this.#settings.maskKey?.());
    if (onHanded !== undefined) this.#marks.push(onHanded);
    this.#batched();
    return 'sent';
  }

  /** Sends a ping or pong of our own. It goes before waiting messages and is never dropped. */
  control(opcode: Opcode, payload: Uint8Array): void {
    if (this.#stopped) return;
    if (this.#blocked) {
      this.#control.add(FIN | opcode, payload);
      return;
    }
    this.#batch.payload(FIN | opcode, payload, this.#settings.maskKey?.());
    this.#batched();
  }

  /** Answers a ping. While the peer does not read, at most 4 KiB of answers wait and the latest. */
  pong(payload: Uint8Array): void {
    if (this.#stopped) return;
    if (this.#blocked) {
      this.#control.addPong(FIN | Opcode.pong, payload);
      return;
    }
    this.#pongBytes += headerLength(payload.length, false) + payload.length;
    this.control(Opcode.pong, payload);
    if (this.#pongBytes >= PONG_BATCH) this.#write();
  }

  /** Sends a Close frame behind all that waits. `onHanded` is called when it is with the operating system. */
  close(payload: Uint8Array, onHanded: () => void): void {
    if (this.#stopped) return;
    const firstByte = FIN | Opcode.close;
    if (this.#direct) {
      this.#batch.payload(firstByte, payload, this.#settings.maskKey?.());
      this.#marks.push(onHanded);
      this.#batched();
      return;
    }
    enqueueFrame(this.#queue, firstByte, payload, this.#settings.maskKey?.());
    this.#queue.mark(onHanded, false);
  }

  /** The peer wants no more: gives up the messages that are not encoded yet, and all behind them. */
  abandonLater(): void {
    const begun = this.#active?.hasBegun === true;
    this.#endActive();
    // A message that was begun stays unfinished, so that no other can follow: RFC 6455 §5.4.
    if (begun) this.#queue.clear();
    else this.#queue.cutAtLater(() => {});
    this.#advance();
  }

  /** Gives up everything that waits but for `payload`, a Close frame's. */
  fail(payload: Uint8Array, onHanded: () => void): void {
    if (this.#stopped) return;
    this.#endActive();
    this.#queue.clear();
    this.#front.clear();
    this.#control.clear();
    this.#marks.push(onHanded);
    this.control(Opcode.close, payload);
  }

  /** Calls `onHanded` when all that was sent so far is with the operating system: at once when it is already. */
  whenHanded(onHanded: () => void): void {
    if (this.bufferedAmount === 0) onHanded();
    else if (this.#queue.isEmpty && this.#active === undefined) this.#marks.push(onHanded);
    else this.#queue.mark(onHanded, false);
  }

  /** Hands over the batch: see `BytePort.schedule`. */
  flush(): void {
    this.#scheduled = false;
    this.#write();
  }

  /** The transport has handed over all that it had. */
  drained(): void {
    this.#blocked = false;
    this.#reachMarks();
    this.#advance();
    this.#active?.resume();
  }

  /** Forgets everything: nothing can be sent any more. */
  stop(): void {
    this.#stopped = true;
    this.#endActive();
    this.#queue.clear();
    this.#front.clear();
    this.#control.clear();
    this.#batch.drop();
    this.#marks = [];
    this.#update();
    this.#signal.end();
  }

  #sendItem(item: Classified, onHanded: (() => void) | undefined): SendResult {
    const refusal = this.#refusal(sizeOf(item));
    if (refusal !== undefined) return refusal;
    this.messagesSent++;
    const { maskKey } = this.#settings;
    const result = this.#direct ? 'sent' : 'buffered';
    if (item.kind === 'blob' || item.kind === 'fragments') {
      this.#queue.later(item, sizeOf(item));
      if (onHanded !== undefined) this.#queue.mark(onHanded, true);
      if (result === 'sent') this.#advance();
    } else if (result === 'sent') {
      if (item.kind === 'text') this.#batch.text(FIN | Opcode.text, item.text, maskKey?.());
      else this.#batch.payload(FIN | opcodeOf(item.binary), item.bytes, maskKey?.());
      if (onHanded !== undefined) this.#marks.push(onHanded);
      this.#batched();
      return 'sent';
    } else {
      const isText = item.kind === 'text';
      const payload = isText ? Buffer.from(item.text) : item.bytes;
      enqueueFrame(this.#queue, FIN | opcodeOf(!isText && item.binary), payload, maskKey?.());
      if (onHanded !== undefined) this.#queue.mark(onHanded, true);
    }
    this.#update();
    return result;
  }

  /** What the overflow policy says to `size` more bytes; nothing when there is room. */
  #refusal(size: number): SendResult | undefined {
    if (this.#hasRoom(size)) return undefined;
    this.#write();
    this.#advance();
    const { maxBufferedAmount, overflow } = this.#settings;
    while (overflow === 'drop-oldest' && !this.#hasRoom(size) && this.#queue.dropOldest(() => {}))
      this.messagesDropped++;
    // An item that is larger than the mark by itself passes when it is alone.
    if (this.#hasRoom(size) || this.bufferedAmount === 0) return undefined;
    if (overflow !== 'close') {
      this.messagesDropped++;
      return 'dropped';
    }
    this.#owner.overflowed(new BackpressureError('maxBufferedAmount', maxBufferedAmount, this.bufferedAmount + size));
    return 'closed';
  }

  #hasRoom(size: number): boolean {
    const waiting = this.#direct ? this.#batch.size : this.bufferedAmount;
    return waiting + size <= this.#settings.maxBufferedAmount;
  }

  /** Something was added to the batch. */
  #batched(): void {
    if (this.#batch.size > this.#settings.highWaterMark) this.#write();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#port.schedule(this);
    }
  }

  #write(): void {
    if (this.#batch.size > 0) {
      this.bytesSent += this.#batch.size;
      this.#pongBytes = 0;
      this.#batch.flush(this.#port);
      this.#blocked = this.#port.pending > 0;
    }
    if (!this.#blocked) this.#reachMarks();
    this.#update();
  }

  /** Writes what waits, as long as the transport takes it at once. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    do {
      this.#fillBatch();
      this.#write();
    } while (!this.#blocked && this.#hasNext());
    this.#advancing = false;
    this.#update();
  }

  #hasNext(): boolean {
    return !this.#front.isEmpty || (this.#active === undefined && !this.#queue.isEmpty);
  }

  #fillBatch(): void {
    if (this.#blocked) return;
    this.#control.moveTo(this.#batch, this.#settings.maskKey);
    while (this.#batch.size < WRITE_SIZE && !this.#blocked && this.#hasNext()) {
      const taken = this.#front.take() ?? this.#queue.take();
      switch (taken?.kind) {
        case undefined:
          return;
        case 'bytes':
          for (const piece of taken.pieces) this.#batch.piece(piece);
          break;
        case 'mark':
          this.#marks.push(taken.reached);
          break;
        case 'later':
          this.#startLater(taken.item);
          break;
        default:
          taken satisfies never;
      }
    }
  }

  #startLater(item: LaterMessage): void {
    const active = new PartsSender(item, this.#sink, this.#settings.scheduler);
    this.#active = active;
    this.#activeSize = sizeOf(item);
    this.#update();
    active.start();
  }

  #endActive(): void {
    this.#active?.unsubscribe();
    this.#active = undefined;
    this.#activeSize = 0;
  }

  readonly #sink = {
    isReady: (): boolean => this.#batch.size + this.#front.size + this.#port.pending <= this.#settings.highWaterMark,
    defer: (task: () => void): void => this.#port.defer(task),
    frame: (firstByte: number, payload: Uint8Array): void => {
      this.#activeSize = Math.max(0, this.#activeSize - payload.length);
      const maskKey = this.#settings.maskKey?.();
      if (this.#blocked || !this.#front.isEmpty) enqueueFrame(this.#front, firstByte, payload, maskKey);
      else {
        this.#batch.payload(firstByte, payload, maskKey);
        this.#batched();
      }
      this.#update();
      // Parts that come unasked cannot be dropped one by one.
      const { maxBufferedAmount } = this.#settings;
      const waiting = this.bufferedAmount;
      if (this.#front.size > maxBufferedAmount) {
        this.#owner.overflowed(new BackpressureError('maxBufferedAmount', maxBufferedAmount, waiting));
      }
    },
    done: (): void => {
      this.#endActive();
      this.#advance();
    },
    failed: (error: UsageError): void => {
      this.#endActive();
      this.#owner.failed(error);
    },
  };

  #reachMarks(): void {
    if (this.#marks.length === 0) return;
    const marks = this.#marks;
    this.#marks = [];
    for (const reached of marks) reached();
  }

  #update(): void {
    this.#direct = !this.#blocked && this.#active === undefined && this.#queue.isEmpty && this.#front.isEmpty;
    this.#signal.update(this.bufferedAmount);
  }
}

function opcodeOf(binary: boolean): Opcode {
  return binary ? Opcode.binary : Opcode.text;
}

/** Bytes of the frame, as far as they are known before its turn. */
function sizeOf(item: Classified): number {
  switch (item.kind) {
    case 'text':
      return frameSize(Buffer.byteLength(item.text));
    case 'bytes':
      return frameSize(item.bytes.length);
    case 'blob':
      return item.blob.size;
    case 'fragments':
      return 0;
    default:
      return item satisfies never;
  }
}

function frameSize(payload: number): number {
  return headerLength(payload, false) + payload;
}
