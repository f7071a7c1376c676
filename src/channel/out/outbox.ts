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

/** Work between two looks at the clock, as bytes that are written. */
const WORK_PER_LOOK = 4_194_304;

/** The same as messages, for producers that take longer than what they send. A power of two. */
const SENDS_PER_LOOK = 16;

/**
 * Looks in one turn that never make a producer rest, though others have used the turn. An echo of large messages needs no more: a socket
 * gives at most 32 reads in one turn, and its connection would be stopped and started all the time.
 */
const FREE_LOOKS = 2;

/** What a write costs beside its bytes. */
const WRITE_WORK = 65_536;

/** What it costs to compress a message, and each of its bytes. */
const DEFLATE_WORK = 262_144;
const DEFLATE_WORK_PER_BYTE = 256;

/** How much may wait, and what else an outbox needs. Sizes in bytes. */
export interface OutboxSettings extends WireSettings, PartsSettings {
  readonly maxBufferedAmount: number;
  readonly overflow: OverflowPolicy;
}

/** Whom an outbox tells what it cannot do. */
export interface OutboxOwner {
  /** The overflow policy says to give up. */
  overflowed(error: BackpressureError): void;
  /** A message that was accepted cannot be finished. */
  failed(error: UsageError): void;
}

/**
 * The way out of one connection: order and backpressure. What is sent while the wire takes everything goes straight to it;
 * otherwise it waits in a queue, after a message in parts if there is one.
 */
export class Outbox implements WireOwner {
  messagesSent = 0;
  messagesDropped = 0;
  readonly #port: BytePort;
  readonly #settings: OutboxSettings;
  readonly #owner: OutboxOwner;
  readonly #wire: Wire;
  /** Made when something has to wait. */
  #backlog = NO_BACKLOG;
  #active: PartsSender | DeflateSender | undefined;
  /** What is known to come of it. */
  #activeSize = 0;
  /** Whether nothing waits before what is sent next. */
  #isDirect = true;
  #isAdvancing = false;
  /** The Close frame, once it was given: nothing may follow it. RFC 6455 §5.5.1. */
  #close: { readonly payload: Uint8Array; readonly onHanded: () => void } | undefined;
  #isStopped = false;
  #signal: ReadySignal | undefined;
  /** Since the last look at the clock. */
  #work = 0;
  /** In which it looked last. */
  #turn = -1;
  /** How often it has looked in that turn. */
  #looks = 0;

  constructor(port: BytePort, settings: OutboxSettings, owner: OutboxOwner) {
    this.#port = port;
    this.#settings = settings;
    this.#owner = owner;
    this.#wire = new Wire(port, settings, this);
  }

  /** The short way for messages to many: made when it is asked for. */
  get lane(): SharedLane {
    const lane = this.#wire.ownLane();
    if (this.#isDirect) this.#openLane();
    return lane;
  }

  /** How many messages have gone the short way. */
  get laneCount(): number {
    return this.#wire.lane.count;
  }

  get bytesSent(): number {
    return this.#wire.bytesSent;
  }

  /** Grows with each message that is accepted, and with each byte of one that is given to the transport. Control frames do not count. */
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

  /** Whether more may be sent: made when it is first read, or when the answer is no. */
  get signal(): ReadySignal {
    this.#signal ??= new ReadySignal(this.#settings.highWaterMark);
    return this.#signal;
  }

  get isReady(): boolean {
    return this.#signal?.isReady ?? true;
  }

  /** Whether more than the mark waits: the peer takes less than is sent. */
  get isSlow(): boolean {
    return this.#signal?.isSlow ?? false;
  }

  /** Bytes that were sent and are not handed to the operating system yet. */
  get bufferedAmount(): number {
    return this.#wire.size + this.#activeSize + this.#backlog.size;
  }

  /**
   * Sends `value`.
   *
   * @param onHanded called when it is handed to the operating system.
   * @throws UsageError when it is nothing that can be sent.
   */
  send(value: unknown, onHanded?: () => void): SendResult {
    if (this.#isClosed) return 'closed';
    if (!this.#isPlain(value)) return this.#sendItem(classify(value), onHanded);
    this.#wire.message(typeof value === 'string' ? value : toBytes(value), onHanded);
    if (++this.messagesSent % SENDS_PER_LOOK === 0) this.#look();
    return 'sent';
  }

  /** Sends a ping or pong of our own. It goes before waiting messages. */
  control(opcode: Opcode, payload: Uint8Array): void {
    this.#wire.control(opcode, payload);
  }

  /** Answers a ping. */
  pong(payload: Uint8Array): void {
    this.#wire.pong(payload);
  }

  /** Sends a Close frame after everything that waits. `onHanded` is called when it is with the operating system. */
  close(payload: Uint8Array, onHanded: () => void): void {
    if (this.#isClosed) return;
    this.#close = { payload, onHanded };
    if (this.#isDirect) this.#wire.frame(CLOSE_FRAME, payload, onHanded);
    else this.#enqueueClose();
  }

  /**
   * The peer has sent its Close frame, and waits for ours. What was accepted is sent first, except messages whose end is unknown:
   * those are given up.
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

  /** Gives up everything that waits but for `payload`, a Close frame's. */
  fail(payload: Uint8Array, onHanded: () => void): void {
    if (this.#isStopped) return;
    this.#dropWaiting();
    this.#wire.fail(payload, onHanded);
  }

  /** Calls `onHanded` when everything that was sent so far is with the operating system: at once if it is already. */
  whenHanded(onHanded: () => void): void {
    if (this.#active !== undefined || !this.#backlog.isEmpty) this.#ownBacklog().queue.mark(onHanded, false);
    else if (this.#wire.isIdle) onHanded();
    else this.#wire.mark(onHanded);
  }

  /** The transport has handed over everything that it had. */
  drained(): void {
    this.#wire.drained();
    this.#advance();
  }

  /** Writes what is ready in this tick, and forgets the rest. */
  finish(): void {
    if (!this.#isStopped) this.#wire.write();
    this.stop();
  }

  /** Forgets everything: nothing can be sent any more. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#dropWaiting();
    this.#wire.stop();
  }

  get #isClosed(): boolean {
    return this.#isStopped || this.#close !== undefined;
  }

  /** Whether nothing needs to be known of `value`: saves the objects that say what it is (see `bench: 32 B text, 16 in flight`). */
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
    // To make room other frames were written, and a subscriber that was notified of it may have closed; so may the predicate of the compressor.
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
    // First: a subscriber of ready$ may send while others are written, and that must come after this one.
    this.#update();
    if (isNext) this.#advance();
    return isNext ? 'sent' : 'buffered';
  }

  /** What the overflow policy says to `size` more bytes; nothing when there is room. */
  #refusal(size: number): SendResult | undefined {
    if (this.#hasRoom(size)) return undefined;
    // The kernel may take more than it did when we asked last.
    this.#advance();
    // A producer that only has messages dropped, its own or older ones, would go on for ever too.
    this.#worked(WRITE_WORK);
    const { maxBufferedAmount, overflow } = this.#settings;
    // What is being written cannot be dropped any more. Where that leaves no room, dropping the rest would be for nothing.
    if (overflow === 'drop-oldest' && this.bufferedAmount - this.#backlog.queue.size + size <= maxBufferedAmount) {
      while (!this.#hasRoom(size) && this.#backlog.queue.dropOldest()) this.messagesDropped++;
    }
    // An item that is larger than the mark by itself passes when it is alone.
    if (this.#hasRoom(size) || this.bufferedAmount === 0) return undefined;
    if (overflow === 'terminate') return this.#overflow(size);
    this.messagesDropped++;
    return 'dropped';
  }

  #hasRoom(size: number): boolean {
    const waiting = this.#isDirect ? this.#wire.batched : this.bufferedAmount + this.#backlog.queue.overhead;
    return waiting + size <= this.#settings.maxBufferedAmount;
  }

  /** Writes what waits, as long as the transport takes it at once. */
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
    this.#active?.start(); // Not if a subscriber of ready$ has ended it.
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

  /** A message that was begun stays unfinished, so that nothing but the Close frame may follow it: RFC 6455 §5.4. */
  #abandonActive(): void {
    this.messagesDropped += 1 + this.#backlog.messages;
    this.#endActive();
    this.#backlog.queue.clear();
    this.#enqueueClose();
  }

  /** Nothing of it was sent: what waits after it may follow. */
  #skipActive(): void {
    this.messagesDropped++;
    this.#endActive();
    this.#backlog.queue.dropMark();
  }

  /** What was accepted and will not be sent counts as dropped. */
  #dropWaiting(): void {
    // A notification that a frame was written may end everything before its sender has returned.
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
    // Parts that come unasked cannot be dropped one by one.
    if (this.#backlog.front.size > this.#settings.maxBufferedAmount) this.#overflow(0);
  }

  #overflow(size: number): 'closed' {
    const observed = this.bufferedAmount + this.#backlog.queue.overhead + size;
    this.#owner.overflowed(new BackpressureError('maxBufferedAmount', this.#settings.maxBufferedAmount, observed));
    return 'closed';
  }

  /** Most writes change nothing: then the full update is skipped. */
  written(size: number): void {
    this.#worked(size + WRITE_WORK);
    if (this.#isDirect && this.#active === undefined && !this.#wire.isBlocked && this.isReady) this.#openLane();
    else this.#update();
  }

  /** A producer that is never late would keep the event loop for itself: it rests when its share of a turn is over. */
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
