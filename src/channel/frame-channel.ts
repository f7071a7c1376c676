import type { Observable, Subscription, Unsubscribable } from 'rxjs';
import type { Channel, ChannelCounts, ChannelEvents, ChannelInbox } from '../connection/channel.js';
import { type CloseInfo, ReadyState, type Supports } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import type { SendResult } from '../connection/send-result.js';
import type { SharedMessage } from '../connection/shared-message.js';
import { type BackpressureError, type ProtocolError, type UsageError, WebSocketError } from '../protocol/errors.js';
import { Opcode } from '../protocol/frame/opcode.js';
import { type Outcome, Session } from '../protocol/message/session.js';
import type { BytePort, PortEvents } from './byte-port.js';
import { Closing, type ClosingOwner, type ClosingState } from './closing.js';
import { receivedAs } from './in/binary-type.js';
import { Heartbeat, type Watched } from './in/heartbeat.js';
import { LifeSign } from './in/life-sign.js';
import { checkDeadline, type MessageDeadline } from './in/message-deadline.js';
import { PingTracker } from './in/ping-tracker.js';
import { Receiver, type ReceiverOwner } from './in/receiver.js';
import { UnreadWatch } from './in/unread-watch.js';
import { Outbox, type OutboxOwner } from './out/outbox.js';
import type { SharedLane } from './out/shared-lane.js';
import type { ConnectionSettings } from './settings.js';
import type { ConnectionTerms } from './terms.js';

const NOTHING = (): void => {};

const EMPTY = Buffer.alloc(0);

const READY_STATES = {
  open: ReadyState.OPEN,
  'closing-by-us': ReadyState.CLOSING,
  'closing-by-peer': ReadyState.CLOSING,
  cut: ReadyState.CLOSING,
  failing: ReadyState.CLOSING,
  closed: ReadyState.CLOSED,
} as const satisfies Record<ClosingState, ReadyState>;

const PLAIN: Supports = Object.freeze({
  binary: true,
  ping: true,
  fragments: true,
  backpressure: true,
  compression: false,
});

const COMPRESSED: Supports = Object.freeze({ ...PLAIN, compression: true });

/** The channel of RFC 6455: frames over a {@link BytePort}. It owns its parts and connects them. */
export class FrameChannel<In>
  implements Channel<In, Outgoing>, PortEvents, OutboxOwner, ReceiverOwner, ClosingOwner, Watched
{
  bytesReceived = 0;
  messagesReceived = 0;
  pingsReceived = 0;
  pongsReceived = 0;
  readonly terms: ConnectionTerms;
  readonly port: BytePort;
  readonly session: Session;
  inbox!: ChannelInbox<In>;
  readonly outbox: Outbox;
  #events!: ChannelEvents;
  readonly #receiver: Receiver;
  readonly #heartbeat: Heartbeat | undefined;
  #closing: Closing | undefined;
  #tracker: PingTracker | undefined;
  /** Made when the peer first pings. */
  #lifeSign: LifeSign | undefined;
  #messageDeadline: MessageDeadline | undefined;
  /** The timers that run while reading is stopped. */
  #pausedDeadline: Unsubscribable | undefined;

  constructor(port: BytePort, terms: ConnectionTerms) {
    const { heartbeat } = terms.settings;
    this.terms = terms;
    this.port = port;
    this.session = new Session(terms.session);
    this.outbox = new Outbox(port, terms.outbox, this);
    this.#receiver = new Receiver(this);
    this.#heartbeat = heartbeat === false ? undefined : new Heartbeat(this, heartbeat, terms.deadlines);
  }

  attach(inbox: ChannelInbox<In>, events: ChannelEvents): void {
    this.inbox = inbox;
    this.#events = events;
  }

  get settings(): ConnectionSettings {
    return this.terms.settings;
  }

  get supports(): Supports {
    return this.terms.outbox.compressor === undefined ? PLAIN : COMPRESSED;
  }

  get readyState(): ReadyState {
    return READY_STATES[this.state];
  }

  get counts(): ChannelCounts {
    const { outbox, messagesReceived, pingsReceived, pongsReceived, bytesReceived, session } = this;
    const { messagesSent, messagesDropped, bytesSent } = outbox;
    return {
      messagesReceived,
      messagesSent: messagesSent + outbox.laneCount,
      messagesDropped,
      pingsReceived,
      pongsReceived,
      bytesReceived,
      bytesSent,
      unread: session.unparsed,
    };
  }

  get latency(): number | undefined {
    return this.#tracker?.latency;
  }

  get lane(): SharedLane {
    return this.outbox.lane;
  }

  /** In milliseconds. */
  clock(): number {
    return this.terms.deadlines.clock();
  }

  get state(): ClosingState {
    return this.#closing?.state ?? 'open';
  }

  /** The end of the connection: made when that begins. */
  get closing(): Closing {
    this.#closing ??= new Closing(this);
    return this.#closing;
  }

  /** The pings that were sent: made with the first one. */
  get tracker(): PingTracker {
    this.#tracker ??= new PingTracker(this.terms.deadlines.clock);
    return this.#tracker;
  }

  get isReading(): boolean {
    return this.#receiver.isReading;
  }

  /** While the connection closes, the peer's Close frame is awaited whether or not there is demand. */
  get readsAlways(): boolean {
    return this.state !== 'open' && this.state !== 'cut' && this.state !== 'closed';
  }

  pump(): void {
    this.#receiver.pump();
  }

  /** The message being received takes too long. */
  tooSlow(error: ProtocolError): void {
    this.session.fail(error);
    this.#receiver.pump();
  }

  /** Starts to receive bytes. */
  start(): void {
    // In the second half of the interval, so that short-lived connections are never pinged.
    this.#heartbeat?.start((1 + this.terms.settings.random()) / 2);
    this.port.open(this);
  }

  /** @throws UsageError for a value that cannot be sent. */
  trySend(value: unknown, onHanded: (() => void) | undefined): SendResult {
    return this.state === 'open' ? this.outbox.send(value, onHanded) : 'closed';
  }

  trySendShared(shared: SharedMessage<Outgoing>, onHanded: (() => void) | undefined): SendResult {
    return this.trySend(shared, onHanded);
  }

  close(code: number, reason: string, error?: unknown): void {
    this.closing.close(code, reason, error);
  }

  whenHanded(done: () => void): void {
    this.outbox.whenHanded(done);
  }

  isTurnOver(now: number): boolean {
    return this.port.isTurnOver(now);
  }

  defer(task: () => void): void {
    this.port.defer(task);
  }

  get ready$(): Observable<boolean> {
    return this.outbox.signal.ready$;
  }

  get isReady(): boolean {
    return this.outbox.isReady;
  }

  get isSlow(): boolean {
    return this.outbox.isSlow;
  }

  get bufferedAmount(): number {
    return this.outbox.bufferedAmount;
  }

  ping(given: Uint8Array, answered: (roundTrip: number) => void, lost: () => void): () => void {
    // An empty pong may be unsolicited, so it must not answer a ping.
    const payload = given.length > 0 ? given : this.tracker.nextPayload();
    const forget = this.tracker.sent(payload, answered, lost);
    this.#control(Opcode.ping, payload);
    return forget;
  }

  pong(payload: Uint8Array): void {
    this.#control(Opcode.pong, payload);
  }

  /** Sends an unsolicited ping or pong; nothing after a Close frame. RFC 6455 §5.5.1. */
  #control(opcode: Opcode, payload: Uint8Array): void {
    if (this.state === 'open') this.outbox.control(opcode, payload);
  }

  get effort(): number {
    return this.outbox.effort;
  }

  get taken(): number | undefined {
    return this.outbox.taken;
  }

  /** Sends a ping, unless one is still queued: otherwise they would pile up while the peer does not read. */
  sendPing(): void {
    if (this.outbox.isControlWaiting && this.tracker.isWaiting) return;
    const { effort } = this;
    this.ping(EMPTY, () => this.#heartbeat?.answered(effort), NOTHING);
  }

  /** Sends a pong, unless a control frame is queued: that will be a sign of life when it leaves. */
  signLife(): void {
    if (!this.outbox.isControlWaiting) this.#control(Opcode.pong, EMPTY);
  }

  discard(): void {
    this.session.discard();
  }

  abort(): void {
    this.closing.abort();
  }

  /** A message cannot be completed. */
  failed(error: UsageError): void {
    this.#events.failed(error);
  }

  overflowed(error: BackpressureError): void {
    this.closing.abort(error);
  }

  died(silence: string): void {
    this.closing.abort(new WebSocketError('HEARTBEAT_TIMEOUT', silence));
  }

  bytes(memory: Buffer, length: number): void {
    this.bytesReceived += length;
    if (this.state === 'failing') this.closing.discard(length);
    else this.session.push(memory, length);
    this.#receiver.received(length);
    if (this.state !== 'closed') this.#messageDeadline = checkDeadline(this.#messageDeadline, this);
  }

  ended(): void {
    if (this.state === 'failing') return;
    this.session.finish();
    this.#receiver.pump();
  }

  drained(): void {
    this.outbox.drained();
  }

  broken(error: Error): void {
    this.closing.cut(error);
  }

  closed(error: Error | undefined): void {
    this.closing.transportClosed(error);
  }

  output(output: Outcome): void {
    switch (output.type) {
      case 'message':
        this.#receive(output.data, output.size);
        break;
      case 'ping':
        this.pingsReceived++;
        // §5.5.2: "an endpoint MUST send a Pong frame in response, unless it already received a Close frame"
        if (this.terms.settings.autoPong) this.#answer(output.data);
        this.#events.ping(output.data);
        break;
      case 'pong':
        this.pongsReceived++;
        this.#tracker?.received(output.data);
        this.#events.pong(output.data);
        break;
      case 'close':
        this.closing.peerClosed(output.code, output.reason);
        break;
      case 'end':
        this.closing.peerEnded();
        break;
      case 'fail':
        if (output.error.name === 'InternalError') this.#events.report(output.error);
        this.closing.fail(output.error);
        break;
      default:
        output satisfies never;
    }
  }

  readingChanged(isReading: boolean): void {
    this.#pausedDeadline?.unsubscribe();
    this.#pausedDeadline = undefined;
    if (this.state === 'closed') return;
    this.#closing?.readingChanged(isReading);
    if (isReading) {
      this.#messageDeadline = checkDeadline(this.#messageDeadline, this);
      return;
    }
    this.#messageDeadline?.stop();
    this.#heartbeat?.interrupt();
    this.#lifeSign?.interrupt();
    const watch = UnreadWatch.isNeeded(this) ? new UnreadWatch(this) : undefined;
    this.#pausedDeadline = this.#pausedTimer(watch) ?? watch;
  }

  #pausedTimer(watch: UnreadWatch | undefined): Subscription | undefined {
    const { pausedTimeout, scheduler } = this.terms.settings;
    if (pausedTimeout === undefined) return undefined;
    const error = new WebSocketError(
      'PAUSED_TIMEOUT',
      `messages$ had no demand for ${pausedTimeout} ms (pausedTimeout)`,
    );
    const timer = scheduler.schedule(() => this.closing.abort(error), pausedTimeout);
    timer.add(watch);
    return timer;
  }

  closingChanged(): void {
    this.outbox.lane.shut();
    this.outbox.signal.shut();
    this.#heartbeat?.stop();
    if (this.state === 'cut') this.#wasCut();
    this.#lifeSign?.stop();
    this.#lifeSign = undefined;
    if (this.state !== 'closed') this.#receiver.pump();
  }

  #wasCut(): void {
    this.outbox.signal.end();
    this.closing.readingChanged(this.isReading);
  }

  over(info: CloseInfo): void {
    this.#messageDeadline?.stop();
    this.#pausedDeadline?.unsubscribe();
    this.outbox.stop();
    this.outbox.signal.end();
    this.#events.ended(info);
    this.#receiver.finish();
  }

  settled(): void {
    this.#tracker?.end();
    this.#events.settled();
  }

  #answer(ping: Buffer): void {
    const { settings, deadlines } = this.terms;
    this.outbox.pong(ping);
    if (settings.heartbeat === false || this.state !== 'open') return;
    this.#lifeSign ??= new LifeSign(this, settings.heartbeat.interval, deadlines);
    this.#lifeSign.pinged();
  }

  #receive(data: string | Buffer, size: number): void {
    this.messagesReceived++;
    const message = receivedAs(data, this.terms.settings.binaryType, this.session);
    if (message === undefined) return;
    // After our Close frame, a message without demand is not kept.
    this.inbox.put(message as In, size, !this.readsAlways || this.inbox.hasDemand);
  }
}
