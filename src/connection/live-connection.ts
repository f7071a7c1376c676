import { Observable, type Subscription } from 'rxjs';
import { inspectSymbol, printed } from '../base/inspect.js';
import type { Enrolled } from '../base/roster.js';
import { ConnectionClosedError } from '../protocol/errors.js';
import { type ExtensionsObject, extensionsObject } from '../protocol/handshake/extensions.js';
import type { Channel, ChannelLane } from './channel.js';
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
import { ConnectionStreams, type ConnectionTracker } from './endings.js';
import type { ConnectionFacts } from './facts.js';
import {
  carryHooks,
  type FinishListener,
  finishedSymbol,
  type Interception,
  type InterceptOptions,
  interceptSymbol,
  reportSymbol,
  shareSymbol,
  subscribersSymbol,
} from './hooks.js';
import type { IncomingMessage } from './incoming-message.js';
import { connectionFields } from './inspect.js';
import type { Interceptor } from './interceptors.js';
import { iterateMessages } from './message-iterator.js';
import type { Outgoing } from './outgoing.js';
import type { Holdable } from './seat.js';
import { sendFrom } from './send-from.js';
import type { SendResult } from './send-result.js';
import { SendSubject } from './send-subject.js';
import type { SharedMessage } from './shared-message.js';

const NOTHING = new Uint8Array(0);

/** The {@link Connection} that applications hold, over any channel. */
export class LiveConnection<Data, In = Message, Out = Outgoing> implements Connection<Data, In, Out>, Enrolled {
  #tracker: ConnectionTracker | undefined;
  #rank = -1;
  readonly #facts: ConnectionFacts<Data>;
  readonly #channel: Channel<In, Out>;
  readonly #streams: ConnectionStreams<In>;
  /** The fast path for broadcasts; undefined before the first one. */
  #lane: ChannelLane | undefined;
  #send: SendSubject<Out> | undefined;
  #pause: Subscription | undefined;
  #extensions: ExtensionsObject | undefined;

  /** @param facts known from the handshake. */
  constructor(channel: Channel<In, Out>, facts: ConnectionFacts<Data>) {
    this.#facts = facts;
    this.#channel = channel;
    this.#streams = new ConnectionStreams<In>(channel, this);
  }

  /** Notified of the end, before `close$`. @internal */
  get tracker(): ConnectionTracker | undefined {
    return this.#tracker;
  }

  set tracker(tracker: ConnectionTracker | undefined) {
    this.#tracker = tracker;
  }

  /** Position among the connections of its server. Not a field, because `console.log` would show it. @internal */
  get rank(): number {
    return this.#rank;
  }

  set rank(rank: number) {
    this.#rank = rank;
  }

  /** Starts to receive messages. Called once. @internal */
  start(): void {
    this.#channel.start();
  }

  get send(): SendSubject<Out> {
    if (this.#send === undefined) {
      this.#send = new SendSubject<Out>(this.#channel, this.#streams);
      if (this.#streams.info !== undefined) this.#send.end();
    }
    return this.#send;
  }

  /** The connection has ended: completes the subscribers of `send`. @internal */
  endSend(): void {
    this.#send?.end();
  }

  get messages$(): Holdable<In> {
    return this.#streams.inbox.messages$;
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

  /** Notifies `listener` of the end once no hold keeps anything back. Implements `finishedSymbol`. @internal */
  onFinished(listener: FinishListener): void {
    this.#streams.onFinished(listener);
  }

  hold(): Subscription {
    return this.#streams.inbox.hold();
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
      const answered = (roundTrip: number): void => {
        subscriber.next(roundTrip);
        subscriber.complete();
      };
      subscriber.add(this.#channel.ping(given, answered, () => subscriber.error(this.#lost())));
    });
  }

  pong(data: string | ArrayBufferView | ArrayBuffer = ''): void {
    this.#channel.pong(controlPayload(data));
  }

  close(code = 1000, reason = ''): void {
    this.#channel.close(code, reason);
  }

  terminate(): void {
    this.#channel.discard();
    this.#streams.inbox.giveUp();
    this.#channel.abort();
    // The connection may have ended before, with messages that are held.
    this.#channel.pump();
  }

  trySend(data: Out): SendResult {
    return this.#channel.trySend(data, this.#send?.notice(data));
  }

  sendFrom(source: SendSource<Out>): Observable<number> {
    const { send, close$ } = this;
    const channel = this.#channel;
    return sendFrom(
      {
        trySend: (value) => this.trySend(value),
        ready$: send.ready$,
        get isReady() {
          return send.isReady;
        },
        get isOpen() {
          return channel.readyState === ReadyState.OPEN;
        },
        close$,
        isTurnOver: (now) => channel.isTurnOver(now),
        defer: (task) => channel.defer(task),
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
      this.#channel.whenHanded(() => {
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
    return this.#channel.supports;
  }

  get remoteAddress(): string | undefined {
    return this.#facts.remoteAddress;
  }

  get readyState(): ReadyState {
    return this.#channel.readyState;
  }

  get bufferedAmount(): number {
    return this.#channel.bufferedAmount;
  }

  get bytesReceived(): number {
    return this.#channel.counts.bytesReceived;
  }

  get bytesSent(): number {
    return this.#channel.counts.bytesSent;
  }

  get latency(): number | undefined {
    return this.#channel.latency;
  }

  get stats(): ConnectionStats {
    const { unread, ...counts } = this.#channel.counts;
    return { ...counts, inboxBytes: this.#streams.inbox.cost + unread, uptime: this.#streams.uptime };
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return iterateMessages(this.messages$);
  }

  /** Closes with 1000 and waits for the end. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return new Promise((resolve) => this.close$.subscribe({ complete: resolve }));
  }

  /** Reports an error of the application to the diagnostics. Implements `reportSymbol`. @internal */
  reportError(error: unknown, isMistake = false): void {
    this.#streams.report(error);
    if (isMistake) this.#streams.complainOf(error);
  }

  /** Returns the number of subscribers of `messages$`. Implements `subscribersSymbol`. @internal */
  countSubscribers(): number {
    return this.#streams.inbox.subscribers;
  }

  /** Intercepts messages before they are queued. Implements `interceptSymbol`. @internal */
  intercept(take: Interceptor<In>, options?: InterceptOptions<In>): Interception {
    return this.#streams.inbox.intercept(take, options);
  }

  /** Sends a message that goes to several connections. Implements `shareSymbol`. @internal */
  trySendShared(shared: SharedMessage<Out>): SendResult {
    this.#lane ??= this.#channel.lane;
    if (this.#lane?.offer(shared) === true) return 'sent';
    const onHanded = this.#send?.notice(shared.value);
    return this.#channel.trySendShared?.(shared, onHanded) ?? this.#channel.trySend(shared.value, onHanded);
  }

  /** Returns what `console.log` prints. @internal */
  [inspectSymbol](): object {
    return this.printedAs('Connection');
  }

  /** @internal */
  printedAs(name: string): object {
    return printed(this, name, () => {
      const { role } = this.#facts;
      return connectionFields(this, { role, inbox: this.#streams.inbox, close: this.#streams.info });
    });
  }

  #lost(): ConnectionClosedError {
    const info = this.#streams.info ?? { code: 1006, reason: '', wasClean: false };
    return new ConnectionClosedError({ ...info, cause: this.#streams.info?.error });
  }
}

carryHooks(LiveConnection.prototype, {
  [finishedSymbol]: LiveConnection.prototype.onFinished,
  [interceptSymbol]: LiveConnection.prototype.intercept,
  [reportSymbol]: LiveConnection.prototype.reportError,
  [shareSymbol]: LiveConnection.prototype.trySendShared,
  [subscribersSymbol]: LiveConnection.prototype.countSubscribers,
});
