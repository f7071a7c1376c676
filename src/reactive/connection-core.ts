import type { Observable, Subscription } from 'rxjs';
import { isSendableCloseCode } from '../protocol/close-code.js';
import { truncateReason } from '../protocol/close-payload.js';
import { type BackpressureError, ProtocolError, type UsageError, WebSocketError } from '../protocol/errors.js';
import { Opcode } from '../protocol/opcode.js';
import { type Output, Session } from '../protocol/session.js';
import type { BytePort, PortEvents } from '../transport/byte-port.js';
import { clockOf } from '../transport/clock.js';
import { nextMaskKey } from '../transport/random.js';
import { toBinaryType } from './binary-type.js';
import { Closing, type ClosingOwner } from './closing.js';
import { codersFor } from './coders.js';
import type { CloseInfo } from './connection.js';
import type { ConnectionSettings } from './connection-settings.js';
import type { CoreEvents, CoreFacts } from './core-events.js';
import { Heartbeat, type HeartbeatTimes, type Patient } from './heartbeat.js';
import { Inbox, type InboxOwner } from './inbox.js';
import { MessageDeadline } from './message-deadline.js';
import { Outbox } from './outbox.js';
import type { OutboxOwner, SendResult } from './outbox-settings.js';
import { PingTracker } from './ping-tracker.js';
import { Receiver, type ReceiverOwner } from './receiver.js';
import type { SendTarget } from './send-subject.js';

/** The parts of one connection, and who calls whom. Knows nothing of Observables but the inbox. */
export class ConnectionCore<In>
  implements PortEvents, InboxOwner, OutboxOwner, ReceiverOwner, ClosingOwner, Patient, SendTarget<unknown>
{
  bytesReceived = 0;
  messagesReceived = 0;
  pingsReceived = 0;
  pongsReceived = 0;
  readonly openedAt: number;
  endedAt: number | undefined;
  readonly clock: () => number;
  readonly inbox: Inbox<In>;
  readonly outbox: Outbox;
  readonly tracker: PingTracker;
  readonly closing: Closing;
  readonly settings: ConnectionSettings;
  readonly #port: BytePort;
  readonly #session: Session;
  readonly #events: CoreEvents;
  readonly #receiver: Receiver;
  readonly #messageDeadline: MessageDeadline;
  readonly #heartbeat: Heartbeat | undefined;
  #pausedDeadline: Subscription | undefined;
  #info: CloseInfo | undefined;

  constructor(port: BytePort, facts: CoreFacts, settings: ConnectionSettings, events: CoreEvents) {
    const { role, deflate } = facts;
    const { inflater, compressor } = codersFor(deflate, role, settings);
    const { scheduler, heartbeat, closeTimeout, maxPayload, maxFragments, skipUTF8Validation } = settings;
    const { highWaterMark, maxBufferedAmount, overflow } = settings;
    const maskKey = role === 'client' ? nextMaskKey : undefined;
    this.settings = settings;
    this.#port = port;
    this.#events = events;
    this.clock = clockOf(scheduler);
    this.openedAt = this.clock();
    this.tracker = new PingTracker(this.clock);
    this.#session = new Session({ role, inflater, maxPayload, maxFragments, skipUTF8Validation });
    this.inbox = new Inbox<In>(highWaterMark, this);
    const outgoing = { highWaterMark, maxBufferedAmount, overflow, scheduler, maskKey, compressor };
    this.outbox = new Outbox(port, outgoing, this);
    this.#receiver = new Receiver(this.#session, this.inbox, port, this);
    const { outbox } = this;
    this.closing = new Closing({ role, port, session: this.#session, outbox, closeTimeout, scheduler, owner: this });
    const time = { scheduler, clock: this.clock };
    this.#messageDeadline = new MessageDeadline(this.#session, settings.messageTimeout, time, () => this.#tooSlow());
    this.#heartbeat = heartbeat === false ? undefined : new Heartbeat(this, heartbeat, scheduler, this.clock);
  }

  /** What waits for a subscriber, in bytes. */
  get inboxBytes(): number {
    return this.inbox.cost + this.#session.unparsed;
  }

  get isReading(): boolean {
    return this.#receiver.isReading;
  }

  /** While the connection closes, the peer's Close frame is waited for whether or not anybody wants messages. */
  get readsAlways(): boolean {
    const { state } = this.closing;
    return state !== 'open' && state !== 'closed';
  }

  /** Somebody wants messages. */
  wanted(): void {
    this.#receiver.pump();
  }

  /** Bytes may come from now on. */
  start(): void {
    // In the second half of the interval: who opens a connection for a moment is not asked whether it lives.
    this.#heartbeat?.start((1 + Math.random()) / 2);
    this.#port.open(this);
  }

  /** @throws UsageError for a value that cannot be sent. */
  trySend(value: unknown, onHanded: (() => void) | undefined): SendResult {
    return this.closing.state === 'open' ? this.outbox.send(value, onHanded) : 'closed';
  }

  send(value: unknown, onHanded: (() => void) | undefined): SendResult {
    try {
      return this.trySend(value, onHanded);
    } catch (error) {
      this.failed(error as UsageError);
      return 'closed';
    }
  }

  /** Closes with what an error says, as far as a Close frame may carry it. */
  closeWith(code: number, reason: string, error: unknown): void {
    const cause = error instanceof Error ? { error } : {};
    this.closing.close(isSendableCloseCode(code) ? code : 1011, truncateReason(reason), cause.error);
  }

  /** Calls `task` in a later turn of the event loop. */
  defer(task: () => void): void {
    this.#port.defer(task);
  }

  get ready$(): Observable<boolean> {
    return this.outbox.signal.ready$;
  }

  get isReady(): boolean {
    return this.outbox.signal.isReady;
  }

  get bufferedAmount(): number {
    return this.outbox.bufferedAmount;
  }

  /** Sends a ping, and calls `answered` with the round trip, or `lost` when the connection ends first. Returns how to forget it. */
  ping(payload: Buffer, answered: (roundTrip: number) => void, lost: () => void): () => void {
    const forget = this.tracker.sent(payload, answered, lost);
    this.control(Opcode.ping, payload);
    return forget;
  }

  /** Sends a ping or pong of our own; nothing behind a Close frame. RFC 6455 §5.5.1. */
  control(opcode: Opcode, payload: Buffer): void {
    if (this.closing.state === 'open') this.outbox.control(opcode, payload);
  }

  sendPing(): void {
    this.ping(
      this.tracker.nextPayload(),
      () => {},
      () => {},
    );
  }

  /** Ends it at once, and drops what waits. */
  terminate(): void {
    this.#session.discard();
    this.inbox.drop();
    this.closing.abort();
  }

  /** A value cannot be sent, or not to its end. */
  failed(error: UsageError): void {
    this.#events.unsendable(error);
    this.closing.close(1011, truncateReason(error.message), error);
  }

  overflowed(error: BackpressureError): void {
    this.closing.abort(error);
  }

  died(): void {
    const { timeout } = this.settings.heartbeat as HeartbeatTimes;
    this.closing.abort(new WebSocketError('HEARTBEAT_TIMEOUT', `no byte came for ${timeout} ms after a ping`));
  }

  bytes(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    if (this.closing.state === 'failing') {
      this.closing.discard(chunk.length);
      return;
    }
    this.#session.push(chunk);
    this.#receiver.pump();
    if (this.#info === undefined) this.#messageDeadline.check();
  }

  ended(): void {
    if (this.closing.state === 'failing') return;
    this.#session.finish();
    this.#receiver.pump();
  }

  drained(): void {
    this.outbox.drained();
  }

  closed(error: Error | undefined): void {
    this.closing.transportClosed(error);
  }

  output(output: Output): void {
    switch (output.type) {
      case 'message':
        this.#receive(output.data, output.size);
        break;
      case 'ping':
        this.pingsReceived++;
        // §5.5.2: "an endpoint MUST send a Pong frame in response, unless it already received a Close frame"
        if (this.settings.autoPong) this.outbox.pong(output.data);
        this.#events.ping(output.data);
        break;
      case 'pong':
        this.pongsReceived++;
        this.tracker.received(output.data);
        this.#events.pong(output.data);
        break;
      case 'close':
        this.closing.peerClosed(output.code, output.reason, output.reply);
        break;
      case 'end':
        this.closing.peerEnded();
        break;
      case 'fail':
        this.closing.fail(output.error);
        break;
      default:
        output satisfies never;
    }
  }

  readingChanged(isReading: boolean): void {
    this.#pausedDeadline?.unsubscribe();
    this.#pausedDeadline = undefined;
    if (this.#info !== undefined) return;
    const { pausedTimeout, scheduler } = this.settings;
    if (isReading) {
      this.#messageDeadline.check();
      return;
    }
    this.#messageDeadline.stop();
    this.#heartbeat?.interrupt();
    if (pausedTimeout === undefined) return;
    const error = new WebSocketError('PAUSED_TIMEOUT', `nobody wanted messages for ${pausedTimeout} ms`);
    this.#pausedDeadline = scheduler.schedule(() => this.closing.abort(error), pausedTimeout);
  }

  closingChanged(): void {
    this.outbox.lane.shut();
    this.#heartbeat?.stop();
    if (this.closing.state !== 'closed') this.#receiver.pump();
  }

  over(info: CloseInfo): void {
    this.#info = info;
    this.endedAt = this.clock();
    this.#messageDeadline.stop();
    this.#pausedDeadline?.unsubscribe();
    this.outbox.stop();
    this.outbox.signal.end();
    this.#events.ended(info);
    this.#receiver.finish();
  }

  settled(): void {
    const info = this.#info as CloseInfo;
    this.tracker.end();
    this.#events.settled(info);
    if (!this.inbox.isHeld) {
      this.#events.finished(info);
      return;
    }
    const { scheduler, closeTimeout } = this.settings;
    const timer = scheduler.schedule(() => this.#abandon(), closeTimeout);
    this.inbox.whenOver(() => {
      timer.unsubscribe();
      this.#events.finished(info);
    });
  }

  /** What is held back is waited for no longer. */
  #abandon(): void {
    this.#session.discard();
    this.inbox.abandon();
  }

  #receive(data: string | Buffer, size: number): void {
    this.messagesReceived++;
    const message = typeof data === 'string' ? data : toBinaryType(data, this.settings.binaryType);
    // After our own Close frame a message that nobody wants is not kept.
    this.inbox.put(message as In, size, !this.readsAlways || this.inbox.hasDemand);
  }

  #tooSlow(): void {
    const { messageTimeout } = this.settings;
    const message = `message is not complete after ${messageTimeout} ms (messageTimeout) at fewer than 8192 bytes a second`;
    this.#session.fail(new ProtocolError('MESSAGE_TOO_SLOW', 1008, message));
    this.#receiver.pump();
  }
}
