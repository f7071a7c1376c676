import { Observable, type Subscription } from 'rxjs';
import { inspectSymbol, printed } from '../base/inspect.js';
import { report } from '../base/report.js';
import type { Enrolled } from '../base/roster.js';
import type { BytePort } from '../channel/byte-port.js';
import { ConnectionCore } from '../channel/frame-channel.js';
import { sharedFramesOf } from '../channel/out/classify.js';
import type { SharedLane } from '../channel/out/shared-lane.js';
import type { ConnectionSettings } from '../channel/settings.js';
import { connectionTerms } from '../channel/terms.js';
import { ConnectionClosedError } from '../protocol/errors.js';
import { Opcode } from '../protocol/frame/opcode.js';
import { type ExtensionsObject, extensionsObject } from '../protocol/handshake/extensions.js';
import type { SendResult } from './channel.js';
import {
  type CloseInfo,
  type Connection,
  type ConnectionStats,
  type Message,
  ReadyState,
  type SendSource,
  type Supports,
} from './connection.js';
import { controlPayload } from './control-payload.js';
import { ConnectionStreams, type ConnectionTracker, type FinishListener } from './endings.js';
import type { ConnectionFacts } from './facts.js';
import {
  carryHooks,
  finishedSymbol,
  type Interception,
  type InterceptOptions,
  interceptSymbol,
  reportSymbol,
  shareSymbol,
} from './hooks.js';
import type { IncomingMessage } from './incoming-message.js';
import { connectionFields } from './inspect.js';
import { iterateMessages } from './message-iterator.js';
import type { Outgoing } from './outgoing.js';
import type { Holdable } from './seat.js';
import { sendFrom } from './send-from.js';
import { SendSubject } from './send-subject.js';
import type { SharedMessage } from './shared-message.js';
import type { Taker } from './takers.js';

const READY_STATES = {
  open: ReadyState.OPEN,
  'closing-by-us': ReadyState.CLOSING,
  'closing-by-peer': ReadyState.CLOSING,
  cut: ReadyState.CLOSING,
  failing: ReadyState.CLOSING,
  closed: ReadyState.CLOSED,
} as const;

const NOTHING = Buffer.alloc(0);

const supports: Supports = Object.freeze({ binary: true, ping: true, fragments: true });

/** A {@link Connection} over a port: the face of a {@link ConnectionCore}. */
export class PortConnection<Data, In = Message> implements Connection<Data, In, Outgoing>, Enrolled {
  #tracker: ConnectionTracker | undefined;
  #rank = -1;
  readonly #facts: ConnectionFacts<Data>;
  readonly #streams = new ConnectionStreams();
  readonly #core: ConnectionCore<In>;
  /** The short way for messages to many, once there was one. */
  #lane: SharedLane | undefined;
  #send: SendSubject<Outgoing> | undefined;
  #pause: Subscription | undefined;
  #extensions: ExtensionsObject | undefined;

  constructor(port: BytePort, facts: ConnectionFacts<Data>, settings: ConnectionSettings) {
    this.#facts = facts;
    this.#core = new ConnectionCore<In>(port, connectionTerms(facts.role, settings, facts.deflate), this.#streams);
    this.#streams.owner = this;
  }

  /** Told before anybody else when it has ended. @internal */
  get tracker(): ConnectionTracker | undefined {
    return this.#tracker;
  }

  /** @internal */
  set tracker(tracker: ConnectionTracker | undefined) {
    this.#tracker = tracker;
  }

  /** Among the connections of its server. @internal */
  get rank(): number {
    return this.#rank;
  }

  /** @internal */
  set rank(rank: number) {
    this.#rank = rank;
  }

  /** Lets bytes in. Called once. @internal */
  start(): void {
    this.#core.start();
  }

  get send(): SendSubject<Outgoing> {
    if (this.#send === undefined) {
      this.#send = new SendSubject<Outgoing>(this.#core, this.#core.outbox);
      if (this.#streams.info !== undefined) this.#send.end();
    }
    return this.#send;
  }

  /** It has ended: whoever waits for what was sent waits no longer. @internal */
  endSend(): void {
    this.#send?.end();
  }

  get messages$(): Holdable<In> {
    return this.#core.inbox.messages$;
  }

  get pings$(): Observable<Uint8Array> {
    return this.#streams.pings$;
  }

  get pongs$(): Observable<Uint8Array> {
    return this.#streams.pongs$;
  }

  get close$(): Observable<CloseInfo> {
    return this.#streams.closed.value$;
  }

  /** Tells `listener` how it ended, once no hold keeps anything back: what `finishedSymbol` stands for. @internal */
  whenFinished(listener: FinishListener): void {
    this.#streams.whenFinished(listener);
  }

  hold(): Subscription {
    return this.#core.inbox.hold();
  }

  pause(): void {
    this.#pause ??= this.hold();
  }

  resume(): void {
    const pause = this.#pause;
    this.#pause = undefined;
    pause?.unsubscribe();
  }

  ping(data?: string | ArrayBufferView | ArrayBuffer): Observable<number> {
    const given = data === undefined ? NOTHING : controlPayload(data);
    return new Observable((subscriber) => {
      if (this.readyState === ReadyState.CLOSED) {
        subscriber.error(this.#lost());
        return;
      }
      // An empty pong may be one that nobody asked for: it must not answer a ping.
      const payload = given.length > 0 ? given : this.#core.tracker.nextPayload();
      const answered = (roundTrip: number): void => {
        subscriber.next(roundTrip);
        subscriber.complete();
      };
      subscriber.add(this.#core.ping(payload, answered, () => subscriber.error(this.#lost())));
    });
  }

  pong(data: string | ArrayBufferView | ArrayBuffer = ''): void {
    this.#core.control(Opcode.pong, controlPayload(data));
  }

  close(code = 1000, reason = ''): void {
    this.#core.closing.close(code, reason);
  }

  terminate(): void {
    this.#core.terminate();
  }

  trySend(data: Outgoing): SendResult {
    return this.#core.trySend(data, this.#send?.notice(data));
  }

  sendFrom(source: SendSource<Outgoing>): Observable<number> {
    const { send, close$ } = this;
    const core = this.#core;
    return sendFrom(
      {
        trySend: (value) => this.trySend(value),
        ready$: send.ready$,
        get isReady() {
          return send.isReady;
        },
        get isOpen() {
          return core.state === 'open';
        },
        close$,
        isTurnOver: (now) => core.port.isTurnOver(now),
        defer: (task) => core.port.defer(task),
      },
      source,
    );
  }

  flush(): Observable<void> {
    return new Observable((subscriber) => {
      if (this.readyState === ReadyState.CLOSED) {
        subscriber.complete();
        return;
      }
      subscriber.add(this.close$.subscribe({ complete: () => subscriber.complete() }));
      this.#core.outbox.whenHanded(() => {
        subscriber.next();
        subscriber.complete();
      });
    });
  }

  ignoreMessages(): Subscription {
    return this.messages$.subscribe();
  }

  get data(): Data {
    return this.#facts.data;
  }

  get request(): IncomingMessage | undefined {
    return this.#facts.handshake?.request;
  }

  get response(): IncomingMessage | undefined {
    return this.#facts.response;
  }

  get url(): string {
    return this.#facts.url;
  }

  get protocol(): string {
    return this.#facts.protocol;
  }

  get extensions(): ExtensionsObject {
    this.#extensions ??= extensionsObject(this.#facts.extensions);
    return this.#extensions;
  }

  get protocolVersion(): number {
    return this.#facts.protocolVersion;
  }

  get supports(): Supports {
    return supports;
  }

  get remoteAddress(): string | undefined {
    return this.#facts.remoteAddress;
  }

  get readyState(): ReadyState {
    return READY_STATES[this.#core.state];
  }

  get bufferedAmount(): number {
    return this.#core.bufferedAmount;
  }

  get bytesReceived(): number {
    return this.#core.bytesReceived;
  }

  get bytesSent(): number {
    return this.#core.outbox.bytesSent;
  }

  get latency(): number | undefined {
    return this.#core.tracker.latency;
  }

  get stats(): ConnectionStats {
    const { outbox, messagesReceived, pingsReceived, pongsReceived, bytesReceived, inboxBytes, openedAt, endedAt } =
      this.#core;
    const { messagesSent, messagesDropped, bytesSent } = outbox;
    return {
      messagesReceived,
      messagesSent: messagesSent + (this.#lane?.count ?? 0),
      messagesDropped,
      pingsReceived,
      pongsReceived,
      bytesReceived,
      bytesSent,
      inboxBytes,
      uptime: (endedAt ?? this.#core.clock()) - openedAt,
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return iterateMessages(this.messages$);
  }

  /** Closes with 1000 and waits for the end. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return new Promise((resolve) => this.close$.subscribe({ complete: resolve }));
  }

  /** Reports an error of the application to the diagnostics: what `reportSymbol` stands for. @internal */
  reportError(error: unknown): void {
    report('connection-error', { connection: this, error });
  }

  /** Shows messages before they are queued: what `interceptSymbol` stands for. @internal */
  intercept(take: Taker<In>, options?: InterceptOptions<In>): Interception {
    return this.#core.inbox.intercept(take, options);
  }

  /** Sends what goes to others too: what `shareSymbol` stands for. @internal */
  trySendShared(shared: SharedMessage<Outgoing>): SendResult {
    const frames = sharedFramesOf(shared);
    this.#lane ??= this.#core.outbox.lane;
    if (frames?.plain !== undefined && this.#lane.takes(frames.plain, frames.deflateSize)) return 'sent';
    return this.#core.trySend(shared, this.#send?.notice(shared.value));
  }

  /** What `console.log` prints. @internal */
  [inspectSymbol](): object {
    return printed(this, 'Connection', () => {
      const { role } = this.#facts;
      return connectionFields(this, { role, inbox: this.#core.inbox, close: this.#streams.info });
    });
  }

  #lost(): ConnectionClosedError {
    const info = this.#streams.info ?? { code: 1006, reason: '', wasClean: false };
    return new ConnectionClosedError({ ...info, cause: this.#streams.info?.error });
  }
}

carryHooks(PortConnection.prototype, {
  [finishedSymbol]: PortConnection.prototype.whenFinished,
  [interceptSymbol]: PortConnection.prototype.intercept,
  [reportSymbol]: PortConnection.prototype.reportError,
  [shareSymbol]: PortConnection.prototype.trySendShared,
});
