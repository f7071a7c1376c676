import { ReadySignal } from '../../base/ready-signal.js';
import { toBytes } from '../../connection/outgoing.js';
import type { OverflowPolicy, SendResult } from '../../connection/send-result.js';
import { BackpressureError, type UsageError } from '../../protocol/errors.js';
import { MAX_HEADER_SIZE } from '../../protocol/frame/frame-header.js';
import type { Opcode } from '../../protocol/frame/opcode.js';
import type { BytePort } from '../byte-port.js';
import { Backlog, NO_BACKLOG } from './backlog.js';
import { type Classified, classify, frameSizeOf, payloadSizeOf } from './classify.js';
import { DeflateSender, RSV1, SYNCHRONOUS_DEFLATE } from './deflating.js';
import { WRITE_SIZE } from './frame-queue.js';
import { CLOSE_FRAME, type Encoded, encodeMessage, isLater, type LaterMessage } from './message-encoder.js';
import { hasKnownEnd, PartsSender, type PartsSettings } from './parts-sender.js';
import type { SharedLane } from './shared-lane.js';
import { Wire, type WireOwner, type WireSettings } from './wire.js';

/** Work between two checks of the clock, measured in bytes written. */
const WORK_PER_LOOK = 4_194_304;

/** Messages between two checks of the clock, for producers that take longer than sending does. A power of two. */
const SENDS_PER_LOOK = 16;

/**
 * Checks in one turn that never make a producer rest, even if other connections have used up the turn. Without them an echo of large
 * messages would stop and start all the time. It needs no more, because a socket delivers at most 32 reads in one turn.
 */
const FREE_LOOKS = 2;

/** Cost of a write in addition to its bytes. */
const WRITE_WORK = 65_536;

/** Cost of compressing a message, and of each of its bytes. */
const DEFLATE_WORK = 262_144;
const DEFLATE_WORK_PER_BYTE = 256;

/** Settings of an outbox. Sizes are in bytes. */
export interface OutboxSettings extends WireSettings, PartsSettings {
  readonly maxBufferedAmount: number;
  readonly overflow: OverflowPolicy;
}

/** The owner of an outbox, which is notified of failures. */
export interface OutboxOwner {
  /** The overflow policy requires the end of the connection. */
  overflowed(error: BackpressureError): void;
  /** An accepted message cannot be completed. */
  failed(error: UsageError): void;
}

/**
 * The outgoing side of one connection: order and backpressure. Messages go straight to the wire while it takes everything. Otherwise
 * they wait in a queue, after a message in parts if there is one.
 */
export class Outbox implements WireOwner {
  messagesSent = 0;
  messagesDropped = 0;
  readonly #port: BytePort;
  readonly #settings: OutboxSettings;
  readonly #owner: OutboxOwner;
  readonly #wire: Wire;
  /** Made when a message has to wait. */
  #backlog = NO_BACKLOG;
  #active: PartsSender | DeflateSender | undefined;
  /** Remaining bytes of the active message, as far as known. */
  #activeSize = 0;
  /** Whether the next message need not wait for others. */
  #isDirect = true;
  #isAdvancing = false;
  /** The Close frame, once there is one: nothing may follow it. RFC 6455 §5.5.1. */
  #close: { readonly payload: Uint8Array; readonly onHanded: () => void } | undefined;
  #isStopped = false;
  #signal: ReadySignal | undefined;
  /** Work since the last check of the clock. */
  #work = 0;
  /** The turn of the last check. */
  #turn = -1;
  /** The number of checks in that turn. */
  #looks = 0;

  constructor(port: BytePort, settings: OutboxSettings, owner: OutboxOwner) {
    this.#port = port;
    this.#settings = settings;
    this.#owner = owner;
    this.#wire = new Wire(port, settings, this);
  }

  /** The fast path for broadcasts: made when first read. */
  get lane(): SharedLane {
    const lane = this.#wire.ownLane();
    if (this.#isDirect) this.#openLane();
    return lane;
  }

  /** The number of messages sent by the fast path. */
  get laneCount(): number {
    return this.#wire.lane.count;
  }

  get bytesSent(): number {
    return this.#wire.bytesSent;
  }

  /** Increases with each accepted message and with each byte of a message given to the transport. Control frames do not count. */
  get effort(): number {
    return this.messagesSent + this.#wire.messageBytes;
  }

  /** See `Wire.taken`. */
  get taken(): number | undefined {
    return this.#wire.taken;
  }

  /** See `Wire.isControlWaiting`. */
  get isControlWaiting(): boolean {
    return this.#wire.isControlWaiting;
  }

  /** Whether more may be sent: made when first read, or when it first becomes false. */
  get signal(): ReadySignal {
    this.#signal ??= new ReadySignal(this.#settings.highWaterMark);
    return this.#signal;
  }

  get isReady(): boolean {
    return this.#signal?.isReady ?? true;
  }

  /** Whether more than the mark waits, because the peer reads too slowly. */
  get isSlow(): boolean {
    return this.#signal?.isSlow ?? false;
  }

  /** Bytes that were sent but not yet handed to the operating system. */
  get bufferedAmount(): number {
    return this.#wire.size + this.#activeSize + this.#backlog.size;
  }

  /**
   * Sends `value`.
   *
   * @param onHanded called when it is handed to the operating system.
   * @throws UsageError if it cannot be sent.
   */
  send(value: unknown, onHanded?: () => void): SendResult {
    if (this.#isClosed) return 'closed';
    if (!this.#isPlain(value)) return this.#sendItem(classify(value), onHanded);
    this.#wire.message(typeof value === 'string' ? value : toBytes(value), onHanded);
    if (++this.messagesSent % SENDS_PER_LOOK === 0) this.#look();
    return 'sent';
  }

  /** Sends an unsolicited ping or pong, before waiting messages. */
  control(opcode: Opcode, payload: Uint8Array): void {
    this.#wire.control(opcode, payload);
  }

  /** Answers a ping. */
  pong(payload: Uint8Array): void {
    this.#wire.pong(payload);
  }

  /** Sends a Close frame after everything that waits. Calls `onHanded` when it was handed to the operating system. */
  close(payload: Uint8Array, onHanded: () => void): void {
    if (this.#isClosed) return;
    this.#close = { payload, onHanded };
    if (this.#isDirect) this.#wire.frame(CLOSE_FRAME, payload, onHanded);
    else this.#enqueueClose();
  }

  /**
   * The peer has sent its Close frame and waits for ours. Accepted messages are sent first, except those whose end is unknown: they
   * are dropped.
   */
  giveUpEndless(): void {
    const active = this.#active;
    if (active?.hasKnownEnd === false && !active.hasSentAll) {
      if (active.hasBegun) this.#abandonActive();
      else this.#skipActive();
    }
    this.messagesDropped += this.#backlog.queue.dropLater((item) => item.kind === 'fragments' && !hasKnownEnd(item));
    this.#advance();
  }

  /** Drops everything that waits and sends a Close frame with `payload`. */
  fail(payload: Uint8Array, onHanded: () => void): void {
    if (this.#isStopped) return;
    this.#dropWaiting();
    this.#wire.fail(payload, onHanded);
  }

  /** Calls `onHanded` when everything sent so far was handed to the operating system: immediately if it already was. */
  whenHanded(onHanded: () => void): void {
    if (this.#active !== undefined || !this.#backlog.isEmpty) this.#ownBacklog().queue.mark(onHanded, false);
    else if (this.#wire.isIdle) onHanded();
    else this.#wire.mark(onHanded);
  }

  /** The transport has handed over everything written to it. */
  drained(): void {
    this.#wire.drained();
    this.#advance();
  }

  /** Writes the messages that are ready in this tick, and drops the rest. */
  finish(): void {
    if (!this.#isStopped) this.#wire.write();
    this.stop();
  }

  /** Drops everything: nothing more can be sent. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#dropWaiting();
    this.#wire.stop();
  }

  get #isClosed(): boolean {
    return this.#isStopped || this.#close !== undefined;
  }

  /** Whether `value` can be sent unclassified, which saves the objects for that (see `bench: 32 B text, 16 in flight`). */
  #isPlain(value: unknown): value is string | Uint8Array {
    if (!this.#isDirect || (typeof value !== 'string' && !(value instanceof Uint8Array))) return false;
    const size = typeof value === 'string' ? value.length * 3 : value.length;
    return size < this.#settings.lane.plainBelow && this.#hasRoom(size + MAX_HEADER_SIZE);
  }

  #sendItem(item: Classified, onHanded: (() => void) | undefined): SendResult {
    const size = payloadSizeOf(item);
    const refusal = this.#refusal(frameSizeOf(item, size, this.#settings.maskKey !== undefined));
    if (refusal !== undefined) return refusal;
    const encoded = encodeMessage(item, { settings: this.#settings, size, isDirect: () => this.#isDirect });
    if (encoded.kind === 'frame' && (encoded.firstByte & RSV1) !== 0) this.#deflated(size);
    // A subscriber notified of frames that were written to make room may have closed the connection; so may the compressor's predicate.
    if (this.#isClosed) return 'closed';
    if (++this.messagesSent % SENDS_PER_LOOK === 0) this.#look();
    if (!this.#isDirect || isLater(encoded)) return this.#queueItem(encoded, size, onHanded);
    this.#wire.encoded(encoded, onHanded);
    return 'sent';
  }

  #queueItem(item: Encoded, size: number, onHanded: (() => void) | undefined): SendResult {
    const isNext = this.#isDirect;
    const backlog = this.#ownBacklog();
    backlog.add(item, size, this.#settings.maskKey);
    if (onHanded !== undefined) backlog.queue.mark(onHanded, true);
    // First, because a subscriber of ready$ may send while others are written, and its message must follow this one.
    this.#update();
    if (isNext) this.#advance();
    return isNext ? 'sent' : 'buffered';
  }

  /** The result of the overflow policy for `size` more bytes; undefined if there is room. */
  #refusal(size: number): SendResult | undefined {
    if (this.#hasRoom(size)) return undefined;
    // The kernel may take more than on the last attempt.
    this.#advance();
    // Counts as work, because a producer whose messages only cause drops would otherwise never stop.
    this.#worked(WRITE_WORK);
    const { maxBufferedAmount, overflow } = this.#settings;
    // Messages that are being written cannot be dropped. If they leave no room, dropping the rest would be pointless.
    if (overflow === 'drop-oldest' && this.bufferedAmount - this.#backlog.queue.size + size <= maxBufferedAmount) {
      while (!this.#hasRoom(size) && this.#backlog.queue.dropOldest()) this.messagesDropped++;
    }
    // A single item that is larger than the limit is accepted if nothing else waits.
    if (this.#hasRoom(size) || this.bufferedAmount === 0) return undefined;
    if (overflow === 'terminate') return this.#overflow(size);
    this.messagesDropped++;
    return 'dropped';
  }

  #hasRoom(size: number): boolean {
    const waiting = this.#isDirect ? this.#wire.batched : this.bufferedAmount + this.#backlog.queue.overhead;
    return waiting + size <= this.#settings.maxBufferedAmount;
  }

  /** Writes waiting messages while the transport takes them immediately. */
  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    do {
      this.#fillWire();
      this.#wire.write();
      this.#active?.resume();
    } while (!this.#isResting && !this.#wire.isBlocked && this.#backlog.hasNext(this.#active !== undefined));
    this.#isAdvancing = false;
    this.#update();
  }

  #fillWire(): void {
    const wire = this.#wire;
    while (
      !this.#isResting &&
      !wire.isBlocked &&
      wire.batched < WRITE_SIZE &&
      this.#backlog.hasNext(this.#active !== undefined)
    ) {
      const later = this.#backlog.moveNextTo(wire);
      if (later !== undefined) this.#startLater(later.item, later.size);
    }
  }

  #startLater(item: LaterMessage, size: number): void {
    const [sink, settings] = [this.#sink(), this.#settings];
    this.#active = item.kind === 'deflate' ? new DeflateSender(item, sink) : new PartsSender(item, sink, settings);
    this.#activeSize = size;
    this.#update();
    this.#active?.start(); // Undefined if a subscriber of ready$ has ended it.
    if (item.kind === 'deflate' && size <= SYNCHRONOUS_DEFLATE) this.#deflated(size);
  }

  #ownBacklog(): Backlog {
    if (this.#backlog === NO_BACKLOG) this.#backlog = new Backlog();
    return this.#backlog;
  }

  #enqueueClose(): void {
    if (this.#close === undefined) return;
    this.#ownBacklog().close(this.#close.payload, this.#close.onHanded, this.#settings.maskKey);
  }

  /** Leaves a message unfinished that has begun, so that only the Close frame may follow it: RFC 6455 §5.4. */
  #abandonActive(): void {
    this.messagesDropped += 1 + this.#backlog.messages;
    this.#endActive();
    this.#backlog.queue.clear();
    this.#enqueueClose();
  }

  /** Skips a message of which nothing was sent: the messages after it may follow. */
  #skipActive(): void {
    this.messagesDropped++;
    this.#endActive();
    this.#backlog.queue.dropMark();
  }

  /** Drops waiting messages. Accepted messages that will not be sent count as dropped. */
  #dropWaiting(): void {
    // A callback for a written frame may end the connection before the frame's sender has returned.
    const isInProgress = this.#active?.hasSentAll === false || !this.#backlog.front.isEmpty;
    this.messagesDropped += this.#backlog.messages + (isInProgress ? 1 : 0);
    this.#endActive();
    this.#backlog.clear();
  }

  #endActive(): void {
    this.#active?.unsubscribe();
    this.#active = undefined;
    this.#activeSize = 0;
  }

  #sink(): ConstructorParameters<typeof PartsSender>[1] {
    return {
      isReady: () => this.#wire.size + this.#backlog.front.size <= this.#settings.highWaterMark && !this.#isResting,
      isTurnOver: (now) => this.#port.isTurnOver(now),
      defer: (task) => this.#port.defer(task),
      frame: (firstByte, payload) => this.#part(firstByte, payload),
      done: () => {
        this.#endActive();
        this.#advance();
      },
      failed: (error) => {
        this.#abandonActive();
        this.#owner.failed(error);
        this.#advance();
      },
    };
  }

  #part(firstByte: number, payload: Uint8Array): void {
    this.#activeSize = Math.max(0, this.#activeSize - payload.length);
    if (!this.#wire.isBlocked && this.#backlog.front.isEmpty) this.#wire.frame(firstByte, payload);
    else this.#ownBacklog().part(firstByte, payload, this.#settings.maskKey);
    this.#update();
    // Parts of a source that does not wait cannot be dropped one by one.
    if (this.#backlog.front.size > this.#settings.maxBufferedAmount) this.#overflow(0);
  }

  #overflow(size: number): 'closed' {
    const observed = this.bufferedAmount + this.#backlog.queue.overhead + size;
    this.#owner.overflowed(new BackpressureError('maxBufferedAmount', this.#settings.maxBufferedAmount, observed));
    return 'closed';
  }

  /** Called after a write. Most writes change nothing, so they skip the full update. */
  written(size: number): void {
    this.#worked(size + WRITE_WORK);
    if (this.#isDirect && this.#active === undefined && !this.#wire.isBlocked && this.isReady) this.#openLane();
    else this.#update();
  }

  /** Counts work. A producer that is always ready would monopolize the event loop, so it rests when its share of a turn is used up. */
  #worked(amount: number): void {
    this.#work += amount;
    if (this.#work >= WORK_PER_LOOK) this.#look();
  }

  #look(): void {
    this.#work = 0;
    const turn = this.#port.currentTurn;
    const isOver = this.#port.isTurnOver(performance.now());
    if (turn !== this.#turn) this.#looks = 0;
    this.#turn = turn;
    this.#looks++;
    if (this.#isStopped || this.#isResting || !isOver || this.#looks <= FREE_LOOKS) return;
    this.signal.rest();
    this.#port.defer(() => {
      this.signal.wake();
      this.#advance();
    });
  }

  #deflated(size: number): void {
    this.#worked(DEFLATE_WORK + size * DEFLATE_WORK_PER_BYTE);
  }

  get #isResting(): boolean {
    return this.#signal?.isResting === true;
  }

  #openLane(): void {
    if (!this.#isClosed) this.#wire.openLane();
  }

  #update(): void {
    this.#isDirect = !this.#wire.isBlocked && this.#active === undefined && this.#backlog.isEmpty;
    if (this.#isDirect) this.#openLane();
    else this.#wire.closeLane();
    const waiting = this.bufferedAmount;
    if (this.#signal !== undefined || waiting > this.#settings.highWaterMark) this.signal.update(waiting);
  }
}
